package dev.lapidary;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.lapidary.kernels.DataType;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// The rooms and the arrows between them, which go one way only.
class ArchitectureTest {
    private static final String ROOT = "dev.lapidary";

    /// Each room and the rooms that it may use.
    private static final Map<String, Set<String>> ARROWS = Map.ofEntries(
            Map.entry("cli", Set.of("root", "hub", "model", "vision", "tokenizer", "sampler", "checkpoint", "kernels")),
            Map.entry("root", Set.of("model", "vision", "embedding", "tokenizer", "sampler", "checkpoint", "kernels")),
            Map.entry("model", Set.of("checkpoint", "kernels")),
            Map.entry("vision", Set.of("model", "checkpoint", "kernels")),
            Map.entry("embedding", Set.of("model", "checkpoint", "kernels")),
            Map.entry("tokenizer", Set.of("checkpoint", "kernels")),
            Map.entry("sampler", Set.of("checkpoint", "kernels")),
            Map.entry("hub", Set.of()),
            Map.entry("checkpoint", Set.of("kernels")),
            Map.entry("kernels", Set.of("bindings")),
            Map.entry("bindings", Set.of()));

    private static final List<String> ROOMS = List.copyOf(ARROWS.keySet());

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    @Test
    void everyClassIsInARoom() {
        Set<String> found = CLASSES.stream().map(ArchitectureTest::room).collect(Collectors.toSet());
        assertThat(found).hasSameElementsAs(ROOMS);
    }

    @ParameterizedTest
    @FieldSource("ROOMS")
    void arrowsGoOneWay(String room) {
        String[] allowed = ARROWS.getOrDefault(room, Set.of()).stream()
                .map(ArchitectureTest::packages)
                .toArray(String[]::new);
        classes()
                .that()
                .resideInAPackage(packages(room))
                .should()
                .onlyDependOnClassesThat(resideOutsideOfPackage(ROOT + "..")
                        .or(resideInAnyPackage(packages(room)))
                        .or(resideInAnyPackage(allowed)))
                .check(CLASSES);
    }

    @Test
    void checkpointsUseOnlyTheDataTypeOfKernels() {
        noClasses()
                .that()
                .resideInAPackage(packages("checkpoint"))
                .should()
                .dependOnClassesThat(resideInAPackage(packages("kernels")).and(not(type(DataType.class))))
                .check(CLASSES);
    }

    @Test
    void tokenizerSamplerAndHubStayOnTheHeap() {
        noClasses()
                .that()
                .resideInAnyPackage(packages("tokenizer"), packages("sampler"), packages("hub"))
                .should()
                .dependOnClassesThat(resideInAPackage("java.lang.foreign.."))
                .check(CLASSES);
    }

    @Test
    void jsonIsReadInThreeRoomsAndWrittenByTheCommandLine() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        packages("checkpoint"), packages("tokenizer"), packages("hub"), packages("cli"))
                .should()
                .dependOnClassesThat(resideInAPackage("com.google.gson.."))
                .check(CLASSES);
    }

    private static String room(JavaClass type) {
        String name = type.getPackageName();
        return name.equals(ROOT) ? "root" : name.substring(ROOT.length() + 1).split("\\.", 2)[0];
    }

    private static String packages(String room) {
        return room.equals("root") ? ROOT : ROOT + "." + room + "..";
    }
}
