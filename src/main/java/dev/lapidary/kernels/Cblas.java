package dev.lapidary.kernels;

import dev.lapidary.bindings.openblas.CblasFunctions;
import dev.lapidary.bindings.openblas.cblas_sgemm_function;
import dev.lapidary.bindings.shim.GemmaKernels;
import java.lang.foreign.MemorySegment;

/// `cblas_sgemm` of any library that has it, found in that library alone: F32 only.
final class Cblas implements Backend {
    private final String name;
    private final NativeLibrary library;
    private final CblasVendor vendor;
    private final MemorySegment sgemm;
    private int threads;

    /// Throws `LinkageError` if the library has no `cblas_sgemm`, or one with 64-bit integers.
    Cblas(String name, NativeLibrary library) {
        this.name = name;
        this.library = library;
        sgemm = library.requireSymbol("cblas_sgemm");
        vendor = CblasVendor.of(library);
        threads(Runtime.getRuntime().availableProcessors());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public BackendInfo info() {
        return new BackendInfo(name, library.path(), vendor.version(), vendor.core(), threads, vendor.threading());
    }

    @Override
    public boolean multiplies(DataType type) {
        return type == DataType.F32;
    }

    @Override
    public boolean staysInBounds() {
        return !name.equals(Backends.ANY_CBLAS);
    }

    @Override
    public void matmulTransposed(Matrix left, Matrix right, Matrix out) {
        MatmulChecks.requireTransposed(this, left, right, out);
        multiply(left, right, CblasFunctions.CblasTrans(), out);
    }

    @Override
    public void matmul(Matrix left, Matrix right, Matrix out) {
        MatmulChecks.requirePlain(left, right, out);
        multiply(left, right, CblasFunctions.CblasNoTrans(), out);
    }

    private void multiply(Matrix left, Matrix right, int transposeRight, Matrix out) {
        if (out.rows() == 0 || out.cols() == 0) {
            return;
        }
        cblas_sgemm_function.invoke(
                sgemm,
                CblasFunctions.CblasRowMajor(),
                CblasFunctions.CblasNoTrans(),
                transposeRight,
                out.rows(),
                out.cols(),
                left.cols(),
                1f,
                left.data(),
                leadingDimension("left", left),
                right.data(),
                leadingDimension("right", right),
                0f,
                out.data(),
                leadingDimension("out", out));
    }

    private static int leadingDimension(String what, Matrix matrix) {
        long stride = MatmulShape.stride(matrix);
        if (stride > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "%s: got stride %d, need at most %d for BLAS".formatted(what, stride, Integer.MAX_VALUE));
        }
        return (int) stride;
    }

    @Override
    public void threads(int count) {
        GemmaKernels.gemma_set_threads(count);
        if (count != threads) {
            vendor.threads(count);
            threads = count;
        }
    }
}
