package dev.lapidary.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Writes a [GemmaConfig] as the `config.json` of a text model, as transformers' `Gemma{,2,3Text}Config` take it.
final class HuggingFaceConfigKeys {
    private HuggingFaceConfigKeys() {}

    /// The keys of `config`.
    ///
    /// @param dtype    `bfloat16`, `float16` or `float32`
    /// @param tiedHead whether the head is the embedding table
    static SequencedMap<String, Object> of(GemmaConfig config, String dtype, boolean tiedHead) {
        LayerConfig first = config.layers().getFirst();
        String family = GgufConfigKeys.architecture(config);
        SequencedMap<String, Object> keys = new LinkedHashMap<>();
        keys.put(
                "architectures",
                List.of(
                        switch (family) {
                            case "gemma3" -> "Gemma3ForCausalLM";
                            case "gemma2" -> "Gemma2ForCausalLM";
                            default -> "GemmaForCausalLM";
                        }));
        keys.put("model_type", family.equals("gemma3") ? "gemma3_text" : family);
        keys.put("vocab_size", config.vocab());
        keys.put("hidden_size", config.embedding());
        keys.put("intermediate_size", first.neurons());
        keys.put("num_hidden_layers", config.layers().size());
        keys.put("num_attention_heads", first.heads());
        keys.put("num_key_value_heads", first.kvHeads());
        keys.put("head_dim", first.headDim());
        keys.put("hidden_act", "gelu_pytorch_tanh");
        keys.put("hidden_activation", "gelu_pytorch_tanh");
        keys.put("max_position_embeddings", config.maxPositions());
        keys.put("rms_norm_eps", decimal(config.normEpsilon()));
        keys.put("tie_word_embeddings", tiedHead);
        keys.put("bos_token_id", config.bosId());
        keys.put("eos_token_id", config.stopIds().size() == 1 ? config.stopIds().getFirst() : config.stopIds());
        keys.put("attention_bias", false);
        keys.put("torch_dtype", dtype);
        rope(config, family, keys);
        if (!family.equals("gemma")) {
            later(config, keys);
        }
        return keys;
    }

    private static void rope(GemmaConfig config, String family, SequencedMap<String, Object> keys) {
        Rope global =
                rope(config, AttentionType.GLOBAL, config.layers().getFirst().rope());
        keys.put("rope_theta", global.theta());
        boolean ownLocal = family.equals("gemma3");
        if (ownLocal) {
            Rope local = rope(config, AttentionType.LOCAL, new Rope(1e4, 1, global.dims()));
            if (local.factor() != 1) {
                throw new IllegalArgumentException(
                        "rope: got a factor of %s in local layers, need 1".formatted(local.factor()));
            }
            keys.put("rope_local_base_freq", local.theta());
        }
        if (global.factor() != 1) {
            keys.put("rope_scaling", Map.of("rope_type", "linear", "factor", global.factor()));
        }
    }

    private static Rope rope(GemmaConfig config, AttentionType type, Rope absent) {
        return config.layers().stream()
                .filter(layer -> layer.attention() == type)
                .map(LayerConfig::rope)
                .findFirst()
                .orElse(absent);
    }

    /// What Gemma 2 brought.
    private static void later(GemmaConfig config, SequencedMap<String, Object> keys) {
        LayerConfig first = config.layers().getFirst();
        keys.put("query_pre_attn_scalar", scalar(first.queryScale()));
        keys.put("attn_logit_softcapping", first.softcap() == 0 ? null : decimal(first.softcap()));
        keys.put("final_logit_softcapping", config.finalSoftcap() == 0 ? null : decimal(config.finalSoftcap()));
        int window =
                config.layers().stream().mapToInt(LayerConfig::window).max().orElse(0);
        if (window != 0) {
            keys.put("sliding_window", window);
        }
        keys.put(
                "layer_types",
                config.layers().stream()
                        .map(layer -> layer.attention() == AttentionType.LOCAL ? "sliding_attention" : "full_attention")
                        .toList());
    }

    /// The whole number whose inverse root the scale is, if there is one that gives it to the bit.
    private static Number scalar(float scale) {
        double exact = 1 / ((double) scale * scale);
        long whole = Math.round(exact);
        return (float) (1 / Math.sqrt((double) whole)) == scale ? (Number) whole : (Number) exact;
    }

    /// As a person would write it: 1e-6, not the double beside it.
    private static double decimal(float value) {
        return Double.parseDouble(Float.toString(value));
    }
}
