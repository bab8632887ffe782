package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.Configuration;

/// Where a checkpoint keeps each weight: the names in its format.
sealed interface TensorNames permits HuggingFaceNames, RecurrentGemmaNames, T5GemmaNames, GgufNames {
    /// The names that fit `checkpoint`, of its encoder if `config` is that.
    static TensorNames of(Checkpoint checkpoint, GemmaConfig config) {
        return switch (checkpoint.configuration()) {
            case Configuration.HuggingFace _ -> {
                if (T5GemmaNames.fit(checkpoint)) {
                    yield config.bidirectional() ? T5GemmaNames.ENCODER : T5GemmaNames.DECODER;
                }
                yield RecurrentGemmaNames.fit(checkpoint) ? new RecurrentGemmaNames() : HuggingFaceNames.of(checkpoint);
            }
            case Configuration.Gguf _ -> new GgufNames();
        };
    }

    String embedding();

    String finalNorm();

    String head();

    /// A tensor of a layer.
    ///
    /// @param postNorms whether the layer has norms behind attention and feed-forward too
    String layer(int layer, LayerTensor tensor, boolean postNorms);

    /// Whether a tensor belongs to something else than the decoder and may be left unread.
    boolean belongsElsewhere(String name);
}
