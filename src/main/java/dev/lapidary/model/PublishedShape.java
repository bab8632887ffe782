package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.util.Arrays;
import java.util.Collections;
import java.util.stream.Collectors;

/// The published sizes of the family, as their `config.json` files say them; keys left out have the reference's
/// default.
public enum PublishedShape {
    /// Gemma 1, 2B.
    GEMMA_1_2B("gemma-1-2b", """
        {"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers": 18,
         "num_attention_heads": 8, "num_key_value_heads": 1}\
        """),
    /// Gemma 1, 7B.
    GEMMA_1_7B("gemma-1-7b", """
        {"model_type": "gemma", "hidden_size": 3072, "intermediate_size": 24576, "num_hidden_layers": 28,
         "num_attention_heads": 16, "num_key_value_heads": 16}\
        """),
    /// Gemma 2, 2B.
    GEMMA_2_2B("gemma-2-2b", """
        {"model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
         "num_attention_heads": 8, "num_key_value_heads": 4}\
        """),
    /// Gemma 2, 9B.
    GEMMA_2_9B("gemma-2-9b", """
        {"model_type": "gemma2", "hidden_size": 3584, "intermediate_size": 14336, "num_hidden_layers": 42,
         "num_attention_heads": 16, "num_key_value_heads": 8}\
        """),
    /// Gemma 2, 27B.
    GEMMA_2_27B("gemma-2-27b", """
        {"model_type": "gemma2", "hidden_size": 4608, "intermediate_size": 36864, "num_hidden_layers": 46,
         "num_attention_heads": 32, "num_key_value_heads": 16, "head_dim": 128, "query_pre_attn_scalar": 144}\
        """),
    /// Gemma 3, 270M.
    GEMMA_3_270M("gemma-3-270m", """
        {"model_type": "gemma3_text", "vocab_size": 262144, "hidden_size": 640, "intermediate_size": 2048,
         "num_hidden_layers": 18, "num_attention_heads": 4, "num_key_value_heads": 1, "sliding_window": 512,
         "max_position_embeddings": 32768}\
        """),
    /// Gemma 3, 1B.
    GEMMA_3_1B("gemma-3-1b", """
        {"model_type": "gemma3_text", "vocab_size": 262144, "hidden_size": 1152, "intermediate_size": 6912,
         "num_hidden_layers": 26, "num_attention_heads": 4, "num_key_value_heads": 1, "sliding_window": 512,
         "max_position_embeddings": 32768}\
        """),
    /// Gemma 3, 4B, with its tower.
    GEMMA_3_4B("gemma-3-4b", """
        {"model_type": "gemma3", "text_config": {
         "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34, "num_attention_heads": 8,
         "num_key_value_heads": 4, "sliding_window": 1024, "rope_scaling": {"rope_type": "linear", "factor": 8}},
        """ + Tower.of(896)),
    /// Gemma 3, 12B, with its tower.
    GEMMA_3_12B("gemma-3-12b", """
        {"model_type": "gemma3", "text_config": {
         "hidden_size": 3840, "intermediate_size": 15360, "num_hidden_layers": 48, "num_attention_heads": 16,
         "num_key_value_heads": 8, "sliding_window": 1024, "rope_scaling": {"rope_type": "linear", "factor": 8}},
        """ + Tower.of(896)),
    /// Gemma 3, 27B, with its tower.
    GEMMA_3_27B("gemma-3-27b", """
        {"model_type": "gemma3", "text_config": {
         "hidden_size": 5376, "intermediate_size": 21504, "num_hidden_layers": 62, "num_attention_heads": 32,
         "num_key_value_heads": 16, "head_dim": 128, "query_pre_attn_scalar": 168, "sliding_window": 1024,
         "rope_scaling": {"rope_type": "linear", "factor": 8}},
        """ + Tower.of(896)),
    /// EmbeddingGemma, 300M.
    EMBEDDING_GEMMA_300M("embeddinggemma-300m", """
        {"model_type": "gemma3_text", "vocab_size": 262144, "hidden_size": 768, "intermediate_size": 1152,
         "num_hidden_layers": 24, "num_attention_heads": 3, "num_key_value_heads": 1, "sliding_window": 512,
         "max_position_embeddings": 2048, "use_bidirectional_attention": true}\
        """),
    /// PaliGemma, 3B, images of 224 x 224.
    PALIGEMMA_3B_224("paligemma-3b-224", PaliGemma.GEMMA_2B + Tower.of(224)),
    /// PaliGemma, 3B, images of 448 x 448.
    PALIGEMMA_3B_448("paligemma-3b-448", PaliGemma.GEMMA_2B + Tower.of(448)),
    /// PaliGemma, 3B, images of 896 x 896.
    PALIGEMMA_3B_896("paligemma-3b-896", PaliGemma.GEMMA_2B + Tower.of(896)),
    /// PaliGemma 2, 3B, images of 224 x 224.
    PALIGEMMA_2_3B_224("paligemma2-3b-224", PaliGemma.GEMMA_2_2B + Tower.of(224)),
    /// PaliGemma 2, 3B, images of 448 x 448.
    PALIGEMMA_2_3B_448("paligemma2-3b-448", PaliGemma.GEMMA_2_2B + Tower.of(448)),
    /// PaliGemma 2, 3B, images of 896 x 896.
    PALIGEMMA_2_3B_896("paligemma2-3b-896", PaliGemma.GEMMA_2_2B + Tower.of(896)),
    /// PaliGemma 2, 10B, images of 224 x 224.
    PALIGEMMA_2_10B_224("paligemma2-10b-224", PaliGemma.GEMMA_2_9B + Tower.of(224)),
    /// PaliGemma 2, 10B, images of 448 x 448.
    PALIGEMMA_2_10B_448("paligemma2-10b-448", PaliGemma.GEMMA_2_9B + Tower.of(448)),
    /// PaliGemma 2, 10B, images of 896 x 896.
    PALIGEMMA_2_10B_896("paligemma2-10b-896", PaliGemma.GEMMA_2_9B + Tower.of(896)),
    /// PaliGemma 2, 28B, images of 224 x 224.
    PALIGEMMA_2_28B_224("paligemma2-28b-224", PaliGemma.GEMMA_2_27B + Tower.of(224)),
    /// PaliGemma 2, 28B, images of 448 x 448.
    PALIGEMMA_2_28B_448("paligemma2-28b-448", PaliGemma.GEMMA_2_27B + Tower.of(448)),
    /// PaliGemma 2, 28B, images of 896 x 896.
    PALIGEMMA_2_28B_896("paligemma2-28b-896", PaliGemma.GEMMA_2_27B + Tower.of(896)),
    /// RecurrentGemma, 2B. Its `intermediate_size`, as all of this family's, counts gate and up together.
    /// Source: google-deepmind/recurrentgemma, `common.py`, presets `RECURRENT_GEMMA_2B_V1` and `_9B_V1`: width and
    /// recurrence 2560 and 4096, feed-forward three times as wide, 26 and 38 blocks, window 2048, 256000 tokens.
    RECURRENT_GEMMA_2B("recurrentgemma-2b", """
        {"model_type": "recurrent_gemma", "hidden_size": 2560, "intermediate_size": 15360, "num_hidden_layers": 26,
         "num_attention_heads": 10, "num_key_value_heads": 1, "lru_width": 2560}\
        """),
    /// RecurrentGemma, 9B.
    RECURRENT_GEMMA_9B("recurrentgemma-9b", """
        {"model_type": "recurrent_gemma", "hidden_size": 4096, "intermediate_size": 24576, "num_hidden_layers": 38,
         "num_attention_heads": 16, "num_key_value_heads": 1, "lru_width": 4096}\
        """),
    /// The text model of Gemma 3n, E2B.
    GEMMA_3N_E2B("gemma-3n-e2b", """
        {"model_type": "gemma3n", "text_config": {
         "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 30, "num_attention_heads": 8,
         "num_key_value_heads": 2, "num_kv_shared_layers": 10}}\
        """),
    /// The text model of Gemma 3n, E4B.
    GEMMA_3N_E4B("gemma-3n-e4b", """
        {"model_type": "gemma3n", "text_config": {
         "hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers": 35, "num_attention_heads": 8,
         "num_key_value_heads": 2, "num_kv_shared_layers": 15}}\
        """),
    /// The text model of Gemma 4, E2B.
    GEMMA_4_E2B("gemma-4-e2b", """
        {"model_type": "gemma4", "text_config": {
         "hidden_size": 1536, "intermediate_size": 6144, "num_hidden_layers": 35, "num_attention_heads": 8,
         "num_key_value_heads": 1, "num_kv_shared_layers": 20, "use_double_wide_mlp": true,
         "final_logit_softcapping": 30, "layer_types": [%s]}}\
        """.formatted(layerTypes(4, 7))),
    /// The text model of Gemma 4, E4B.
    GEMMA_4_E4B("gemma-4-e4b", """
        {"model_type": "gemma4", "text_config": {
         "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 42, "num_attention_heads": 8,
         "num_key_value_heads": 2, "num_kv_shared_layers": 18, "final_logit_softcapping": 30}}\
        """),
    /// The text model of Gemma 4, 26B, with experts.
    GEMMA_4_26B_A4B("gemma-4-26b-a4b", """
        {"model_type": "gemma4", "text_config": {
         "hidden_size": 2816, "intermediate_size": 2112, "num_hidden_layers": 30, "num_attention_heads": 16,
         "num_key_value_heads": 8, "num_global_key_value_heads": 2, "attention_k_eq_v": true,
         "hidden_size_per_layer_input": 0, "sliding_window": 1024, "max_position_embeddings": 262144,
         "enable_moe_block": true, "num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704,
         "final_logit_softcapping": 30}}\
        """),
    /// The text model of Gemma 4, 31B.
    GEMMA_4_31B("gemma-4-31b", """
        {"model_type": "gemma4", "text_config": {
         "hidden_size": 5376, "intermediate_size": 21504, "num_hidden_layers": 60, "num_attention_heads": 32,
         "num_key_value_heads": 16, "num_global_key_value_heads": 4, "attention_k_eq_v": true,
         "hidden_size_per_layer_input": 0, "sliding_window": 1024, "max_position_embeddings": 262144,
         "final_logit_softcapping": 30}}\
        """);

