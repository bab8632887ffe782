package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the writer writes, the reader reads; and nothing half-written stays.
class GgufWriterTest {
    private Path folder = Path.of("");
    private Path file = Path.of("");

    @BeforeEach
    void nameFile(@TempDir Path temporary) {
        folder = temporary;
        file = folder.resolve("m.gguf");
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        GgufKeys keys = new GgufKeys()
                .putUint16("u16", 65535)
                .putInt32("i32", -1)
                .putUint32("u32", 7)
                .putFloat32("f32", 0.5f)
                .putBoolean("flag", true)
                .putString("text", "\u2581the")
                .putStrings("words", List.of("a", "\u00e9", ""))
                .putFloats("floats", 1, -2)
                .putInts("ints", 3, -4);
        List<GgufTensorSpec> specs = List.of(
                new GgufTensorSpec("blocks", GgmlType.Q4_0, List.of(1L, 32L)),
                new GgufTensorSpec("empty", GgmlType.F32, List.of(0L)),
                new GgufTensorSpec("matrix", GgmlType.F16, List.of(2L, 3L)));
        try (GgufWriter writer = GgufWriter.create(file, keys, specs)) {
            writer.write(bytes(10, 1));
            writer.write(bytes(8, 11));
            writer.write(bytes(12, 21));
            writer.finish();
        }
        GgufMetadata metadata = GgufMetadata.read(file);
        assertThat(metadata.intValue("u16")).isEqualTo(65535);
        assertThat(metadata.intValue("i32")).isEqualTo(-1);
        assertThat(metadata.intValue("u32")).isEqualTo(7);
        assertThat(metadata.doubleValue("f32")).isEqualTo(0.5);
        assertThat(metadata.booleanValue("flag", false)).isTrue();
        assertThat(metadata.string("text")).isEqualTo("\u2581the");
        assertThat(metadata.strings("words", 9)).containsExactly("a", "\u00e9", "");
        assertThat(metadata.floats("floats", 9)).containsExactly(1, -2);
        assertThat(metadata.integers("ints", 9)).containsExactly(3, -4);
        try (Arena arena = Arena.ofConfined()) {
            GgufFile read = GgufFile.map(file, arena);
            Tensor matrix = read.tensors().get("matrix");
            assertThat(matrix.shape()).containsExactly(2L, 3L);
            assertThat(matrix.data().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(bytes(12, 21).toArray(ValueLayout.JAVA_BYTE));
            assertThat(read.tensors().get("blocks").data().get(ValueLayout.JAVA_BYTE, 17))
                    .isEqualTo((byte) 18);
            assertThat(read.tensors().get("empty").shape()).containsExactly(0L);
        }
        assertThat(Files.size(file) % 32).isZero();
    }

    @Test
    void untilItIsFinishedTheOldFileStays() throws IOException {
        Files.writeString(file, "old");
        List<GgufTensorSpec> one = List.of(new GgufTensorSpec("a", GgmlType.F32, List.of(2L)));
        try (GgufWriter writer = GgufWriter.create(file, new GgufKeys(), one)) {
            writer.write(bytes(4, 1));
            assertThatIllegalStateException()
                    .isThrownBy(writer::finish)
                    .withMessage(file + ": got 4 bytes too few for a");
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write(bytes(5, 1)))
                    .withMessage(file + ": got 5 bytes for a, need at most 4");
        }
        assertThat(Files.readString(file)).isEqualTo("old");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void aTensorIsNotContinuedInTheNext() throws IOException {
        List<GgufTensorSpec> two = List.of(
                new GgufTensorSpec("a", GgmlType.F32, List.of(1L)), new GgufTensorSpec("b", GgmlType.F32, List.of(1L)));
        try (GgufWriter writer = GgufWriter.create(file, new GgufKeys(), two)) {
            assertThatIllegalStateException().isThrownBy(() -> writer.write(bytes(8, 1)));
            writer.write(bytes(4, 1));
            writer.write(bytes(4, 1));
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write(bytes(1, 1)))
                    .withMessage(file + ": got 1 bytes for the end, need at most 0");
        }
    }

    @Test
    void whatNoFileCanSayIsRefused() {
        GgufTensorSpec a = new GgufTensorSpec("a", GgmlType.F32, List.of(1L));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GgufWriter.create(file, new GgufKeys(), List.of(a, a)))
                .withMessage("tensors: got the name \"a\" twice, need each its own");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GgufWriter.create(file, new GgufKeys().putUint32("general.alignment", 64), List.of()))
                .withMessage("keys: got general.alignment, need none: it is 32");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GgufKeys().putInt32("a", 1).putInt32("a", 1))
                .withMessage("key: got \"a\" twice or empty, need each its own");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GgufTensorSpec("a", GgmlType.Q4_K, List.of(100L)))
                .withMessage("shape: got Q4_K [100], need extents >= 0, whole blocks and bytes that fit 64 bits");
        assertThat(file).doesNotExist();
    }

    private static MemorySegment bytes(int count, int first) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (first + i);
        }
        return MemorySegment.ofArray(bytes);
    }
}
