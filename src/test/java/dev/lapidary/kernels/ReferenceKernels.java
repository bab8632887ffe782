package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// What every kernel must compute: plain loops, sums and functions in double, rounded to F32 where a result is stored.
/// Never optimised. The decoder runs on it as it does on the native kernels.
public final class ReferenceKernels implements Kernels {
    @Override
    public void prepare() {}

    @Override
    public void embed(WeightMatrix stored, MemorySegment ids, float scale, Matrix out) {
        Matrix table = Panels.dense(stored);
        for (int r = 0; r < out.rows(); r++) {
            int id = ids.getAtIndex(ValueLayout.JAVA_INT, r);
            for (int c = 0; c < out.cols(); c++) {
                set(out, r, c, get(table, id, c) * scale);
            }
        }
    }

    @Override
    public void rmsNorm(Matrix in, Matrix weight, float epsilon, Matrix out) {
        for (int r = 0; r < in.rows(); r++) {
            double factor = inverseRms(in, r, epsilon);
            for (int c = 0; c < in.cols(); c++) {
                set(out, r, c, get(in, r, c) * factor * get(weight, 0, c));
            }
        }
    }

    @Override
    public void rmsNormAdd(Matrix in, Matrix weight, float epsilon, Matrix residual) {
        for (int r = 0; r < in.rows(); r++) {
            double factor = inverseRms(in, r, epsilon);
            for (int c = 0; c < in.cols(); c++) {
                set(residual, r, c, get(residual, r, c) + get(in, r, c) * factor * get(weight, 0, c));
            }
        }
    }

    @Override
    public void add(Matrix in, Matrix out) {
        for (int r = 0; r < in.rows(); r++) {
            for (int c = 0; c < in.cols(); c++) {
                set(out, r, c, get(out, r, c) + get(in, r, c));
            }
        }
    }

    @Override
    public void scale(float factor, Matrix x) {
        for (int r = 0; r < x.rows(); r++) {
            for (int c = 0; c < x.cols(); c++) {
                set(x, r, c, get(x, r, c) * factor);
            }
        }
    }

    @Override
    public void multiply(Matrix in, Matrix weight, Matrix out) {
        for (int r = 0; r < in.rows(); r++) {
            for (int c = 0; c < in.cols(); c++) {
                set(out, r, c, get(in, r, c) * get(weight, 0, c));
            }
        }
    }

    @Override
    public void matchMagnitude(Matrix like, Matrix x) {
        for (int r = 0; r < x.rows(); r++) {
            double squares = 0;
            double wanted = 0;
            for (int c = 0; c < x.cols(); c++) {
                squares += get(x, r, c) * get(x, r, c) / x.cols();
                wanted += get(like, r, c) * get(like, r, c) / x.cols();
            }
            double factor = Math.sqrt(wanted) / Math.sqrt(Math.max(squares, 1e-5));
            for (int c = 0; c < x.cols(); c++) {
                set(x, r, c, get(x, r, c) * factor);
            }
        }
    }

    @Override
    public void addScaledRows(Matrix in, MemorySegment ids, MemorySegment factors, Matrix out) {
        for (int r = 0; r < in.rows(); r++) {
            int id = ids.getAtIndex(ValueLayout.JAVA_INT, r);
            double factor = factors.getAtIndex(ValueLayout.JAVA_FLOAT, r);
            for (int c = 0; c < in.cols(); c++) {
                set(out, id, c, get(out, id, c) + factor * get(in, r, c));
            }
        }
    }

    @Override
    public void layerNorm(Matrix in, Matrix weight, Matrix bias, float epsilon, Matrix out) {
        for (int r = 0; r < in.rows(); r++) {
            double mean = 0;
            for (int c = 0; c < in.cols(); c++) {
                mean += get(in, r, c) / in.cols();
            }
            double variance = 0;
            for (int c = 0; c < in.cols(); c++) {
                variance += (get(in, r, c) - mean) * (get(in, r, c) - mean) / in.cols();
            }
            for (int c = 0; c < in.cols(); c++) {
                double normed = (get(in, r, c) - mean) / Math.sqrt(variance + epsilon);
                set(out, r, c, normed * get(weight, 0, c) + get(bias, 0, c));
            }
        }
    }