    /// The text models of PaliGemma 1 and 2.
    private static final class PaliGemma {
        static final String GEMMA_2B = """
            {"model_type": "paligemma", "text_config": {
             "model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers": 18,
             "num_attention_heads": 8, "num_key_value_heads": 1, "vocab_size": 257216},
            """;
        static final String GEMMA_2_2B = """
            {"model_type": "paligemma", "text_config": {
             "model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
             "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 257216},
            """;
        static final String GEMMA_2_9B = """
            {"model_type": "paligemma", "text_config": {
             "model_type": "gemma2", "hidden_size": 3584, "intermediate_size": 14336, "num_hidden_layers": 42,
             "num_attention_heads": 16, "num_key_value_heads": 8, "vocab_size": 257216},
            """;
        static final String GEMMA_2_27B = """
            {"model_type": "paligemma", "text_config": {
             "model_type": "gemma2", "hidden_size": 4608, "intermediate_size": 36864, "num_hidden_layers": 46,
             "num_attention_heads": 32, "num_key_value_heads": 16, "head_dim": 128, "query_pre_attn_scalar": 144,
             "vocab_size": 257216},
            """;
    }

    /// SigLIP So400m/14, the tower of them all.
    private static final class Tower {
        static String of(int imageSize) {
            return """
                 "vision_config": {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27,
                 "num_attention_heads": 16, "patch_size": 14, "image_size": %d}}\
                """.formatted(imageSize);
        }
    }

