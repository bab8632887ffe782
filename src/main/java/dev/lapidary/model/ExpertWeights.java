package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;

/// Weights of a layer's mixture of experts.
///
/// @param routerNorm `[1, embedding]`, the whole factor of the router's norm
/// @param router     `[experts, embedding]`
/// @param shares     `[1, experts]`, what multiplies the share of each
/// @param denseNorm  `[1, embedding]`, of the feed-forward's output before the mixture's is added
/// @param inputNorm  `[1, embedding]`, of what the experts read
/// @param experts    one after the other
/// @param outputNorm `[1, embedding]`, of the mixture's output
record ExpertWeights(
        Matrix routerNorm,
        Projection router,
        Matrix shares,
        Matrix denseNorm,
        Matrix inputNorm,
        List<Expert> experts,
        Matrix outputNorm) {
    ExpertWeights {
        experts = List.copyOf(experts);
    }

    /// Every matrix that may be converted, expert by expert. The router stays: it is small, and decides.
    List<WeightMatrix> matrices() {
        return experts.stream()
                .flatMap(expert -> List.of(
                        expert.gate(), expert.up(), expert.down().parts().getFirst())
                        .stream())
                .toList();
    }

    /// The same with what `change` makes of each of [#matrices], asked for in that order.
    ///
    /// @param arena owns the small tables of projections
    ExpertWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        List<Expert> changed = experts.stream()
                .map(expert -> new Expert(
                        change.apply(expert.gate()),
                        change.apply(expert.up()),
                        expert.down().map(arena, change)))
                .toList();
        return new ExpertWeights(routerNorm, router, shares, denseNorm, inputNorm, changed, outputNorm);
    }

    /// One feed-forward.
    ///
    /// @param gate `[neurons, embedding]`
    /// @param up   `[neurons, embedding]`
    /// @param down `[embedding, neurons]`
    record Expert(WeightMatrix gate, WeightMatrix up, Projection down) {}
}
