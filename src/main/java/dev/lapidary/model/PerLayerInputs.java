package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Activations.PerLayer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Embeddings per layer. Before the first layer, for all of them:
/// `inputs = (norm(projection(x) / sqrt(embedding)) + table[id] * sqrt(width)) / sqrt(2)` with x the token's embedding;
/// behind each layer `residual += norm(projection(gelu(gate(residual)) * input))`.
///
/// Source: huggingface/transformers 5.14, `models/gemma4/modeling_gemma4.py`, `project_per_layer_inputs`, and
/// `models/gemma3n/modeling_gemma3n.py`.
final class PerLayerInputs {
    private static final float ROOT_HALF = (float) Math.sqrt(0.5);

    private final float epsilon;
    private final float tableScale;
    private final float projectionEpsilon;
    private final PerLayerTable table;
    private final Weights weights;
    private final Kernels kernels;
    private final @Nullable StreamScratch streams;
    private final MemorySegment rows;

    PerLayerInputs(GemmaConfig config, Weights weights, Kernels kernels, Workspace workspace) {
        streams = workspace.streams;
        rows = workspace.perLayerIds;
        this.weights = weights;
        this.kernels = kernels;
        table = Objects.requireNonNull(weights.perLayer());
        epsilon = config.normEpsilon();
        tableScale = (float) Math.sqrt(table.norm().cols() / 2.0);
        // A norm forgets the factor in front of it; all that is left of 1 / sqrt(embedding) is beside epsilon
        projectionEpsilon = epsilon * config.embedding();
    }

    /// Computes what every layer gets of the batch's tokens. Those that the table has no row for, which stand for what
    /// is no text, get the first one.
    ///
    /// @param ids         int32, of the batch
    /// @param activations whose residual stream holds the embedding
    void prepare(MemorySegment ids, Activations activations) {
        PerLayer views = of(activations);
        for (int i = 0; i < views.inputs.rows(); i++) {
            int id = ids.getAtIndex(ValueLayout.JAVA_INT, i);
            rows.setAtIndex(ValueLayout.JAVA_INT, i, id < table.table().rows() ? id : 0);
        }
        kernels.embed(table.table(), rows, tableScale, views.inputs);
        kernels.project(activations.residual, table.projection(), views.projected);
        kernels.headNormRope(
                views.projectedLayers, table.norm(), projectionEpsilon, null, ROOT_HALF, views.projectedLayers);
        kernels.add(views.projected, views.inputs);
    }

    /// Adds a layer's part to the residual stream `[seq, embedding]`; where it is one of several, to all but it.
    void forward(int layer, Activations activations) {
        PerLayer views = of(activations);
        LayerWeights all = weights.layers().get(layer);
        PerLayerWeights own = Objects.requireNonNull(all.perLayer());
        Matrix seen = activations.residual;
        if (all.altUp() != null && all.altUp().outputScale() != null) {
            seen = activations.normed;
            kernels.multiply(activations.residual, all.altUp().outputScale(), seen);
        }
        Matrix gate = views.gate;
        kernels.project(seen, own.gate(), gate);
        kernels.geglu(gate, views.ofLayer(layer));
        kernels.project(gate, own.projection(), activations.branch);
        if (streams == null) {
            kernels.rmsNormAdd(activations.branch, own.norm(), epsilon, activations.residual);
        } else {
            kernels.rmsNorm(activations.branch, own.norm(), epsilon, activations.branch);
            List<Matrix> others = streams.views(seen.rows()).others;
            for (int i = 0; i < others.size(); i++) {
                kernels.add(activations.branch, others.get(i));
            }
        }
    }

    private static PerLayer of(Activations activations) {
        return Objects.requireNonNull(activations.perLayer);
    }
}