    @Override
    public void addBias(Matrix bias, Matrix x) {
        for (int r = 0; r < x.rows(); r++) {
            for (int c = 0; c < x.cols(); c++) {
                set(x, r, c, get(x, r, c) + get(bias, 0, c));
            }
        }
    }

    @Override
    public void biasGelu(Matrix bias, Matrix x) {
        for (int r = 0; r < x.rows(); r++) {
            for (int c = 0; c < x.cols(); c++) {
                set(x, r, c, geluTanh(get(x, r, c) + get(bias, 0, c)));
            }
        }
    }

    @Override
    public void ropeTable(MemorySegment inverseFrequencies, MemorySegment positions, Matrix cos, Matrix sin) {
        for (int r = 0; r < cos.rows(); r++) {
            for (int i = 0; i < cos.cols(); i++) {
                double angle = positions.getAtIndex(ValueLayout.JAVA_INT, r)
                        * inverseFrequencies.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
                set(cos, r, i, Math.cos(angle));
                set(sin, r, i, Math.sin(angle));
            }
        }
    }

    @Override
    public void headNormRope(
            Heads in,
            int row,
            int count,
            @Nullable Matrix norm,
            float epsilon,
            @Nullable RopeTable rope,
            float scale,
            Heads out,
            int outRow) {
        for (int r = row; r < row + count; r++) {
            for (int h = 0; h < in.heads(); h++) {
                double[] x = new double[in.headDim()];
                double squares = 0;
                for (int i = 0; i < x.length; i++) {
                    x[i] = in.data().getAtIndex(ValueLayout.JAVA_FLOAT, offset(in, r, h) + i);
                    squares += x[i] * x[i];
                }
                double factor = norm == null ? 1 : 1 / Math.sqrt(squares / x.length + epsilon);
                for (int i = 0; i < x.length; i++) {
                    x[i] *= norm == null ? 1 : factor * get(norm, 0, i);
                }
                rotate(x, rope, r);
                for (int i = 0; i < x.length; i++) {
                    put(out, offset(out, outRow + r - row, h) + i, (float) (x[i] * scale));
                }
            }
        }
    }

    @Override
    public void project(Matrix in, Projection weights, Matrix out) {
        int column = 0;
        for (WeightMatrix part : weights.parts()) {
            matmulTransposed(in, Panels.dense(part), out.cols(column, part.rows()));
            column += part.rows();
        }
    }

