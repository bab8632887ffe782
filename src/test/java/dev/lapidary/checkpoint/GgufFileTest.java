package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// GGUF files as they should be: every type of value, both versions, in parts, in folders.
class GgufFileTest {
    private Path folder = Path.of("");

    @BeforeEach
    void nameFolder(@TempDir Path temporary) {
        folder = temporary;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void tensorsAreReadInPlaceWithTheirExtentsTurnedRound(int version) throws IOException {
        Path file = new RawGguf()
                .version(version)
                .tensor("b", 0, 32, 3, 2)
                .tensor("a", 8, 0, 32)
                .data(34)
                .data(32 + 24)
                .write(folder.resolve("m.gguf"));
        // Q8_0 takes 34 bytes, so b begins at the second multiple of 32
        assertRefused(file, "b: got offset 32, need at least 34, where a ends");
        new RawGguf()
                .version(version)
                .tensor("b", 0, 64, 3, 2)
                .tensor("a", 8, 0, 32)
                .tensor("none", 1, 96, 0)
                .tensor("scalar", 27, 128)
                .data(136)
                .write(file);
        try (Arena arena = Arena.ofConfined()) {
            GgufFile read = GgufFile.map(file, arena);
            assertThat(read.tensors().keySet()).containsExactly("a", "b", "none", "scalar");
            Tensor b = read.tensors().get("b");
            assertThat(b.shape()).containsExactly(2L, 3L);
            assertThat(b.storedType()).isEqualTo("F32");
            assertThat(b.file()).isEqualTo(file);
            assertThat(b.data().byteSize()).isEqualTo(24);
            assertThat(b.data().isReadOnly()).isTrue();
            assertThat(b.data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 65);
            assertThat(read.tensors().get("a").storedType()).isEqualTo("Q8_0");
            assertThat(read.tensors().get("none").data().byteSize()).isZero();
            assertThat(read.tensors().get("scalar").shape()).isEmpty();
        }
    }

    @Test
    void alignmentIsTheFilesOwn() throws IOException {
        Path file = new RawGguf()
                .uint32("general.alignment", 8)
                .tensor("a", 1, 0, 2)
                .tensor("b", 1, 8, 2)
                .data(12)
                .write(folder.resolve("m.gguf"));
        try (Arena arena = Arena.ofConfined()) {
            assertThat(GgufFile.map(file, arena).tensors().get("b").data().toArray(ValueLayout.JAVA_BYTE))
                    .hasSize(4);
        }
    }

    @Test
    void metadataOfEveryTypeIsRead() throws IOException {
        Path file = new RawGguf()
                .key("u8", 0, le(200, 1))
                .key("i8", 1, le(-3, 1))
                .key("u16", 2, le(60000, 2))
                .key("i16", 3, le(-300, 2))
                .key("u32", 4, le(3, 4))
                .key("i32", 5, le(-70000, 4))
                .key("f32", 6, le(Float.floatToRawIntBits(1.5f), 4))
                .key("yes", 7, le(1, 1))
                .key("text", 8, new GgufBytes().string("ein Wört").toBytes())
                .key("u64", 10, le(5, 8))
                .key("i64", 11, le(-5, 8))
                .key("f64", 12, le(Double.doubleToRawLongBits(0.1), 8))
                .array("flags", 7, 3, new byte[] {1, 0, 1})
                .array("bytes", 1, 2, new byte[] {-1, 7})
                .array("floats", 6, 1, le(Float.floatToRawIntBits(-2), 4))
                .array("words", 8, 2, new GgufBytes().string("a").string("").toBytes())
                .write(folder.resolve("m.gguf"));
        GgufMetadata metadata = GgufMetadata.read(file);
        assertThat(List.of("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"))
                .map(metadata::intValue)
                .containsExactly(200, -3, 60000, -300, 3, -70000, 5, -5);
        assertThat(metadata.doubleValue("f32")).isEqualTo(1.5);
        assertThat(metadata.doubleValue("f64")).isEqualTo(0.1);
        assertThat(metadata.booleanValue("yes", false)).isTrue();
        assertThat(metadata.string("text")).isEqualTo("ein Wört");
        assertThat(metadata.integers("flags", 3)).containsExactly(1, 0, 1);
        assertThat(metadata.integers("bytes", 9)).containsExactly(-1, 7);
        assertThat(metadata.floats("floats", 1)).containsExactly(-2f);
        assertThat(metadata.strings("words", 2)).containsExactly("a", "");
        assertThat(metadata.keys()).hasSize(16).startsWith("u8", "i8");
        assertThat(metadata.intValue("absent", 7)).isEqualTo(7);
        assertThat(metadata.doubleValue("absent", 7)).isEqualTo(7);
        assertThat(metadata.booleanValue("absent", true)).isTrue();
        assertThat(metadata.string("absent", "-")).isEqualTo("-");
        assertThat(metadata.isArray("flags")).isTrue();
        assertThat(metadata.isArray("u8")).isFalse();
    }

    @Test
    void valuesOfAnotherKindAreRefusedByKey() throws IOException {
        Path file = new RawGguf()
                .key("u64", 10, le(-1, 8))
                .key("nan", 6, le(Float.floatToRawIntBits(Float.NaN), 4))
                .key("text", 8, new GgufBytes().string("x".repeat(1000)).toBytes())
                .key(
                        "latin",
                        8,
                        new GgufBytes()
                                .int64(1)
                                .append(new byte[] {(byte) 0xE9})
                                .toBytes())
                .array("words", 8, 1, new GgufBytes().string("a").toBytes())
                .write(folder.resolve("m.gguf"));
        GgufMetadata metadata = GgufMetadata.read(file);
        assertProblem(
                () -> metadata.intValue("u64"),
                file + ": u64: got 18446744073709551615, need an integer from " + "-2147483648 to 2147483647");
        assertProblem(() -> metadata.intValue("nan"), file + ": nan: got NaN, need an integer");
        assertProblem(() -> metadata.doubleValue("nan"), file + ": nan: got NaN, need a finite floating-point number");
        assertProblem(() -> metadata.intValue("none"), file + ": none: got nothing, need an integer");
        assertProblem(() -> metadata.string("words"), file + ": words: got an array of 1 STRING, need a string");
        assertProblem(
                () -> metadata.strings("words", 0),
                file + ": words: got an array of 1 STRING, need at most 0 elements");
        assertProblem(
                () -> metadata.floats("words", 1),
                file + ": words: got an array of 1 STRING, need an array of FLOAT32");
        assertProblem(
                () -> metadata.integers("words", 1),
                file + ": words: got an array of 1 STRING, need an array of integers");
        assertProblem(() -> metadata.string("latin"), file + ": latin: got bytes that are not UTF-8");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> metadata.booleanValue("text", false))
                .withMessageMatching(".*: text: got \"x+\\.\\.\\. \\(1000 characters\\)\", need true or false");
    }

