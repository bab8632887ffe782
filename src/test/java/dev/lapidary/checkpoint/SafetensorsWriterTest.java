package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    private static final TensorSpec TWO = new TensorSpec("two", DataType.F32, List.of(2L));

    @TempDir
    private Path folder = Path.of("");

    @Test
    void writesRowsAsTheyCome() throws IOException {
        int rows = 7;
        int columns = 100_003; // rows straddle the buffer's end
        Path file = folder.resolve("logits.safetensors");
        try (Arena arena = Arena.ofConfined();
                SafetensorsWriter writer = SafetensorsWriter.create(
                        file, List.of(new TensorSpec("logits", DataType.F32, List.of((long) rows, (long) columns))))) {
            MemorySegment row = arena.allocate(ValueLayout.JAVA_FLOAT, columns);
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    row.setAtIndex(ValueLayout.JAVA_FLOAT, c, r * columns + c);
                }
                writer.write(row);
            }
            assertThat(file).doesNotExist();
            writer.finish();
        }
        assertThat(names()).containsExactly("logits.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            Tensor logits = Objects.requireNonNull(
                    SafetensorsFile.map(file, arena).tensors().get("logits"));
            assertThat(logits.shape()).containsExactly((long) rows, (long) columns);
            float[] values = logits.data().toArray(ValueLayout.JAVA_FLOAT);
            for (int i = 0; i < values.length; i++) {
                assertThat(values[i]).isEqualTo(i);
            }
        }
    }

    @Test
    void writesTheBytesOfTheFormat() throws IOException {
        Path file = folder.resolve("x.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                file,
                List.of(
                        TWO,
                        new TensorSpec("\u00e9\"", DataType.BF16, List.of()),
                        new TensorSpec("none", DataType.F16, List.of(0L))))) {
            writer.write(MemorySegment.ofArray(new float[] {1, -2}));
            writer.write(MemorySegment.ofArray(new byte[] {5, 6}));
            writer.finish();
        }
        byte[] bytes = Files.readAllBytes(file);
        String header = "{\"two\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"\u00e9\\\"\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[8,10]},"
                + "\"none\":{\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[10,10]}}";
        int length = bytes.length - 8 - 10;
        assertThat(bytes[0] & 0xff).isEqualTo(length);
        assertThat(length % 8).as("aligned data").isZero();
        assertThat(new String(bytes, 8, length, StandardCharsets.UTF_8).stripTrailing())
                .isEqualTo(header);
        assertThat(bytes).endsWith(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 5, 6);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(SafetensorsFile.map(file, arena).tensors().keySet()).containsExactly("two", "\u00e9\"", "none");
        }
    }

    @Test
    void leavesNothingBehindUnlessFinished() throws IOException {
        Path file = folder.resolve("x.safetensors");
        Files.writeString(file, "before");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(TWO))) {
            writer.write(MemorySegment.ofArray(new float[] {1}));
            assertThat(names()).hasSize(2);
            assertThatIllegalStateException()
                    .isThrownBy(writer::finish)
                    .withMessage("%s: got 4 bytes, need 8", file.toRealPath());
        }
        assertThat(names()).containsExactly("x.safetensors");
        assertThat(file).hasContent("before");
    }

    @Test
    void replacesAFileThroughItsLink() throws IOException {
        Path file = folder.resolve("x.safetensors");
        Path link = folder.resolve("link");
        Files.writeString(file, "before");
        Files.createSymbolicLink(link, Path.of("x.safetensors"));
        try (SafetensorsWriter writer = SafetensorsWriter.create(link, List.of())) {
            writer.finish();
        }
        assertThat(link).isSymbolicLink();
        assertThat(file).hasContent("\2\0\0\0\0\0\0\0{}      ".replace('\2', '\10'));
    }

    @Test
    void refusesMoreThanTheShapesHold() throws IOException {
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("x.safetensors"), List.of(TWO))) {
            writer.write(MemorySegment.ofArray(new float[] {1}));
            assertThatIllegalStateException()
                    .isThrownBy(() -> writer.write(MemorySegment.ofArray(new float[] {1, 2})))
                    .withMessage("%s: got 8 bytes after 4, need 8 in all", folder.resolve("x.safetensors"));
        }
    }

    @Test
    void refusesPlacesThatAreNoFile() throws IOException {
        Path lost = folder.resolve("no/x.safetensors");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> SafetensorsWriter.create(lost, List.of()))
                .withMessage("%s: its folder does not exist", lost);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> SafetensorsWriter.create(folder, List.of()))
                .withMessage("%s: got something that is not a file, need a file or a new name", folder);
        assertThat(names()).isEmpty();
    }

    @Test
    void refusesSpecsThatCannotBe() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TensorSpec("a", DataType.F32, List.of(-1L)))
                .withMessage("shape: got [-1], need extents >= 0 whose bytes fit 64 bits");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SafetensorsWriter.create(folder.resolve("x"), List.of(TWO, TWO)))
                .withMessage("tensors: got the name \"two\" twice or reserved, need each its own");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SafetensorsWriter.create(
                        folder.resolve("x"), List.of(new TensorSpec("__metadata__", DataType.F32, List.of()))));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .sorted()
                    .toList();
        }
    }
}
