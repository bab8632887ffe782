package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `quantize` as a shell sees it, and what other commands make of what it wrote.
class QuantizeCommandTest {
    @TempDir
    private Path folder = Path.of("");

    /// What was written computes what quantizing on opening computes, and says so in the tensors' types.
    @ParameterizedTest
    @CsvSource({
        "q8_0, m.gguf, Q8_0, Q8_0",
        "q4_0, m.gguf, Q4_0, Q8_0",
        "bf16, m.gguf, BF16, BF16",
        "Q8_0, m.GGUF.gguf, Q8_0, Q8_0",
        "bf16, m, BF16, BF16",
        "f32, m, F32, F32"
    })
    void theResultGoesOnWithTheSameText(String type, String name, String matrices, String head) throws IOException {
        Path out = folder.resolve(name);
        Run run = quantize(out, "--type", type);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).isEmpty();
        assertThat(text("-m", out.toString())).isEqualTo(text("-m", Run.DEMO, "--weights", type));
        try (Checkpoint checkpoint = Checkpoint.open(out)) {
            boolean gguf = name.endsWith(".gguf");
            Map<String, Tensor> tensors = checkpoint.tensors();
            assertThat(type(tensors, gguf ? "blk.3.ffn_down.weight" : "model.layers.3.mlp.down_proj.weight"))
                    .isEqualTo(matrices);
            assertThat(type(tensors, gguf ? "token_embd.weight" : "model.embed_tokens.weight"))
                    .isEqualTo(head);
        }
    }

    @Test
    void theHeadsTypeCanBeChosen() throws IOException {
        Path out = folder.resolve("m.gguf");
        assertThat(quantize(out, "--type", "q4_0", "--head-type", "q4_0").code())
                .isZero();
        try (Checkpoint checkpoint = Checkpoint.open(out)) {
            assertThat(type(checkpoint.tensors(), "token_embd.weight")).isEqualTo("Q4_0");
        }
    }

    /// From blocks to blocks of another type: possible, and told.
    @Test
    void roundingTwiceIsTold() throws IOException {
        Path eight = folder.resolve("eight.gguf");
        Path four = folder.resolve("four.gguf");
        assertThat(quantize(eight, "--type", "q8_0").code()).isZero();
        Run run = Run.of("quantize", eight.toString(), four.toString(), "--type", "q4_0");
        assertThat(run.code()).isZero();
        assertThat(run.err())
                .isEqualTo("lapidary: rounded twice, since quantized already: 42 matrices, Q8_0 to Q4_0\n");
        assertThat(Run.of("generate", "-m", four.toString(), "-p", "In the", "-n", "4")
                        .code())
                .isZero();
    }

    @Test
    void whatIsThereStaysUnlessForced() throws IOException {
        Path out = Files.writeString(folder.resolve("m.gguf"), "mine");
        Run run = quantize(out, "--type", "q8_0");
        assertFailed(
                run, Failures.FAILED, "m.gguf: it exists already; need a new name, or leave to replace it (--force)");
        assertThat(out).hasContent("mine");
        assertThat(quantize(out, "--type", "q8_0", "--force").code()).isZero();
        assertThat(Files.size(out)).isGreaterThan(1_000_000);
        Path full = Files.createDirectory(folder.resolve("full"));
        Files.writeString(full.resolve("mine.txt"), "mine");
        assertFailed(quantize(full, "--type", "bf16"), Failures.FAILED, "full: it exists already");
        assertThat(names(full)).isEqualTo("mine.txt");
    }

    @Test
    void mistakesAreToldAndLeaveNothing() throws IOException {
        Path out = folder.resolve("m.gguf");
        assertFailed(
                quantize(out, "--type", "q5_k"),
                Failures.USAGE,
                "Invalid value for option '--type': expected one of [F32, F16, BF16, Q8_0, Q4_0]");
        assertFailed(quantize(out), Failures.USAGE, "Missing required option: '--type=TYPE'");
        assertFailed(
                quantize(folder.resolve("m"), "--type", "q8_0"),
                Failures.USAGE,
                "m: got Q8_0, need f32, f16 or bf16, or a name that ends in .gguf");
        assertFailed(
                Run.of("quantize", "/nowhere", out.toString(), "--type", "bf16"),
                Failures.FAILED,
                "/nowhere: no such file or folder");
        assertFailed(
                quantize(folder.resolve("no/m.gguf"), "--type", "bf16"),
                Failures.FAILED,
                "no/m.gguf: its folder does not exist");
        assertFailed(
                Run.of("quantize", "src/test/resources/oracle/recurrentgemma", out.toString(), "--type", "bf16"),
                Failures.FAILED,
                "got a recurrent_gemma model, need one of Gemma 1 to 3 to write it anew");
        assertThat(names(folder)).isEmpty();
    }

    @Test
    void aFolderThatMayNotBeWrittenIsNamed() throws IOException {
        Path locked = Files.createDirectory(folder.resolve("locked"));
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
        try {
            assumeThat(Files.isWritable(locked)).as("root may write everywhere").isFalse();
            assertFailed(quantize(locked.resolve("m.gguf"), "--type", "bf16"), Failures.FAILED, "locked/m.gguf");
            assertFailed(quantize(locked.resolve("m"), "--type", "bf16"), Failures.FAILED, "permission denied");
            assertThat(names(locked)).isEmpty();
        } finally {
            Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    /// Where root may not write either.
    @ParameterizedTest
    @CsvSource({"/proc/m.gguf", "/proc/m", "/dev/null/m.gguf"})
    void aPlaceWhereNothingCanBeWrittenIsNamed(String out) {
        Run run = quantize(Path.of(out), "--type", "bf16");
        assertFailed(run, Failures.FAILED, out.substring(0, out.lastIndexOf('/')));
        assertThat(run.err().lines()).hasSize(1);
    }

    private static Run quantize(Path out, String... options) {
        String[] command = {"quantize", Run.DEMO, out.toString()};
        return Run.of(Stream.concat(Stream.of(command), Stream.of(options)).toArray(String[]::new));
    }

    private static String text(String... options) {
        String[] command = {"generate", "-p", "In the beginning", "-t", "0", "-n", "24", "--compute", "f32"};
        Run run = Run.of(Stream.concat(Stream.of(command), Stream.of(options)).toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).hasSizeGreaterThan(20);
        return run.out();
    }

    private static String type(Map<String, Tensor> tensors, String name) {
        assertThat(tensors).containsKey(name);
        return tensors.get(name).storedType();
    }

    private static void assertFailed(Run run, int code, String message) {
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(message).doesNotContain("\tat ", "Exception");
    }

    private static String names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().collect(Collectors.joining(" "));
        }
    }
}
