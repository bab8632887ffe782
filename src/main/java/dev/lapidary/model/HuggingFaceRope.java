package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;

/// The rotary embeddings that a `config.json` describes: `rope_theta`, `rope_local_base_freq` and `rope_scaling`, or
/// all of them nested under `rope_parameters` as newer files write them.
///
/// @param global of GLOBAL layers
/// @param local  of LOCAL layers; scaling does not reach it where it has a base of its own
record HuggingFaceRope(Rope global, Rope local) {
    private static final String NESTED = "rope_parameters";

    /// @param thetaDefault      `rope_theta` where no key says it
    /// @param localThetaDefault `rope_local_base_freq` where no key says it; 0 where there is no such key
    static HuggingFaceRope read(ConfigKeys keys, double thetaDefault, double localThetaDefault, int headDim)
            throws CheckpointException {
        double theta = keys.doubleValue("rope_theta", thetaDefault);
        double factor = keys.has("rope_scaling") ? factor(keys.object("rope_scaling")) : 1;
        double localTheta = localThetaDefault == 0 ? 0 : keys.doubleValue("rope_local_base_freq", localThetaDefault);
        double localFactor = localTheta == 0 ? factor : 1;
        if (keys.has(NESTED)) {
            ConfigKeys nested = keys.object(NESTED);
            boolean byType = nested.has("full_attention") || nested.has("sliding_attention");
            ConfigKeys full = byType ? nested.object("full_attention") : nested;
            theta = full.doubleValue("rope_theta", theta);
            factor = factor(full);
            localFactor = localTheta == 0 ? factor : 1;
            if (byType && nested.has("sliding_attention")) {
                ConfigKeys sliding = nested.object("sliding_attention");
                localTheta = sliding.doubleValue("rope_theta", localTheta);
                localFactor = factor(sliding);
            }
        }
        return new HuggingFaceRope(
                new Rope(theta, factor, headDim), new Rope(localTheta == 0 ? theta : localTheta, localFactor, headDim));
    }

    /// The divisor of positions that a scaling object asks for.
    private static double factor(ConfigKeys scaling) throws CheckpointException {
        String type = scaling.string("rope_type", scaling.string("type", "default"));
        return switch (type) {
            case "default" -> 1;
            case "linear" -> scaling.doubleValue("factor");
            default -> throw scaling.problem(scaling.has("rope_type") ? "rope_type" : "type", "default or linear");
        };
    }
}
