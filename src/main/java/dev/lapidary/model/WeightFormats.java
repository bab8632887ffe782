package dev.lapidary.model;

import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightConversion;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// In which formats a model's weights are to be held, whatever the checkpoint stores.
///
/// @param layers for the layers' matrices; null: as stored
/// @param head   for the matrix of the logits, and with it the embedding where they are one; null: as stored
public record WeightFormats(
        @Nullable WeightConversion layers, @Nullable WeightConversion head) {
    /// Everything as the checkpoint stores it.
    public static final WeightFormats STORED = new WeightFormats(null, null);

    /// `weights` in these formats. Norms stay as they are, and so does every matrix that has its format already.
    ///
    /// @param arena  owns the small tables of projections
    /// @param memory gives the memory of new matrices
    Weights convert(Weights weights, Arena arena, SegmentAllocator memory, ConversionObserver observer) {
        long bytes = convertedBytes(weights);
        if (bytes == 0) {
            return weights;
        }
        observer.begin(bytes, storedBytes(weights));
        UnaryOperator<WeightMatrix> toLayers = matrix -> convert(layers, matrix, memory, observer);
        UnaryOperator<WeightMatrix> toHead = matrix -> convert(head, matrix, memory, observer);
        List<LayerWeights> converted = new ArrayList<>();
        for (LayerWeights layer : weights.layers()) {
            converted.add(layer.withMatrices(arena, toLayers));
        }
        WeightMatrix headWeights = toHead.apply(weights.head().parts().getFirst());
        return new Weights(
                weights.tiedHead() ? headWeights : weights.embedding(),
                new Projection(arena, List.of(headWeights)),
                weights.finalNorm(),
                converted);
    }

    private static WeightMatrix convert(
            @Nullable WeightConversion conversion,
            WeightMatrix matrix,
            SegmentAllocator memory,
            ConversionObserver observer) {
        return conversion != null && conversion.changes(matrix)
                ? conversion.convert(matrix, memory, observer::read)
                : matrix;
    }

    /// Bytes that new matrices take.
    long convertedBytes(Weights weights) {
        long[] bytes = {0};
        visit(weights, (conversion, matrix) -> bytes[0] += conversion.bytes(matrix));
        return bytes[0];
    }

    /// Bytes of the stored matrices that new ones are made of.
    private long storedBytes(Weights weights) {
        long[] bytes = {0};
        visit(weights, (_, matrix) -> bytes[0] += matrix.elementBytes());
        return bytes[0];
    }

    private void visit(Weights weights, Visitor visitor) {
        if (layers != null) {
            for (LayerWeights layer : weights.layers()) {
                layer.matrices().filter(layers::changes).forEach(matrix -> visitor.visit(layers, matrix));
            }
        }
        WeightMatrix headWeights = weights.head().parts().getFirst();
        if (head != null && head.changes(headWeights)) {
            visitor.visit(head, headWeights);
        }
    }

    @FunctionalInterface
    private interface Visitor {
        void visit(WeightConversion conversion, WeightMatrix matrix);
    }
}
