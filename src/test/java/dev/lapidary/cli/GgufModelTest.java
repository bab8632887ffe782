package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import dev.lapidary.model.GgufCopy;
import dev.lapidary.tokenizer.GgufPieces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The demo model in one GGUF file, tokenizer included, instead of its folder.
class GgufModelTest {
    @TempDir
    private static Path folder = Path.of("");

    private static Path file = Path.of("");

    @BeforeAll
    static void write() {
        try {
            Path demo = Path.of(Run.DEMO);
            file = GgufCopy.write(
                    demo, folder.resolve("demo.gguf"), null, GgufPieces.keys(demo.resolve("tokenizer.model")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<DemoGolden> cases() {
        return DemoGolden.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void greedyTextIsTheReferences(DemoGolden golden) {
        Run run = Run.of(
                "generate",
                "--model",
                file.toString(),
                "--prompt",
                golden.text(),
                "-t",
                "0",
                "--max-tokens",
                "48",
                "--compute",
                "f32",
                "--json");
        JsonObject json = run.json();
        assertThat(run.ids("ids")).isEqualTo(golden.continuation());
        assertThat(json.get("text").getAsString()).isEqualTo(golden.decoded());
    }

    @Test
    void aFolderWithOneFileIsThatModel() {
        Run byFile = Run.of("tokenize", "--model", file.toString(), "In the beginning", "--json");
        Run byFolder = Run.of("tokenize", "--model", folder.toString(), "In the beginning", "--json");
        Run original = Run.of("tokenize", "--model", Run.DEMO, "In the beginning", "--json");
        assertThat(byFile.out()).isEqualTo(original.out());
        assertThat(byFolder.out()).isEqualTo(original.out());
    }
}
