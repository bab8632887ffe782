package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import java.util.List;

/// Tensors of a Hugging Face checkpoint.
///
/// @param decoder prefix of the text decoder's tensors
/// @param outer   prefix of `lm_head.weight`
record HuggingFaceNames(String decoder, String outer) implements TensorNames {
    private static final String EMBEDDING = "embed_tokens.weight";

    /// Text-only files, multimodal files of each generation of the format, and files saved without the head.
    private static final List<HuggingFaceNames> KNOWN = List.of(
            new HuggingFaceNames("model.", ""),
            new HuggingFaceNames("language_model.model.", "language_model."),
            new HuggingFaceNames("model.language_model.", ""),
            new HuggingFaceNames("model.language_model.model.", "model.language_model."),
            new HuggingFaceNames("language_model.", ""),
            new HuggingFaceNames("", ""));

    /// Other parts of a multimodal model, which the text decoder leaves alone.
    private static final List<String> OTHER_PARTS =
            List.of("vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.");

    /// Buffers that old exports wrote among the weights; they are computed from the config.
    static final String ROPE_BUFFER = ".rotary_emb.inv_freq";

    /// The names that fit `checkpoint`; the plain text-only ones if none does, so that the error names what people
    /// expect.
    static HuggingFaceNames of(Checkpoint checkpoint) {
        for (HuggingFaceNames names : KNOWN) {
            if (checkpoint.tensors().containsKey(names.embedding())) {
                return names;
            }
        }
        return KNOWN.getFirst();
    }

    @Override
    public boolean belongsElsewhere(String name) {
        return name.endsWith(ROPE_BUFFER) || OTHER_PARTS.stream().anyMatch(name::startsWith);
    }

    @Override
    public String embedding() {
        return decoder + EMBEDDING;
    }

    @Override
    public String finalNorm() {
        return decoder + "norm.weight";
    }

    @Override
    public String head() {
        return outer + "lm_head.weight";
    }

    @Override
    public String layer(int layer, LayerTensor tensor, boolean postNorms) {
        String part = switch (tensor) {
            case PRE_ATTENTION_NORM -> "input_layernorm";
            case QUERY -> "self_attn.q_proj";
            case KEY -> "self_attn.k_proj";
            case VALUE -> "self_attn.v_proj";
            case QUERY_NORM -> "self_attn.q_norm";
            case KEY_NORM -> "self_attn.k_norm";
            case ATTENTION_OUTPUT -> "self_attn.o_proj";
            case POST_ATTENTION_NORM -> "post_attention_layernorm";
            // Without post-norms the file's post_attention_layernorm is what stands before the feed-forward
            case PRE_FEED_FORWARD_NORM -> postNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
            case GATE -> "mlp.gate_proj";
            case UP -> "mlp.up_proj";
            case DOWN -> "mlp.down_proj";
            case POST_FEED_FORWARD_NORM -> "post_feedforward_layernorm";
            default ->
                throw new IllegalArgumentException("tensor: got %s, which these files do not have".formatted(tensor));
        };
        return "%slayers.%d.%s.weight".formatted(decoder, layer, part);
    }
}