    private final String shapeName;
    private final String json;

    PublishedShape(String shapeName, String json) {
        this.shapeName = shapeName;
        this.json = json;
    }

    /// `local` layers and a global one, so many times.
    private static String layerTypes(int local, int times) {
        String period = "\"sliding_attention\", ".repeat(local) + "\"full_attention\"";
        return String.join(", ", Collections.nCopies(times, period));
    }

    /// The shape of that name.
    ///
    /// @throws IllegalArgumentException naming those there are
    public static PublishedShape named(String name) {
        return Arrays.stream(values())
                .filter(shape -> shape.shapeName.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("shape: got \"%s\", need one of %s"
                        .formatted(
                                name,
                                Arrays.stream(values())
                                        .map(shape -> shape.shapeName)
                                        .collect(Collectors.joining(", ")))));
    }

    /// `gemma-3-1b`.
    public String shapeName() {
        return shapeName;
    }

    /// What its `config.json` says.
    public ConfigKeys keys() {
        try {
            return ConfigKeys.parse(shapeName, json);
        } catch (CheckpointException e) {
            throw new IllegalStateException(shapeName, e);
        }
    }

    /// Extents and traits of the text model.
    public GemmaConfig config() {
        try {
            return HuggingFaceConfig.read(keys(), null);
        } catch (CheckpointException e) {
            throw new IllegalStateException(shapeName, e);
        }
    }
}
