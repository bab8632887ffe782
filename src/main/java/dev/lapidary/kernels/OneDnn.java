package dev.lapidary.kernels;

import dev.lapidary.bindings.onednn.Dnnl;
import dev.lapidary.bindings.onednn.dnnl_version_t;
import dev.lapidary.bindings.shim.GemmaKernels;
import java.lang.foreign.MemorySegment;

/// oneDNN's matmul primitive, on the operands as they lie in memory. Computes with the OpenMP team.
final class OneDnn implements Backend {
    private final NativeLibrary library;
    private final OneDnnMatmuls matmuls = new OneDnnMatmuls(new OneDnnEngine());
    // The values of dnnl_cpu_isa_t are sets of features; what lacks this one would emulate BF16
    private final boolean multipliesBf16 = (Dnnl.dnnl_get_effective_cpu_isa() & Dnnl.dnnl_cpu_isa_avx512_core_bf16())
            == Dnnl.dnnl_cpu_isa_avx512_core_bf16();
    private int threads = Runtime.getRuntime().availableProcessors();

    OneDnn(NativeLibrary library) {
        this.library = library;
    }

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public BackendInfo info() {
        MemorySegment version = Dnnl.dnnl_version();
        return new BackendInfo(
                name(),
                library.path(),
                "oneDNN %d.%d.%d"
                        .formatted(
                                dnnl_version_t.major(version),
                                dnnl_version_t.minor(version),
                                dnnl_version_t.patch(version)),
                Dnnl.dnnl_cpu_isa2str(Dnnl.dnnl_get_effective_cpu_isa())
                        .getString(0)
                        .replaceFirst("^cpu_isa_", ""),
                threads,
                "the OpenMP team");
    }

    @Override
    public boolean multiplies(DataType type) {
        return switch (type) {
            case F32 -> true;
            case BF16 -> multipliesBf16;
            case F16 -> false;
        };
    }

    @Override
    public boolean staysInBounds() {
        return true;
    }

    @Override
    public void matmulTransposed(Matrix left, Matrix right, Matrix out) {
        MatmulChecks.requireTransposed(this, left, right, out);
        requireWholeTiles(left);
        multiply(left, right, true, out);
    }

    @Override
    public void matmul(Matrix left, Matrix right, Matrix out) {
        MatmulChecks.requirePlain(left, right, out);
        multiply(left, right, false, out);
    }

    /// With AMX, oneDNN 3.13 reads BF16 rows of `left` in tiles of 32 columns: past the end of a row it takes what
    /// lies there, times zero, which must not be NaN. In a dense matrix it is the next row.
    private static void requireWholeTiles(Matrix left) {
        if (left.type() == DataType.BF16 && left.cols() % 32 != 0 && MatmulShape.stride(left) != left.cols()) {
            throw new IllegalArgumentException("left: got %s stride %d, need a dense one or a multiple of 32 columns"
                    .formatted(left.shape(), left.stride()));
        }
    }

    private void multiply(Matrix left, Matrix right, boolean transposeRight, Matrix out) {
        if (out.rows() > 0 && out.cols() > 0) {
            matmuls.get(left, right, transposeRight, out).run(left, right, out);
        }
    }

    /// What oneDNN calls the code it picked for this product; `ref` is hundreds of times slower than any other.
    String implementation(Matrix left, Matrix right, boolean transposeRight, Matrix out) {
        return matmuls.get(left, right, transposeRight, out).implementation();
    }

    @Override
    public void threads(int count) {
        GemmaKernels.gemma_set_threads(count);
        if (count != threads) {
            // A primitive is split for the number of threads at its creation
            matmuls.clear();
            threads = count;
        }
    }
}
