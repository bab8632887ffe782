package dev.lapidary.kernels;

/// Who multiplies a matrix by a matrix. Opened by [Backends]; called from one thread at a time, on which [#threads] was
/// called before: the OpenMP team belongs to the calling thread. Outputs must not overlap inputs.
public interface Backend {
    /// `onednn`, `openblas`, `mkl` or `cblas`.
    String name();

    /// What was found, for people.
    BackendInfo info();

    /// Whether [#matmulTransposed] takes inputs of this type: F32 always, BF16 where CPU and library multiply it
    /// natively.
    boolean multiplies(DataType type);

    /// `out = left * right^T`: `[m, k], [n, k] -> [m, n]`. The inputs are of one type that this backend
    /// [#multiplies], with F32 sums; `out` is F32. A BF16 `left` is dense or has a multiple of 32 columns.
    void matmulTransposed(Matrix left, Matrix right, Matrix out);

    /// `out = left * right`, all F32: `[m, k], [k, n] -> [m, n]`.
    void matmul(Matrix left, Matrix right, Matrix out);

    /// Whether it reads nothing behind the last element of an operand, as the libraries that come with us are
    /// tested to. Of another, operands must lie in memory with room behind them: BLIS 0.9 reads whole rows too
    /// many.
    boolean staysInBounds();

    /// The number of threads to compute with, from now on and on the calling thread. Costs next to nothing when it
    /// is the same as before.
    void threads(int count);
}
