package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// Stored weights as the bytes that a file of another type has, slice by slice on all threads: widened exactly, then
/// rounded once. Pages of what was read are given back, so that a mapped model never lies in memory as a whole.
public final class WeightEncoder implements AutoCloseable {
    /// Bytes of a slice once it is F32: all that is held at a time, twice at most.
    private static final long SLICE_BYTES = 8 << 20;

    private final String format;
    private final @Nullable DataType type;
    private final @Nullable BlockFormat blockFormat;
    private final GrowingScratch wide;
    private final GrowingScratch encoded;

    /// Takes what was encoded.
    @FunctionalInterface
    public interface Sink {
        /// Takes the next rows.
        ///
        /// @param bytes       as a file has them; gone when this returns
        /// @param storedBytes that they were made of
        void accept(MemorySegment bytes, long storedBytes) throws IOException;
    }

    private WeightEncoder(String format, @Nullable DataType type, @Nullable BlockFormat blockFormat) {
        this.format = format;
        this.type = type;
        this.blockFormat = blockFormat;
        NativeLibrary.kernels();
        wide = new GrowingScratch();
        encoded = new GrowingScratch();
    }

    /// To dense elements, rounded to the nearest, ties to even.
    ///
    /// @throws LinkageError if the kernels cannot be loaded
    public static WeightEncoder to(DataType type) {
        return new WeightEncoder(type.name(), type, null);
    }

    /// To blocks as GGUF files have them, quantized as ggml's reference does, to the bit.
    ///
    /// @throws LinkageError if the kernels cannot be loaded
    public static WeightEncoder to(BlockFormat format) {
        return new WeightEncoder(format.name(), null, format);
    }

    /// Encodes all rows of `stored`, whose columns are whole blocks where blocks are to be made. Rows of the same
    /// format are handed on as they are. Where `stored` lay, nothing can be read afterwards that no file holds.
    ///
    /// @throws ArithmeticException for a value that F16 cannot hold, if that is what is made
    public void encode(WeightMatrix stored, Sink sink) throws IOException {
        long wideRowBytes = (long) stored.cols() * Float.BYTES;
        int most = Math.clamp(SLICE_BYTES / wideRowBytes, 1, Math.max(1, stored.rows()));
        for (int from = 0; from < stored.rows(); from += most) {
            WeightMatrix slice = rows(stored, from, Math.min(most, stored.rows() - from));
            MemorySegment in = elements(slice);
            MemorySegment out = slice.format().equals(format) ? in : DriverThread.call(() -> encoded(slice));
            sink.accept(out, slice.elementBytes());
            DriverThread.run(() -> gemma_release_pages(in, in.byteSize()));
        }
    }

    private static WeightMatrix rows(WeightMatrix stored, int from, int count) {
        return switch (stored) {
            case Matrix dense -> dense.rows(from, count);
            case BlockMatrix blocks -> blocks.rows(from, count);
            case PackedMatrix _ -> throw new IllegalArgumentException("stored: got panels, need what a file holds");
        };
    }

    private static MemorySegment elements(WeightMatrix slice) {
        return switch (slice) {
            case Matrix dense -> dense.data().asSlice(0, dense.elementBytes());
            case BlockMatrix blocks -> blocks.blocks().asSlice(0, blocks.elementBytes());
            case PackedMatrix packed -> packed.panels();
        };
    }

    private MemorySegment encoded(WeightMatrix slice) {
        gemma_set_threads(Runtime.getRuntime().availableProcessors());
        Matrix values = Matrix.dense(
                wide.atLeast((long) slice.rows() * slice.cols() * Float.BYTES),
                DataType.F32,
                slice.rows(),
                slice.cols());
        if (slice instanceof BlockMatrix blocks) {
            Gemm.widen(blocks, values);
        } else if (slice instanceof Matrix dense) {
            if (dense.type() == DataType.F32) {
                values = dense;
            } else {
                Gemm.widen(dense, values);
            }
        }
        return blockFormat != null ? blocks(values, blockFormat) : elements(values);
    }

    private MemorySegment blocks(Matrix values, BlockFormat made) {
        BlockType blockType = BlockType.valueOf(made.name());
        long bytes = blockType.bytes(values.rows(), values.cols());
        MemorySegment out = encoded.atLeast(bytes).asSlice(0, bytes);
        MemorySegment in = values.data();
        switch (made) {
            case Q8_0 -> gemma_quantize_blocks_q8_0(out, in, values.stride(), values.rows(), values.cols());
            case Q4_0 -> gemma_quantize_blocks_q4_0(out, in, values.stride(), values.rows(), values.cols());
        }
        return out;
    }

    private MemorySegment elements(Matrix values) {
        long count = (long) values.rows() * values.cols();
        if (type == DataType.F32) {
            return values.data().asSlice(0, count * Float.BYTES);
        }
        MemorySegment out = encoded.atLeast(count * Short.BYTES).asSlice(0, count * Short.BYTES);
        if (type == DataType.BF16) {
            gemma_narrow_bf16(out, values.cols(), values.data(), values.stride(), values.rows(), values.cols());
        } else {
            narrowF16(values.data(), out, count);
        }
        return out;
    }

    private static void narrowF16(MemorySegment in, MemorySegment out, long count) {
        for (long i = 0; i < count; i++) {
            float value = in.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            short half = Float.floatToFloat16(value);
            if ((half & 0x7fff) == 0x7c00) {
                throw new ArithmeticException("got the value %s, need at most 65504 in F16".formatted(value));
            }
            out.setAtIndex(ValueLayout.JAVA_SHORT, i, half);
        }
    }

    @Override
    public void close() {
        wide.close();
        encoded.close();
    }
}
