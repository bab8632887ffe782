package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Activations.PerLayer;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Embeddings per layer. Before the first layer, for all of them:
/// `inputs = (norm(projection(x) / sqrt(embedding)) + table[id] * sqrt(width)) / sqrt(2)` with x the token's embedding;
/// behind each layer `residual += norm(projection(gelu(gate(residual)) * input))`.
///
/// Source: huggingface/transformers 5.14, `models/gemma4/modeling_gemma4.py`, `project_per_layer_inputs`.
final class PerLayerInputs {
    private static final float ROOT_HALF = (float) Math.sqrt(0.5);

    private final float epsilon;
    private final float tableScale;
    private final float projectionEpsilon;
    private final PerLayerTable table;
    private final Weights weights;
    private final Kernels kernels;

    PerLayerInputs(GemmaConfig config, Weights weights, Kernels kernels) {
        this.weights = weights;
        this.kernels = kernels;
        table = Objects.requireNonNull(weights.perLayer());
        epsilon = config.normEpsilon();
        tableScale = (float) Math.sqrt(table.norm().cols() / 2.0);
        // A norm forgets the factor in front of it; all that is left of 1 / sqrt(embedding) is beside epsilon
        projectionEpsilon = epsilon * config.embedding();
    }

    /// Computes what every layer gets of the batch's tokens.
    ///
    /// @param ids         int32, of the batch
    /// @param activations whose residual stream holds the embedding
    void prepare(MemorySegment ids, Activations activations) {
        PerLayer views = of(activations);
        kernels.embed(table.table(), ids, tableScale, views.inputs);
        kernels.project(activations.residual, table.projection(), views.projected);
        kernels.headNormRope(
                views.projectedLayers, table.norm(), projectionEpsilon, null, ROOT_HALF, views.projectedLayers);
        kernels.add(views.projected, views.inputs);
    }

    /// Adds a layer's part to `activations.residual` `[seq, embedding]`.
    void forward(int layer, Activations activations) {
        PerLayer views = of(activations);
        PerLayerWeights own = Objects.requireNonNull(weights.layers().get(layer).perLayer());
        Matrix gate = views.gate;
        kernels.project(activations.residual, own.gate(), gate);
        kernels.geglu(gate, views.ofLayer(layer));
        kernels.project(gate, own.projection(), activations.branch);
        kernels.rmsNormAdd(activations.branch, own.norm(), epsilon, activations.residual);
    }

    private static PerLayer of(Activations activations) {
        return Objects.requireNonNull(activations.perLayer);
    }
}
