package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;

/// Tensors of one half of a Hugging Face checkpoint of T5Gemma. An encoder has no head; that of the decoder is its
/// embedding unless the file has one.
///
/// @param half  prefix of its tensors
/// @param other prefix of the other half's
/// @param head  the head
record T5GemmaNames(String half, String other, String head) implements TensorNames {
    private static final String ENCODER_PREFIX = "model.encoder.";
    private static final String DECODER_PREFIX = "model.decoder.";
    private static final String EMBEDDING = "embed_tokens.weight";
    private static final String HEAD_PREFIX = "lm_head.";

    static final T5GemmaNames ENCODER = new T5GemmaNames(ENCODER_PREFIX, DECODER_PREFIX, ENCODER_PREFIX + EMBEDDING);
    static final T5GemmaNames DECODER =
            new T5GemmaNames(DECODER_PREFIX, ENCODER_PREFIX, HEAD_PREFIX + "out_proj.weight");

    /// Whether `checkpoint` spells its tensors so.
    static boolean fit(Checkpoint checkpoint) {
        return checkpoint.tensors().containsKey(DECODER.embedding())
                || checkpoint.tensors().containsKey(DECODER.finalNorm());
    }

    @Override
    public String embedding() {
        return half + EMBEDDING;
    }

    @Override
    public String finalNorm() {
        return half + "norm.weight";
    }

    @Override
    public String layer(int layer, LayerTensor tensor, boolean postNorms) {
        String part = switch (tensor) {
            case PRE_ATTENTION_NORM -> "pre_self_attn_layernorm";
            case QUERY -> "self_attn.q_proj";
            case KEY -> "self_attn.k_proj";
            case VALUE -> "self_attn.v_proj";
            case ATTENTION_OUTPUT -> "self_attn.o_proj";
            case POST_ATTENTION_NORM -> "post_self_attn_layernorm";
            case PRE_CROSS_ATTENTION_NORM -> "pre_cross_attn_layernorm";
            case CROSS_QUERY -> "cross_attn.q_proj";
            case CROSS_KEY -> "cross_attn.k_proj";
            case CROSS_VALUE -> "cross_attn.v_proj";
            case CROSS_OUTPUT -> "cross_attn.o_proj";
            case POST_CROSS_ATTENTION_NORM -> "post_cross_attn_layernorm";
            case PRE_FEED_FORWARD_NORM -> "pre_feedforward_layernorm";
            case GATE -> "mlp.gate_proj";
            case UP -> "mlp.up_proj";
            case DOWN -> "mlp.down_proj";
            case POST_FEED_FORWARD_NORM -> "post_feedforward_layernorm";
            default ->
                throw new IllegalArgumentException("tensor: got %s, which these files do not have".formatted(tensor));
        };
        return "%slayers.%d.%s.weight".formatted(half, layer, part);
    }

    @Override
    public boolean belongsElsewhere(String name) {
        boolean others = name.startsWith(other) || (half.equals(ENCODER_PREFIX) && name.startsWith(HEAD_PREFIX));
        return others || name.endsWith(HuggingFaceNames.ROPE_BUFFER);
    }
}
