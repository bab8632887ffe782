package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;

/// What a recurrent block has between its input projection (x, then y) and its output projection. All F32 but the
/// gates' weights, which are as the checkpoint stores them.
///
/// @param inputBias          `[1, 2 * width]`, on x and y
/// @param taps               `[convolution, width]`, the last one for the current token
/// @param tapBias            `[1, width]`
/// @param inputGate          `[width, headDim]`: a head's `[in, out]` below another
/// @param inputGateBias      `[1, width]`
/// @param recurrenceGate     as `inputGate`
/// @param recurrenceGateBias `[1, width]`
/// @param rate               `[1, width]`: the logarithm of the decay per token with an open gate, below 0
record RecurrenceWeights(
        Matrix inputBias,
        Matrix taps,
        Matrix tapBias,
        Matrix inputGate,
        Matrix inputGateBias,
        Matrix recurrenceGate,
        Matrix recurrenceGateBias,
        Matrix rate) {}
