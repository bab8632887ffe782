package dev.lapidary.model;

import java.util.Set;

/// Tensors of a GGUF file. Rows of query and key stand in the checkpoints' own order: llama.cpp's converter permutes
/// them for Llama, not for Gemma.
///
/// Source: `TENSOR_NAMES` and `MODEL_TENSORS` of llama.cpp's gguf-py/gguf/constants.py.
record GgufNames() implements TensorNames {
    /// Layers behind the text model of an embedding model.
    private static final Set<String> DENSE = Set.of("dense_2.weight", "dense_3.weight");

    @Override
    public String embedding() {
        return "token_embd.weight";
    }

    @Override
    public String finalNorm() {
        return "output_norm.weight";
    }

    @Override
    public String head() {
        return "output.weight";
    }

    @Override
    public String layer(int layer, LayerTensor tensor, boolean postNorms) {
        String part = switch (tensor) {
            case PRE_ATTENTION_NORM -> "attn_norm";
            case QUERY -> "attn_q";
            case KEY -> "attn_k";
            case VALUE -> "attn_v";
            case QUERY_NORM -> "attn_q_norm";
            case KEY_NORM -> "attn_k_norm";
            case ATTENTION_OUTPUT -> "attn_output";
            case POST_ATTENTION_NORM -> "post_attention_norm";
            case PRE_FEED_FORWARD_NORM -> "ffn_norm";
            case GATE -> "ffn_gate";
            case UP -> "ffn_up";
            case DOWN -> "ffn_down";
            case POST_FEED_FORWARD_NORM -> "post_ffw_norm";
            default ->
                throw new IllegalArgumentException("tensor: got %s, which these files do not have".formatted(tensor));
        };
        return "blk.%d.%s.weight".formatted(layer, part);
    }

    @Override
    public boolean belongsElsewhere(String name) {
        return DENSE.contains(name);
    }
}
