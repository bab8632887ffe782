package dev.lapidary;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// The rooms and the arrows between them, which go one way only.
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.lapidary");

    @Test
    void classesAreRead() {
        assertThat(CLASSES).isNotEmpty();
    }

    @Test
    void arrowsGoOneWay() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("cli")
                .definedBy("dev.lapidary.cli..")
                .layer("root")
                .definedBy("dev.lapidary")
                .layer("model")
                .definedBy("dev.lapidary.model..")
                .layer("tokenizer")
                .definedBy("dev.lapidary.tokenizer..")
                .layer("sampler")
                .definedBy("dev.lapidary.sampler..")
                .layer("checkpoint")
                .definedBy("dev.lapidary.checkpoint..")
                .layer("kernels")
                .definedBy("dev.lapidary.kernels..")
                .layer("bindings")
                .definedBy("dev.lapidary.bindings..")
                .whereLayer("cli")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("root")
                .mayOnlyBeAccessedByLayers("cli")
                .whereLayer("model")
                .mayOnlyBeAccessedByLayers("cli", "root")
                .whereLayer("tokenizer")
                .mayOnlyBeAccessedByLayers("cli", "root")
                .whereLayer("sampler")
                .mayOnlyBeAccessedByLayers("cli", "root")
                .whereLayer("checkpoint")
                .mayOnlyBeAccessedByLayers("cli", "root", "model", "tokenizer", "sampler")
                .whereLayer("kernels")
                .mayOnlyBeAccessedByLayers("cli", "root", "model", "tokenizer", "sampler", "checkpoint")
                .whereLayer("bindings")
                .mayOnlyBeAccessedByLayers("kernels")
                .ensureAllClassesAreContainedInArchitecture()
                .check(CLASSES);
    }

    @Test
    void tokenizerAndSamplerStayOnTheHeap() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.lapidary.tokenizer..", "dev.lapidary.sampler..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .allowEmptyShould(true)
                .check(CLASSES);
    }
}