    @Test
    void partsAreOneCheckpoint() throws IOException {
        part(1, 3, "a");
        part(2, 3, "b");
        part(3, 3, "c");
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("m-00001-of-00003.gguf"))) {
            assertThat(checkpoint.tensors().keySet()).containsExactly("a", "b", "c");
            assertThat(checkpoint.configuration()).isInstanceOf(Configuration.Gguf.class);
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).hasSize(3);
            assertThat(checkpoint.path()).isEqualTo(folder);
        }
    }

    @Test
    void partsMustFitTogether() throws IOException {
        Path first = part(1, 2, "a");
        Path second = folder.resolve("m-00002-of-00002.gguf");
        assertRefused(first, second + ": does not exist");
        part(2, 2, "a");
        assertProblem(() -> open(first), second + ": a: got it in %s too, need it once".formatted(first));
        part(2, 2, "b");
        assertProblem(
                () -> open(second),
                second + ": split.no: got 1, need 0: the first part, whose name ends in -00001-of-00002.gguf");
        Files.move(part(1, 2, "b"), second, StandardCopyOption.REPLACE_EXISTING);
        part(1, 2, "a");
        assertProblem(() -> open(first), second + ": split.no: got 0, need 1 as its name says");
        part(2, 3, "b");
        Files.move(folder.resolve("m-00002-of-00003.gguf"), second, StandardCopyOption.REPLACE_EXISTING);
        assertProblem(() -> open(first), second + ": split.count: got 3, need 2 as the first part says");
        Path alone = folder.resolve("alone.gguf");
        Files.copy(first, alone);
        assertProblem(
                () -> open(alone), alone + ": got the first of 2 parts, need its name to end in -00001-of-00002.gguf");
        new RawGguf()
                .uint32("split.count", 2)
                .uint32("split.no", 0)
                .uint32("split.tensors.count", 5)
                .write(first);
        part(2, 2, "b");
        assertProblem(() -> open(first), first + ": split.tensors.count: got 5, need the 1 that the parts hold");
    }

    @Test
    void aFolderHoldsOneModel() throws IOException {
        new RawGguf().tensor("a", 0, 0, 1).data(4).write(folder.resolve("gemma.gguf"));
        new RawGguf().write(folder.resolve("mmproj-gemma.gguf"));
        open(folder);
        new RawGguf().write(folder.resolve("other.gguf"));
        assertProblem(
                () -> open(folder), folder + ": got 2 models (gemma.gguf, other.gguf), need the name of one of them");
        Files.writeString(folder.resolve("config.json"), "{}");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> open(folder))
                .withMessageContaining("need config.json and model.safetensors");
    }

    @Test
    void closingUnmaps() throws IOException {
        Path file = new RawGguf().tensor("a", 0, 0, 1).data(4).write(folder.resolve("m.gguf"));
        Checkpoint checkpoint = Checkpoint.open(file);
        MemorySegment data = checkpoint.tensors().firstEntry().getValue().data();
        checkpoint.close();
        assertThatIllegalStateException().isThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void aLargeFilePointerIsExplained() throws IOException {
        Path file = folder.resolve("m.gguf");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\n", StandardCharsets.UTF_8);
        assertRefused(file, "got a Git LFS pointer, need the file it stands for (git lfs pull fetches it)");
    }

    private Path part(int number, int parts, String tensor) throws IOException {
        return new RawGguf()
                .key("split.no", 2, le(number - 1, 2))
                .key("split.count", 2, le(parts, 2))
                .key("split.tensors.count", 5, le(parts, 4))
                .tensor(tensor, 0, 0, 1)
                .data(4)
                .write(folder.resolve("m-%05d-of-%05d.gguf".formatted(number, parts)));
    }

    private static byte[] le(long value, int bytes) {
        return new GgufBytes().append(value, bytes).toBytes();
    }

    private static void open(Path path) throws CheckpointException {
        Checkpoint.open(path).close();
    }

    private static void assertRefused(Path file, String problem) {
        assertProblem(() -> open(file), problem.contains(": does not") ? problem : file + ": " + problem);
    }

    private static void assertProblem(ThrowingCallable call, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(call).withMessage(message);
    }
}
