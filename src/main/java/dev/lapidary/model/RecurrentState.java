package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// What a recurrent block keeps of the tokens so far, F32.
///
/// @param inputs `[convolution - 1, width]`, the newest inputs of the convolution, oldest first
/// @param hidden `[1, width]`
record RecurrentState(Matrix inputs, Matrix hidden) {
    static RecurrentState allocate(LayerConfig layer, SegmentAllocator allocator) {
        int width = layer.queryCols();
        int past = layer.convolution() - 1;
        MemorySegment data = allocator.allocate(bytes(layer), Matrix.ALIGNMENT_BYTES);
        MemorySegment newest = data.asSlice((long) past * width * Float.BYTES);
        return new RecurrentState(
                Matrix.dense(data, DataType.F32, past, width), Matrix.dense(newest, DataType.F32, 1, width));
    }

    /// Bytes of one state; 0 in a layer of attention.
    static long bytes(LayerConfig layer) {
        return (long) layer.convolution() * layer.queryCols() * Float.BYTES;
    }

    void copyFrom(RecurrentState source) {
        copy(source.inputs, inputs);
        copy(source.hidden, hidden);
    }

    void fill(byte value) {
        for (Matrix matrix : new Matrix[] {inputs, hidden}) {
            matrix.data().asSlice(0, matrix.elementBytes()).fill(value);
        }
    }

    private static void copy(Matrix source, Matrix target) {
        target.data().asSlice(0, target.elementBytes()).copyFrom(source.data().asSlice(0, source.elementBytes()));
    }
}
