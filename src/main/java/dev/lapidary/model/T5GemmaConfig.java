package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import org.jspecify.annotations.Nullable;

/// What a Hugging Face `config.json` says of T5Gemma: two stacks of Gemma 2's layers, of which the second attends to
/// what the first makes of a text.
///
/// Source: huggingface/transformers 4.57, `models/t5gemma/configuration_t5gemma.py` and `modeling_t5gemma.py`.
///
/// @param encoder sees both ways, a LOCAL layer as many keys to either side as its window
/// @param decoder predicts tokens
record T5GemmaConfig(GemmaConfig encoder, GemmaConfig decoder) {
    static final String MODEL_TYPE = "t5gemma";

    private static final String CROSS_WIDTH = "cross_attention_hidden_size";

    /// Reads both.
    static T5GemmaConfig read(ConfigKeys config, @Nullable ConfigKeys generationConfig) throws CheckpointException {
        HuggingFaceDefaults defaults = HuggingFaceDefaults.GEMMA2;
        GemmaConfig encoder = HuggingFaceConfig.readHalf(config, "encoder", defaults, null);
        GemmaConfig decoder = HuggingFaceConfig.readHalf(config, "decoder", defaults, generationConfig);
        ConfigKeys half = config.object("decoder");
        if (half.intValue(CROSS_WIDTH, encoder.embedding()) != encoder.embedding()) {
            throw half.problem(CROSS_WIDTH, "%d as encoder.hidden_size says".formatted(encoder.embedding()));
        }
        if (!config.booleanValue("is_encoder_decoder", true)) {
            throw config.problem("is_encoder_decoder", "true");
        }
        HuggingFaceConfig.refuseUnread(config);
        return new T5GemmaConfig(
                encoder.withLayers(LayerConfig::seeingBothWays),
                decoder.withLayers(layer -> layer.attendingTo(encoder.embedding())));
    }
}