    @Override
    public void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        Matrix none = Matrix.allocate(Arena.ofAuto(), 1, out.cols());
        geglu(in, gate, none, up, none, out);
    }

    @Override
    public void geglu(Matrix in, WeightMatrix gate, Matrix gateBias, WeightMatrix up, Matrix upBias, Matrix out) {
        Matrix scratch = Matrix.allocate(Arena.ofAuto(), out.rows(), out.cols());
        matmulTransposed(in, Panels.dense(gate), out);
        matmulTransposed(in, Panels.dense(up), scratch);
        addBias(gateBias, out);
        addBias(upBias, scratch);
        geglu(out, scratch);
    }

    @Override
    public void sparseGeglu(Matrix in, WeightMatrix gate, WeightMatrix up, float deviations, Matrix out) {
        Matrix scratch = Matrix.allocate(Arena.ofAuto(), out.rows(), out.cols());
        matmulTransposed(in, Panels.dense(gate), out);
        matmulTransposed(in, Panels.dense(up), scratch);
        for (int r = 0; r < out.rows(); r++) {
            double mean = 0;
            double variance = 0;
            for (int c = 0; c < out.cols(); c++) {
                mean += get(out, r, c) / out.cols();
            }
            for (int c = 0; c < out.cols(); c++) {
                variance += (get(out, r, c) - mean) * (get(out, r, c) - mean) / out.cols();
            }
            for (int c = 0; c < out.cols(); c++) {
                set(out, r, c, Math.max(0, get(out, r, c) - mean - deviations * Math.sqrt(variance)));
            }
        }
        geglu(out, scratch);
    }

    @Override
    public void geglu(Matrix gate, Matrix up) {
        for (int r = 0; r < gate.rows(); r++) {
            for (int c = 0; c < gate.cols(); c++) {
                set(gate, r, c, geluTanh(get(gate, r, c)) * get(up, r, c));
            }
        }
    }

    @Override
    public void causalConv(
            Matrix in, int row, int count, Matrix taps, Matrix bias, @Nullable Matrix state, Matrix next, Matrix out) {
        int width = taps.rows();
        for (int c = 0; c < in.cols(); c++) {
            double[] inputs = new double[width - 1 + count];
            for (int i = 0; i < inputs.length; i++) {
                int past = i - (width - 1);
                inputs[i] = past >= 0 ? get(in, row + past, c) : state == null ? 0 : get(state, i, c);
            }
            for (int r = 0; r < count; r++) {
                double sum = get(bias, 0, c);
                for (int t = 0; t < width; t++) {
                    sum += get(taps, t, c) * inputs[r + t];
                }
                set(out, row + r, c, sum);
            }
            for (int i = 0; i < width - 1; i++) {
                set(next, i, c, inputs[count + i]);
            }
        }
    }

    @Override
    public void blockDiagonal(Matrix in, Matrix weights, Matrix bias, Matrix out) {
        int n = weights.cols();
        int k = in.cols() / (out.cols() / n);
        for (int block = 0; block < out.cols() / n; block++) {
            matmul(in.cols(block * k, k), weights.rows(block * k, k), out.cols(block * n, n));
        }
        addBias(bias, out);
    }

    @Override
    public void rgLru(
            Matrix in,
            Matrix inputGate,
            Matrix recurrenceGate,
            Matrix branch,
            int row,
            int count,
            Matrix rate,
            @Nullable Matrix state,
            Matrix next,
            Matrix out) {
        for (int c = 0; c < in.cols(); c++) {
            double h = state == null ? 0 : get(state, 0, c);
            for (int r = row; r < row + count; r++) {
                double input = sigmoid(get(inputGate, r, c)) * get(in, r, c);
                double decay = Math.exp(get(rate, 0, c) * sigmoid(get(recurrenceGate, r, c)));
                boolean first = state == null && r == row;
                h = first ? input : decay * h + Math.sqrt(1 - decay * decay) * input;
                set(out, r, c, h * geluTanh(get(branch, r, c)));
            }
            set(next, 0, c, h);
        }
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Override
    public void attend(Matrix query, Heads keys, Heads values, int firstSlot, int count, float softcap, Matrix out) {
        int headDim = keys.headDim();
        int heads = query.cols() / headDim;
        for (int h = 0; h < heads; h++) {
            int kvHead = h / (heads / keys.heads());
            double[] weights = new double[count];
            for (int i = 0; i < count; i++) {
                long key = offset(keys, (firstSlot + i) % keys.rows(), kvHead);
                for (int d = 0; d < headDim; d++) {
                    weights[i] += get(query, 0, h * headDim + d)
                            * (double) keys.type().get(keys.data(), key + d);
                }
            }
            softmax(weights, 0, count, softcap);
            for (int d = 0; d < headDim; d++) {
                double sum = 0;
                for (int i = 0; i < count; i++) {
                    long value = offset(values, (firstSlot + i) % values.rows(), kvHead);
                    sum += weights[i] * values.type().get(values.data(), value + d);
                }
                set(out, 0, h * headDim + d, sum);
            }
        }
    }

    @Override
    public void matmulTransposed(Matrix left, Matrix right, Matrix out) {
        double[][] lefts = widened(left);
        double[][] rights = widened(right);
        for (int m = 0; m < left.rows(); m++) {
            for (int n = 0; n < right.rows(); n++) {
                double sum = 0;
                for (int k = 0; k < left.cols(); k++) {
                    sum += lefts[m][k] * rights[n][k];
                }
                set(out, m, n, sum);
            }
        }
    }

    @Override
    public void matmul(Matrix left, Matrix right, Matrix out) {
        for (int m = 0; m < left.rows(); m++) {
            for (int n = 0; n < right.cols(); n++) {
                double sum = 0;
                for (int k = 0; k < left.cols(); k++) {
                    sum += get(left, m, k) * get(right, k, n);
                }
                set(out, m, n, sum);
            }
        }
    }

    @Override
    public void softcapSoftmax(Matrix scores, MemorySegment begin, MemorySegment end, float softcap) {
        for (int r = 0; r < scores.rows(); r++) {
            double[] row = new double[scores.cols()];
            for (int c = 0; c < row.length; c++) {
                row[c] = get(scores, r, c);
            }
            int from = begin.getAtIndex(ValueLayout.JAVA_INT, r);
            int to = end.getAtIndex(ValueLayout.JAVA_INT, r);
            softmax(row, from, to, softcap);
            for (int c = 0; c < row.length; c++) {
                set(scores, r, c, c >= from && c < to ? row[c] : 0);
            }
        }
    }

    @Override
    public void softcap(Matrix x, float cap) {
        for (int r = 0; r < x.rows(); r++) {
            for (int c = 0; c < x.cols(); c++) {
                set(x, r, c, cap * Math.tanh(get(x, r, c) / cap));
            }
        }
    }

    /// GELU in the tanh form: `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel 2016).
    static double geluTanh(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /// An element widened to double, whatever its type.
    public static double get(Matrix matrix, int row, int col) {
        long index = row * matrix.stride() + col;
        return switch (matrix.type()) {
            case F32 -> matrix.data().getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case BF16 -> Float.intBitsToFloat(matrix.data().getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
            case F16 -> Float.float16ToFloat(matrix.data().getAtIndex(ValueLayout.JAVA_SHORT, index));
        };
    }

    private static double[][] widened(Matrix matrix) {
        double[][] widened = new double[matrix.rows()][matrix.cols()];
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                widened[r][c] = get(matrix, r, c);
            }
        }
        return widened;
    }

    private static void set(Matrix matrix, int row, int col, double value) {
        matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, row * matrix.stride() + col, (float) value);
    }

    private static void put(Heads heads, long index, float value) {
        if (heads.type() == DataType.F32) {
            heads.data().setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
        } else {
            int bits = Float.floatToRawIntBits(value);
            short rounded = (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
            heads.data().setAtIndex(ValueLayout.JAVA_SHORT, index, rounded);
        }
    }

    private static long offset(Heads heads, int row, int head) {
        return row * heads.rowStride() + head * heads.headStride();
    }

    private static double inverseRms(Matrix in, int row, float epsilon) {
        double squares = 0;
        for (int c = 0; c < in.cols(); c++) {
            squares += get(in, row, c) * get(in, row, c);
        }
        return 1 / Math.sqrt(squares / in.cols() + epsilon);
    }

    private static void rotate(double[] x, @Nullable RopeTable rope, int row) {
        if (rope == null) {
            return;
        }
        int half = rope.cos().cols();
        for (int i = 0; i < half; i++) {
            double cos = get(rope.cos(), row, i);
            double sin = get(rope.sin(), row, i);
            double first = x[i];
            x[i] = first * cos - x[i + half] * sin;
            x[i + half] = x[i + half] * cos + first * sin;
        }
    }

    private static void softmax(double[] row, int from, int to, float cap) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            row[i] = cap > 0 ? cap * Math.tanh(row[i] / cap) : row[i];
            largest = Math.max(largest, row[i]);
        }
        double sum = 0;
        for (int i = from; i < to; i++) {
            row[i] = Math.exp(row[i] - largest);
            sum += row[i];
        }
        for (int i = from; i < to; i++) {
            row[i] /= sum;
        }
    }
}
