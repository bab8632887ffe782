package dev.lapidary.kernels;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The primitives in use, at most 256: making one takes milliseconds, finding one allocates nothing. A shape's hash
/// leaves it a few places; there the least recently used gives way.
final class OneDnnMatmuls {
    private static final int SETS = 64; // a power of two
    private static final int PLACES = 4;

    private final OneDnnEngine engine;
    private final @Nullable OneDnnMatmul[] matmuls = new @Nullable OneDnnMatmul[SETS * PLACES];

    OneDnnMatmuls(OneDnnEngine engine) {
        this.engine = engine;
    }

    /// The primitive for these operands, made if there is none.
    OneDnnMatmul get(Matrix left, Matrix right, boolean transposeRight, Matrix out) {
        int first = (MatmulShape.hash(left, right, transposeRight, out) & (SETS - 1)) * PLACES;
        int last = first + PLACES - 1;
        for (int place = first; place <= last; place++) {
            OneDnnMatmul found = matmuls[place];
            if (found != null && found.shape().matches(left, right, transposeRight, out)) {
                return putFirst(first, place, found);
            }
        }
        OneDnnMatmul made = new OneDnnMatmul(engine, MatmulShape.of(left, right, transposeRight, out));
        close(matmuls[last]);
        return putFirst(first, last, made);
    }

    /// Forgets all of them.
    void clear() {
        for (OneDnnMatmul matmul : matmuls) {
            close(matmul);
        }
        Arrays.fill(matmuls, null);
    }

    /// `matmul` becomes the most recently used of its set, and those before `place` move one back.
    private OneDnnMatmul putFirst(int first, int place, OneDnnMatmul matmul) {
        System.arraycopy(matmuls, first, matmuls, first + 1, place - first);
        matmuls[first] = matmul;
        return matmul;
    }

    private static void close(@Nullable OneDnnMatmul matmul) {
        if (matmul != null) {
            matmul.close();
        }
    }
}
