package dev.lapidary.vision;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.vision.VisionConfig.Projector;
import java.util.Map;
import java.util.Set;

/// Reads the image side of a Hugging Face `config.json`. Each key of `vision_config` is used, known to say nothing
/// about the arithmetic, or refused by name; an absent key has the reference's default.
///
/// Source: huggingface/transformers 5.14, `models/{siglip,gemma3,paligemma}/configuration_*.py`.
final class VisionConfigReader {
    private static final String VISION = "vision_config";

    /// Whose towers are SigLIP's, and whether their patches are pooled.
    private static final Map<String, Boolean> POOLED_BY_MODEL_TYPE =
            Map.of("gemma3", true, "shieldgemma2", true, "paligemma", false);

    private static final Set<String> NO_ARITHMETIC = Set.of(
            "_attn_implementation",
            "_attn_implementation_autoset",
            "_name_or_path",
            "architectures",
            "attention_dropout",
            "chunk_size_feed_forward",
            "dtype",
            "id2label",
            "initializer_range",
            "label2id",
            "model_type",
            "num_image_tokens",
            "num_positions",
            "output_attentions",
            "output_hidden_states",
            "problem_type",
            "projector_hidden_act",
            "return_dict",
            "torch_dtype",
            "transformers_version");

    private final ConfigKeys outer;
    private final ConfigKeys keys;
    private final int embedding;

    private VisionConfigReader(ConfigKeys outer, int embedding) throws CheckpointException {
        this.outer = outer;
        this.embedding = embedding;
        keys = outer.object(VISION);
    }

    /// @param config    the content of `config.json`, which has a `vision_config`
    /// @param embedding width of the text model
    static VisionConfig read(ConfigKeys config, int embedding) throws CheckpointException {
        try {
            return new VisionConfigReader(config, embedding).read();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("%s: %s: %s".formatted(config.source(), VISION, e.getMessage()), e);
        }
    }

    private VisionConfig read() throws CheckpointException {
        requireImplemented();
        boolean pooled = pooled();
        int imageSize = keys.intValue("image_size", 224);
        int patchSize = keys.intValue("patch_size", 16);
        int side = imageSize / Math.max(patchSize, 1);
        VisionConfig config = new VisionConfig(
                imageSize,
                patchSize,
                keys.intValue("num_channels", 3),
                keys.intValue("hidden_size", 768),
                keys.intValue("intermediate_size", 3072),
                keys.intValue("num_hidden_layers", 12),
                keys.intValue("num_attention_heads", 12),
                (float) keys.doubleValue("layer_norm_eps", 1e-6),
                pooled ? Projector.POOLED : Projector.LINEAR,
                pooled ? outer.intValue("mm_tokens_per_image", 256) : side * side,
                embedding,
                id("image_token", pooled ? 262144 : 256000),
                pooled ? id("boi_token", 255999) : -1,
                pooled ? id("eoi_token", 256000) : -1);
        int projection = keys.intValue("projection_dim", embedding);
        if (!pooled && projection != embedding) {
            throw keys.problem("projection_dim", "%d, the width of the text model".formatted(embedding));
        }
        refuseUnread();
        return config;
    }

    /// Whether a model of that type has a tower that is read.
    static boolean reads(String modelType) {
        return POOLED_BY_MODEL_TYPE.containsKey(modelType);
    }

    private boolean pooled() throws CheckpointException {
        Boolean pooled = POOLED_BY_MODEL_TYPE.get(outer.string("model_type"));
        if (pooled == null) {
            throw outer.problem("model_type", "gemma3, shieldgemma2 or paligemma beside a " + VISION);
        }
        return pooled;
    }

    /// The id of a token, which older files call an index.
    private int id(String name, int absent) throws CheckpointException {
        return outer.intValue(name + "_id", outer.intValue(name + "_index", absent));
    }

    private void requireImplemented() throws CheckpointException {
        if (!keys.string("model_type", "siglip_vision_model").equals("siglip_vision_model")) {
            throw keys.problem("model_type", "siglip_vision_model");
        }
        if (!keys.string("hidden_act", "gelu_pytorch_tanh").equals("gelu_pytorch_tanh")) {
            throw keys.problem("hidden_act", "gelu_pytorch_tanh");
        }
        if (keys.booleanValue("vision_use_head", false)) {
            throw keys.problem("vision_use_head", "false");
        }
    }

    private void refuseUnread() throws CheckpointException {
        for (String key : keys.unread()) {
            if (!NO_ARITHMETIC.contains(key.substring(key.lastIndexOf('.') + 1))) {
                throw new CheckpointException(
                        "%s: %s: got a key this version does not know, need one it does, since it may change the results"
                                .formatted(outer.source(), key));
            }
        }
    }
}
