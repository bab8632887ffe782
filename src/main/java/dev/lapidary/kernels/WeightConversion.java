package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Makes weights of another format out of stored ones, on all threads, and gives back the pages of what it has read: so
/// there are never two copies of more than a slice.
public final class WeightConversion {
    /// Stored bytes converted at a time: enough for all threads, little beside any model.
    private static final long SLICE_BYTES = 16 << 20;

    private final @Nullable DataType type;
    private final @Nullable BlockFormat blockFormat;

    private WeightConversion(@Nullable DataType type, @Nullable BlockFormat blockFormat) {
        this.type = type;
        this.blockFormat = blockFormat;
    }

    /// To dense elements of `type`, rounded to the nearest.
    ///
    /// @throws IllegalArgumentException for F16, whose range weights may exceed
    public static WeightConversion to(DataType type) {
        if (type == DataType.F16) {
            throw new IllegalArgumentException("weights: got F16, need F32, BF16, Q8_0 or Q4_0");
        }
        return new WeightConversion(type, null);
    }

    /// To blocks in panels, quantized as GGUF's reference does.
    public static WeightConversion to(BlockFormat format) {
        return new WeightConversion(null, format);
    }

    /// Whether the matrix becomes another one: not if it is of that format, or has columns that are no whole blocks.
    public boolean changes(WeightMatrix stored) {
        return blockFormat == null
                ? !stored.format().equals(String.valueOf(type))
                : !stored.format().equals(blockFormat.name()) && BlockFormat.fits(stored.cols());
    }

    /// Bytes of the matrix in the new format.
    public long bytes(WeightMatrix stored) {
        if (blockFormat != null) {
            return blockFormat.packedBytes(stored.rows(), stored.cols());
        }
        return (long) stored.rows() * stored.cols() * (type == DataType.F32 ? Float.BYTES : Short.BYTES);
    }

    /// The matrix in the new format. Where `stored` lay, nothing can be read afterwards that no file holds.
    ///
    /// @param memory   gives its memory, aligned to [Matrix#ALIGNMENT_BYTES]
    /// @param progress told the stored bytes done, slice by slice
    public WeightMatrix convert(WeightMatrix stored, SegmentAllocator memory, LongConsumer progress) {
        MemorySegment data = memory.allocate(bytes(stored), Matrix.ALIGNMENT_BYTES);
        WeightMatrix made = blockFormat != null
                ? new PackedMatrix(data, blockFormat, stored.rows(), stored.cols())
                : Matrix.dense(data, type == DataType.F32 ? DataType.F32 : DataType.BF16, stored.rows(), stored.cols());
        long rowBytes = Math.max(1, stored.elementBytes() / stored.rows());
        int panels = (int) Math.max(1, SLICE_BYTES / rowBytes / PackedMatrix.PANEL_ROWS);
        int sliceRows = Math.min(panels * PackedMatrix.PANEL_ROWS, stored.rows());
        try (GrowingScratch wide = new GrowingScratch()) {
            for (int from = 0; from < stored.rows(); from += sliceRows) {
                int first = from;
                int count = Math.min(sliceRows, stored.rows() - from);
                DriverThread.run(() -> convertRows(stored, made, first, count, wide));
                progress.accept(count * rowBytes);
            }
        }
        return made;
    }

    private static void convertRows(WeightMatrix stored, WeightMatrix made, int from, int count, GrowingScratch wide) {
        switch (stored) {
            case Matrix dense -> {
                Matrix rows = dense.rows(from, count);
                boolean narrows = made instanceof Matrix && rows.type() == DataType.F16;
                write(narrows ? widened(rows, wide) : rows, made, from);
                release(rows.data(), rows.elementBytes());
            }
            case PackedMatrix packed -> {
                Matrix rows = scratch(count, packed.cols(), wide);
                PackedMatmul.widen(packed, from, rows);
                write(rows, made, from);
            }
        }
    }

    private static void write(Matrix rows, WeightMatrix made, int from) {
        switch (made) {
            case PackedMatrix packed -> pack(rows, packed, from);
            case Matrix dense -> {
                Matrix out = dense.rows(from, rows.rows());
                if (dense.type() == DataType.F32) {
                    Gemm.widen(rows, out);
                } else {
                    gemma_narrow_bf16(out.data(), out.stride(), rows.data(), rows.stride(), rows.rows(), rows.cols());
                }
            }
        }
    }

    private static void pack(Matrix in, PackedMatrix packed, int from) {
        MemorySegment out = packed.panels().asSlice(packed.blockFormat().packedBytes(from, packed.cols()));
        MemorySegment data = in.data();
        long stride = in.stride();
        switch (packed.blockFormat()) {
            case Q8_0 -> {
                switch (in.type()) {
                    case F32 -> gemma_pack_q8_0_f32(out, data, stride, in.rows(), in.cols());
                    case BF16 -> gemma_pack_q8_0_bf16(out, data, stride, in.rows(), in.cols());
                    case F16 -> gemma_pack_q8_0_f16(out, data, stride, in.rows(), in.cols());
                }
            }
            case Q4_0 -> {
                switch (in.type()) {
                    case F32 -> gemma_pack_q4_0_f32(out, data, stride, in.rows(), in.cols());
                    case BF16 -> gemma_pack_q4_0_bf16(out, data, stride, in.rows(), in.cols());
                    case F16 -> gemma_pack_q4_0_f16(out, data, stride, in.rows(), in.cols());
                }
            }
        }
    }

    private static Matrix widened(Matrix rows, GrowingScratch wide) {
        Matrix out = scratch(rows.rows(), rows.cols(), wide);
        Gemm.widen(rows, out);
        return out;
    }

    private static Matrix scratch(int rows, int cols, GrowingScratch wide) {
        return Matrix.dense(wide.atLeast((long) rows * cols * Float.BYTES), DataType.F32, rows, cols);
    }

    private static void release(MemorySegment data, long bytes) {
        gemma_release_pages(data, bytes);
    }
}
