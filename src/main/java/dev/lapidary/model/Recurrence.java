package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import org.jspecify.annotations.Nullable;

/// The recurrent block of Griffin (De et al. 2024): `rgLru(conv(x)) * gelu(y)`. What a token knows of those before it
/// is a state of constant size.
final class Recurrence implements TokenMixer {
    private final int index;
    private final RecurrenceWeights weights;
    private final Kernels kernels;

    Recurrence(int index, RecurrenceWeights weights, Kernels kernels) {
        this.index = index;
        this.weights = weights;
        this.kernels = kernels;
    }

    @Override
    public void forward(Batch batch, Activations activations, Workspace.AttentionScratch scratch) {
        Activations.RecurrentLayer layer = activations.recurrence(index);
        kernels.addBias(weights.inputBias(), layer.projected);
        for (int i = 0; i < batch.runs(); i++) {
            Batch.Run run = batch.run(i);
            RecurrentState before = run.cache().stateBefore(index);
            kernels.causalConv(
                    layer.x,
                    run.row(),
                    run.rows(),
                    weights.taps(),
                    weights.tapBias(),
                    inputs(before),
                    run.cache().stateAfter(index).inputs(),
                    layer.convolved);
        }
        kernels.blockDiagonal(layer.convolved, weights.inputGate(), weights.inputGateBias(), layer.inputGate);
        kernels.blockDiagonal(
                layer.convolved, weights.recurrenceGate(), weights.recurrenceGateBias(), layer.recurrenceGate);
        for (int i = 0; i < batch.runs(); i++) {
            Batch.Run run = batch.run(i);
            kernels.rgLru(
                    layer.convolved,
                    layer.inputGate,
                    layer.recurrenceGate,
                    layer.y,
                    run.row(),
                    run.rows(),
                    weights.rate(),
                    hidden(run.cache().stateBefore(index)),
                    run.cache().stateAfter(index).hidden(),
                    layer.mixed);
        }
    }

    private static @Nullable Matrix inputs(@Nullable RecurrentState state) {
        return state == null ? null : state.inputs();
    }

    private static @Nullable Matrix hidden(@Nullable RecurrentState state) {
        return state == null ? null : state.hidden();
    }
}
