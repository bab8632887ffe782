package dev.lapidary.checkpoint;

import static dev.lapidary.checkpoint.RawSafetensors.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    private final Arena arena = Arena.ofShared();
    private Path file = Path.of("");

    @BeforeEach
    void nameFile(@TempDir Path folder) {
        file = folder.resolve("m.safetensors");
    }

    @AfterEach
    void unmap() {
        arena.close();
    }

    @Test
    void readsTensorsInTheOrderOfTheirBytes() throws IOException {
        String header = "{%s,%s,%s,\"__metadata__\":{\"format\":\"pt\",\"é\":\"\"}}   "
                .formatted(
                        entry("b", "BF16", "[3]", 16, 22),
                        entry("a", "F32", "[2,2]", 0, 16),
                        entry("none", "I64", "[0,7]", 22, 22));
        SafetensorsFile read = read(header, 22);

        assertThat(read.path()).isEqualTo(file);
        assertThat(read.metadata()).isEqualTo(Map.of("format", "pt", "é", ""));
        assertThat(read.tensors().keySet()).containsExactly("a", "b", "none");
        Tensor a = tensor(read, "a");
        assertThat(a.type()).isEqualTo(DataType.F32);
        assertThat(a.shape()).containsExactly(2L, 2L);
        assertThat(a.file()).isEqualTo(file);
        assertThat(bytes(a)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        assertThat(bytes(tensor(read, "b"))).containsExactly(17, 18, 19, 20, 21, 22);
        assertThat(tensor(read, "none").data().byteSize()).isZero();
    }

    @Test
    void readsAFileWithoutTensors() throws IOException {
        assertThat(read("{}", 0).tensors()).isEmpty();
        assertThat(read("{}", 0).metadata()).isEmpty();
    }

    @Test
    void readsAScalar() throws IOException {
        Tensor scalar = tensor(read("{%s}   ".formatted(entry("s", "F32", "[]", 0, 4)), 4), "s");
        assertThat(scalar.shape()).isEmpty();
        assertThat(scalar.data().byteSize()).isEqualTo(4);
    }

    @Test
    void usesAlignedTensorsInPlaceAndCopiesTheOthers() throws IOException {
        String header = "{%s,%s,%s}"
                .formatted(
                        entry("half", "F16", "[1]", 0, 2),
                        entry("odd", "F32", "[1]", 2, 6),
                        entry("byte", "U8", "[2]", 6, 8));
        String padded = header + " ".repeat(Math.floorMod(-header.length(), 8));
        SafetensorsFile read = read(padded, 8);

        // 8 bytes of length before the header: the half lies at a multiple of 2, the float 2 bytes after a multiple of
        // 4
        long half = tensor(read, "half").data().address();
        assertThat(tensor(read, "byte").data().address()).as("in place").isEqualTo(half + 6);
        assertThat(tensor(read, "odd").data().address()).as("a copy").isNotEqualTo(half + 2);
        assertThat(tensor(read, "odd").data().address() % 4).isZero();
        assertThat(bytes(tensor(read, "odd"))).containsExactly(3, 4, 5, 6);
        assertThat(tensor(read, "odd").data().get(ValueLayout.JAVA_INT, 0)).isEqualTo(0x06050403);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void anyHeaderPaddingGivesAlignedReadOnlyData(int padding) throws IOException {
        String header = "{%s}".formatted(entry("a", "F32", "[2]", 0, 8)) + " ".repeat(padding);
        Tensor a = tensor(read(header, 8), "a");
        assertThat(a.data().address() % 4).isZero();
        assertThat(a.data().isReadOnly()).isTrue();
        assertThat(bytes(a)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    }

    @ParameterizedTest
    @EnumSource
    void listsEveryTypeAndRefusesByNameThoseItCannotComputeWith(StoredType type) throws IOException {
        long bytes = type.bytes(List.of(4L));
        Tensor tensor = tensor(read("{%s}".formatted(entry("t", type.name(), "[4]", 0, bytes)), (int) bytes), "t");
        assertThat(tensor.storedType()).isEqualTo(type.name());
        switch (type) {
            case F32, BF16, F16 -> assertThat(tensor.type().name()).isEqualTo(type.name());
            default ->
                assertThatExceptionOfType(CheckpointException.class)
                        .isThrownBy(tensor::type)
                        .withMessage("%s: t is %s [4], need a type of [F32, BF16, F16]", file, type);
        }
    }

    @Test
    void mapsTensorsBeyondTwoGigabytes() throws IOException {
        long last = (3L << 30) - 4;
        String header = "{%s,%s}"
                .formatted(
                        entry("big", "U8", "[%d]".formatted(last), 0, last),
                        entry("end", "F32", "[1]", last, last + 4));
        byte[] start = RawSafetensors.bytes(header.length(), header.getBytes(StandardCharsets.UTF_8), 0);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(start);
            sparse.seek(start.length + last);
            sparse.write(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(42)
                    .array());
        }
        SafetensorsFile read = SafetensorsFile.map(file, arena);
        assertThat(tensor(read, "big").data().byteSize()).isEqualTo(last);
        assertThat(tensor(read, "end").data().get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(42);
    }

    @Test
    void boundsTheCopiesOfAllFilesTogether() throws IOException {
        String header = "{%s}".formatted(entry("a", "F32", "[2]", 0, 8));
        header += " ".repeat(Math.floorMod(1 - header.length(), 8));
        RawSafetensors.write(file, header, 8);
        AlignedCopies copies = new AlignedCopies(arena, 14);
        assertThat(bytes(tensor(SafetensorsFile.map(file, arena, copies), "a")))
                .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> SafetensorsFile.map(file, arena, copies))
                .withMessage(
                        "%s: a: got 8 bytes at byte %d, need a multiple of 4 or at most 6 to copy; "
                                + "pad the file's header, or raise the limit of all copies with -Xmx",
                        file, 8 + header.length());
    }

    private SafetensorsFile read(String header, int dataBytes) throws IOException {
        return SafetensorsFile.map(RawSafetensors.write(file, header, dataBytes), arena);
    }

    private static Tensor tensor(SafetensorsFile read, String name) {
        return Objects.requireNonNull(read.tensors().get(name), name);
    }

    private static byte[] bytes(Tensor tensor) {
        return tensor.data().toArray(ValueLayout.JAVA_BYTE);
    }
}
