package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import java.util.List;

/// Where a Hugging Face checkpoint keeps each weight. The only place that knows tensor names.
///
/// @param decoder prefix of the text decoder's tensors
/// @param head    prefix of `lm_head.weight`
record TensorNames(String decoder, String head) {
    private static final String EMBEDDING = "embed_tokens.weight";

    /// Text-only files, multimodal files of each generation of the format, and files saved without the head.
    private static final List<TensorNames> KNOWN = List.of(
            new TensorNames("model.", ""),
            new TensorNames("language_model.model.", "language_model."),
            new TensorNames("model.language_model.", ""),
            new TensorNames("language_model.", ""),
            new TensorNames("", ""));

    /// Other parts of a multimodal model, which the text decoder leaves alone.
    private static final List<String> OTHER_PARTS =
            List.of("vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.");

    /// Buffers that old exports wrote among the weights; they are computed from the config.
    private static final String ROPE_BUFFER = ".rotary_emb.inv_freq";

    /// The names that fit `checkpoint`; the plain text-only ones if none does, so that the error names what people
    /// expect.
    static TensorNames of(Checkpoint checkpoint) {
        for (TensorNames names : KNOWN) {
            if (checkpoint.tensors().containsKey(names.embedding())) {
                return names;
            }
        }
        return KNOWN.getFirst();
    }

    /// Whether a tensor belongs to something else than the decoder and may be left unread.
    boolean belongsElsewhere(String name) {
        return name.endsWith(ROPE_BUFFER) || OTHER_PARTS.stream().anyMatch(name::startsWith);
    }

    String embedding() {
        return decoder + EMBEDDING;
    }

    String finalNorm() {
        return decoder + "norm.weight";
    }

    String headWeight() {
        return head + "lm_head.weight";
    }

    /// `part` without its `.weight`, as in `self_attn.q_proj`.
    String layer(int layer, String part) {
        return "%slayers.%d.%s.weight".formatted(decoder, layer, part);
    }
}
