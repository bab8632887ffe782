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
    private static final List<String> OTHER_PARTS = List.of(
            "vision_tower.",
            "audio_tower.",
            "multi_modal_projector.",
            "embed_vision.",
            "embed_audio.",
            "model.vision_tower.",
            "model.audio_tower.",
            "model.multi_modal_projector.",
            "model.embed_vision.",
            "model.embed_audio.");

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
    public String perLayer(PerLayerTensor tensor) {
        return decoder
                + switch (tensor) {
                    case TABLE -> "embed_tokens_per_layer.weight";
                    case PROJECTION -> "per_layer_model_projection.weight";
                    case NORM -> "per_layer_projection_norm.weight";
                };
    }

    @Override
    public String stream(int stream, boolean enter) {
        return "%saltup_%s.%d.weight".formatted(decoder, enter ? "projections" : "unembed_projections", stream - 1);
    }

    @Override
    public String layer(int layer, LayerTensor tensor, boolean postNorms) {
        return "%slayers.%d.%s".formatted(decoder, layer, part(tensor, postNorms));
    }

    private static String part(LayerTensor tensor, boolean postNorms) {
        return switch (tensor) {
            case PRE_ATTENTION_NORM -> "input_layernorm.weight";
            case QUERY -> "self_attn.q_proj.weight";
            case KEY -> "self_attn.k_proj.weight";
            case VALUE -> "self_attn.v_proj.weight";
            case QUERY_NORM -> "self_attn.q_norm.weight";
            case KEY_NORM -> "self_attn.k_norm.weight";
            case ATTENTION_OUTPUT -> "self_attn.o_proj.weight";
            case POST_ATTENTION_NORM -> "post_attention_layernorm.weight";
            // Without post-norms the file's post_attention_layernorm is what stands before the feed-forward
            case PRE_FEED_FORWARD_NORM ->
                postNorms ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight";
            case GATE -> "mlp.gate_proj.weight";
            case UP -> "mlp.up_proj.weight";
            case DOWN -> "mlp.down_proj.weight";
            case POST_FEED_FORWARD_NORM -> "post_feedforward_layernorm.weight";
            case ROUTER_SCALE -> "router.scale";
            case ROUTER -> "router.proj.weight";
            case EXPERT_SCALE -> "router.per_expert_scale";
            case POST_DENSE_NORM -> "post_feedforward_layernorm_1.weight";
            case PRE_EXPERT_NORM -> "pre_feedforward_layernorm_2.weight";
            case EXPERT_GATE_UP -> "experts.gate_up_proj";
            case EXPERT_DOWN -> "experts.down_proj";
            case POST_EXPERT_NORM -> "post_feedforward_layernorm_2.weight";
            case PER_LAYER_GATE -> "per_layer_input_gate.weight";
            case PER_LAYER_PROJECTION -> "per_layer_projection.weight";
            case POST_PER_LAYER_NORM -> "post_per_layer_input_norm.weight";
            case OUTPUT_SCALE -> "layer_scalar";
            case LAUREL_LEFT -> "laurel.linear_left.weight";
            case LAUREL_RIGHT -> "laurel.linear_right.weight";
            case POST_LAUREL_NORM -> "laurel.post_laurel_norm.weight";
            case STREAM_ROUTER_NORM -> "altup.router_norm.weight";
            case STREAM_ROUTER -> "altup.modality_router.weight";
            case STREAM_PREDICTION -> "altup.prediction_coefs.weight";
            case STREAM_CORRECTION -> "altup.correction_coefs.weight";
            case STREAM_OUTPUT_SCALE -> "altup.correct_output_scale";
            default ->
                throw new IllegalArgumentException("tensor: got %s, which these files do not have".formatted(tensor));
        };
    }
}
