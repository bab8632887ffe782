package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OneDnnTest {
    private final OneDnn backend = (OneDnn) Backends.open("onednn");

    /// Whatever oneDNN does not optimise falls to `ref` without a word, hundreds of times slower.
    @ParameterizedTest
    @ValueSource(ints = {1, 8, 64, 512})
    void everyPrimitiveOfTheDecoderIsOptimised(int m) {
        try (Arena arena = Arena.ofConfined()) {
            for (int gap : new int[] {0, 5, 64}) {
                isOptimised(arena, DataType.F32, true, m, gap);
                isOptimised(arena, DataType.F32, false, m, gap);
                if (backend.multiplies(DataType.BF16)) {
                    isOptimised(arena, DataType.BF16, true, m, gap);
                }
            }
        }
    }

    private void isOptimised(Arena arena, DataType type, boolean transposeRight, int m, int gap) {
        int k = 256;
        int n = 640;
        Matrix left = Matrix.allocate(arena, type, m, k + gap).cols(0, k);
        Matrix right = transposeRight
                ? Matrix.allocate(arena, type, n, k + gap).cols(0, k)
                : Matrix.allocate(arena, type, k, n + gap).cols(0, n);
        Matrix out = Matrix.allocate(arena, m, n + gap).cols(0, n);
        assertThat(backend.implementation(left, right, transposeRight, out))
                .as("%s, transposed: %s, m = %d, gap %d", type, transposeRight, m, gap)
                .doesNotContain("ref");
    }
}
