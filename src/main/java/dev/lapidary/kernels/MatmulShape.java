package dev.lapidary.kernels;

/// A product `[m, k]` times `[k, n]`, or `[n, k]` transposed: everything but the addresses. Strides are elements
/// between rows; a single row counts as dense whatever it was cut from.
record MatmulShape(
        DataType type, boolean transposeRight, int m, int n, int k, long leftStride, long rightStride, long outStride) {

    static MatmulShape of(Matrix left, Matrix right, boolean transposeRight, Matrix out) {
        return new MatmulShape(
                left.type(),
                transposeRight,
                out.rows(),
                out.cols(),
                left.cols(),
                stride(left),
                stride(right),
                stride(out));
    }

    /// Whether [#of] these operands would be equal to this.
    boolean matches(Matrix left, Matrix right, boolean transposed, Matrix out) {
        return transposeRight == transposed
                && type == left.type()
                && m == out.rows()
                && n == out.cols()
                && k == left.cols()
                && leftStride == stride(left)
                && rightStride == stride(right)
                && outStride == stride(out);
    }

    /// Equal for operands that match the same shape.
    static int hash(Matrix left, Matrix right, boolean transposeRight, Matrix out) {
        long mixed = left.type().hashCode() * 2L + (transposeRight ? 1 : 0);
        mixed = mixed * 31 + out.rows();
        mixed = mixed * 31 + out.cols();
        mixed = mixed * 31 + left.cols();
        mixed = mixed * 31 + stride(left);
        mixed = mixed * 31 + stride(right);
        mixed = mixed * 31 + stride(out);
        return (int) ((mixed * 0x9E3779B97F4A7C15L) >>> 32); // the golden ratio: Knuth's multiplicative hashing
    }

    static long stride(Matrix matrix) {
        return matrix.rows() > 1 ? matrix.stride() : matrix.cols();
    }
}
