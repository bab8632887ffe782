package dev.lapidary.model;

import java.util.Map;
import java.util.Set;

/// What a key absent from `config.json` means, by `model_type`, and which keys exist at all.
///
/// Source: huggingface/transformers 4.57 and 5.14, `models/gemma{,2,3}/configuration_gemma{,2,3}.py`.
///
/// @param textConfig              whether the text model stands in a nested `text_config`
/// @param window                  `sliding_window`; 0 where no layer is local
/// @param period                  every `period`-th layer is global
/// @param periodKey               whether `sliding_window_pattern` may change the period
/// @param localTheta              `rope_local_base_freq`; 0 where local layers share `rope_theta` and its scaling
/// @param queryPreAttentionScalar whether `query_pre_attn_scalar` exists; else the head dimension stands for it
/// @param attentionSoftcapKey     whether `attn_logit_softcapping` exists
/// @param attentionSoftcap        its default, 0 for none
/// @param finalSoftcap            `final_logit_softcapping`, 0 for none
/// @param geluMeansTanh           whether "gelu" in `hidden_act` stands for the tanh form
record HuggingFaceDefaults(
        boolean textConfig,
        int vocab,
        int embedding,
        int neurons,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int maxPositions,
        int window,
        int period,
        boolean periodKey,
        double theta,
        double localTheta,
        boolean queryPreAttentionScalar,
        boolean attentionSoftcapKey,
        double attentionSoftcap,
        double finalSoftcap,
        boolean queryKeyNorm,
        boolean postNorms,
        boolean geluMeansTanh) {

    private static final HuggingFaceDefaults GEMMA = new HuggingFaceDefaults(
            false, 256000, 3072, 24576, 28, 16, 16, 256, 8192, 0, 1, false, 1e4, 0, false, false, 0, 0, false, false,
            true);
    static final HuggingFaceDefaults GEMMA2 = new HuggingFaceDefaults(
            false, 256000, 2304, 9216, 26, 8, 4, 256, 8192, 4096, 2, false, 1e4, 0, true, true, 50, 30, false, true,
            false);
    private static final HuggingFaceDefaults GEMMA3_TEXT = gemma3(false);

    /// A `model_type` whose text model is of the type that its `text_config` says.
    static final String PALIGEMMA = "paligemma";

    static final Map<String, HuggingFaceDefaults> BY_MODEL_TYPE = Map.of(
            "gemma",
            GEMMA,
            "gemma2",
            GEMMA2,
            "gemma3_text",
            GEMMA3_TEXT,
            "gemma3",
            gemma3(true),
            "shieldgemma2",
            gemma3(true));

    private static HuggingFaceDefaults gemma3(boolean textConfig) {
        return new HuggingFaceDefaults(
                textConfig,
                262208,
                2304,
                9216,
                26,
                8,
                4,
                256,
                131072,
                4096,
                6,
                true,
                1e6,
                1e4,
                true,
                true,
                0,
                0,
                true,
                true,
                false);
    }

    /// Keys that say nothing about the text model's arithmetic: bookkeeping, training, vision, and what stands
    /// beside a `text_config` as well as in it.
    static final Set<String> NO_ARITHMETIC = Set.of(
            "_attn_implementation",
            "_attn_implementation_autoset",
            "_name_or_path",
            "_vocab_size",
            "architectures",
            "attention_dropout",
            "auto_map",
            "boi_token_id",
            "boi_token_index",
            "bos_token_id",
            "cache_implementation",
            "chunk_size_feed_forward",
            "classifier_dropout_rate",
            "dropout_rate",
            "dtype",
            "eoi_token_id",
            "eoi_token_index",
            "eos_token_id",
            "final_w_init_variance_scale",
            "finetuning_task",
            "hidden_size",
            "id2label",
            "ignore_index",
            "image_token_id",
            "image_token_index",
            "initializer_range",
            "is_decoder",
            "label2id",
            "max_length",
            "mm_tokens_per_image",
            "no_token_index",
            "model_type",
            "num_image_tokens",
            "output_attentions",
            "output_hidden_states",
            "pad_token_id",
            "problem_type",
            "projection_dim",
            "return_dict",
            "task_specific_params",
            "tie_word_embeddings",
            "tokenizer_class",
            "torch_dtype",
            "torchscript",
            "transformers_version",
            "unsloth_fixed",
            "unsloth_version",
            "use_cache",
            "vision_config",
            "vocab_size",
            "w_init_variance_scale",
            "yes_token_index");
}
