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
    /// Everything as the checkpoint stores it; only Q8_0 and Q4_0 of a GGUF file are laid out anew, without
    /// rounding.
    public static final WeightFormats STORED = new WeightFormats(null, null);

    /// `weights` in these formats. Norms stay as they are, and so does every matrix that has its format already,
    /// and the table of per-layer embeddings, of which only rows are ever read.
    ///
    /// @param arena  owns the small tables of projections
    /// @param memory gives the memory of new matrices
    Weights convert(Weights weights, Arena arena, SegmentAllocator memory, ConversionObserver observer) {
        long bytes = convertedBytes(weights);
        if (bytes == 0) {
            return weights;
        }
        observer.begin(bytes, storedBytes(weights));
        List<LayerWeights> converted = new ArrayList<>();
        for (LayerWeights layer : weights.layers()) {
            converted.add(
                    layer.withMatrices(arena, matrix -> convert(ofLayer(layer, matrix), matrix, memory, observer)));
        }
        UnaryOperator<WeightMatrix> change = matrix -> convert(effective(layers, matrix), matrix, memory, observer);
        PerLayerTable perLayer =
                weights.perLayer() == null ? null : weights.perLayer().withMatrices(arena, change);
        AltUpProjections altUp =
                weights.altUp() == null ? null : weights.altUp().withMatrices(arena, change);
        WeightMatrix stored = weights.head().parts().getFirst();
        WeightMatrix headWeights = convert(effective(head, stored), stored, memory, observer);
        return new Weights(
                weights.tiedHead() ? headWeights : weights.embedding(),
                new Projection(arena, List.of(headWeights)),
                weights.finalNorm(),
                converted,
                perLayer,
                altUp);
    }

    private static WeightMatrix convert(
            @Nullable WeightConversion conversion,
            WeightMatrix matrix,
            SegmentAllocator memory,
            ConversionObserver observer) {
        return conversion == null ? matrix : conversion.convert(matrix, memory, observer::read);
    }

    /// What becomes of a layer's matrix; null: it stays. Query, key and value of several types stay blocks, though
    /// there may be panels for one of them: one pass then streams all three.
    private @Nullable WeightConversion ofLayer(LayerWeights layer, WeightMatrix matrix) {
        Projection together = layer.inputProjection();
        boolean mixed = !together.isUniform() && together.parts().contains(matrix);
        return layers == null && mixed ? null : effective(layers, matrix);
    }

    /// What becomes of a matrix; null: it stays.
    private static @Nullable WeightConversion effective(@Nullable WeightConversion asked, WeightMatrix matrix) {
        WeightConversion conversion = asked == null ? WeightConversion.repacking(matrix) : asked;
        return conversion != null && conversion.changes(matrix) ? conversion : null;
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
        for (LayerWeights layer : weights.layers()) {
            layer.matrices().forEach(matrix -> visit(ofLayer(layer, matrix), matrix, visitor));
        }
        weights.besideLayers().forEach(matrix -> visit(effective(layers, matrix), matrix, visitor));
        WeightMatrix headWeights = weights.head().parts().getFirst();
        visit(effective(head, headWeights), headWeights, visitor);
    }

    private static void visit(@Nullable WeightConversion conversion, WeightMatrix matrix, Visitor visitor) {
        if (conversion != null) {
            visitor.visit(conversion, matrix);
        }
    }

    @FunctionalInterface
    private interface Visitor {
        void visit(WeightConversion conversion, WeightMatrix matrix);
    }
}
