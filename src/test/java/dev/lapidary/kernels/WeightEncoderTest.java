package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.GgufFile;
import dev.lapidary.checkpoint.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightEncoderTest {
    private static final Path FIXTURES = Path.of("src/test/resources/gguf");

    /// The values that llama-quantize's blocks stand for give those blocks again, to the bit.
    @ParameterizedTest
    @EnumSource(BlockFormat.class)
    void blocksAreGgmls(BlockFormat format) throws IOException {
        String name = format.name().toLowerCase(java.util.Locale.ROOT);
        try (Arena arena = Arena.ofShared();
                WeightEncoder encoder = WeightEncoder.to(format)) {
            Tensor blocks = tensor(name + ".gguf", format.name(), arena);
            Tensor values = tensor(name + "-f32.gguf", "F32", arena);
            assertThat(values.shape()).isEqualTo(blocks.shape());
            Matrix matrix = Matrix.dense(
                    values.data(),
                    DataType.F32,
                    values.shape().getFirst().intValue(),
                    values.shape().getLast().intValue());
            assertThat(encoded(encoder, matrix)).isEqualTo(blocks.data().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /// More rows than a slice: none is lost or done twice, and what has the format already is not touched.
    @Test
    void slicesAddUp() throws IOException {
        int rows = 5;
        int cols = 1 << 20;
        try (Arena arena = Arena.ofShared();
                WeightEncoder bf16 = WeightEncoder.to(DataType.BF16);
                WeightEncoder f32 = WeightEncoder.to(DataType.F32)) {
            Matrix matrix = Matrix.allocate(arena, rows, cols);
            for (long i = 0; i < (long) rows * cols; i++) {
                matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (i % 251 - 125));
            }
            byte[] before = matrix.data().toArray(ValueLayout.JAVA_BYTE);
            ByteBuffer narrow = ByteBuffer.wrap(encoded(bf16, matrix)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(narrow.remaining()).isEqualTo(rows * cols * 2);
            for (int i = 0; i < rows * cols; i += 4099) {
                assertThat(Float.intBitsToFloat(narrow.getShort(2 * i) << 16)).isEqualTo(i % 251 - 125);
            }
            Matrix again = Matrix.allocate(arena, rows, cols);
            MemorySegment.copy(MemorySegment.ofArray(before), 0, again.data(), 0, before.length);
            assertThat(encoded(f32, again)).isEqualTo(before);
        }
    }

    @Test
    void whatF16CannotHoldIsRefused() {
        try (Arena arena = Arena.ofShared();
                WeightEncoder encoder = WeightEncoder.to(DataType.F16)) {
            Matrix matrix = Matrix.allocate(arena, 1, 2);
            matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, 1, -65520);
            assertThatThrownBy(() -> encoded(encoder, matrix))
                    .isInstanceOf(ArithmeticException.class)
                    .hasMessage("got the value -65520.0, need at most 65504 in F16");
        }
    }

    private static byte[] encoded(WeightEncoder encoder, WeightMatrix matrix) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        encoder.encode(matrix, (bytes, _) -> out.writeBytes(bytes.toArray(ValueLayout.JAVA_BYTE)));
        return out.toByteArray();
    }

    private static Tensor tensor(String file, String type, Arena arena) throws CheckpointException {
        return GgufFile.map(FIXTURES.resolve(file), arena).tensors().values().stream()
                .filter(tensor -> tensor.storedType().equals(type))
                .findFirst()
                .orElseThrow();
    }
}
