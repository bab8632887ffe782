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

    /// A part of the per-layer embedding.
    default String perLayer(PerLayerTensor tensor) {
        throw new IllegalArgumentException("tensor: got %s, which these files do not have".formatted(tensor));
    }

    /// What makes a stream of the embedding, or what is read of it behind the last layer.
    ///
    /// @param stream from 1, the first beside the residual stream
    default String stream(int stream, boolean enter) {
        throw new IllegalArgumentException("stream: got %d, need files that have several".formatted(stream));
    }

    /// A tensor of a layer.
    ///
    /// @param postNorms whether the layer has norms behind attention and feed-forward too
    String layer(int layer, LayerTensor tensor, boolean postNorms);

    /// Whether a tensor belongs to something else than the decoder and may be left unread.
    boolean belongsElsewhere(String name);

    /// What the per-layer embedding keeps outside the layers.
    enum PerLayerTensor {
        /// `[vocab, layers * width]`.
        TABLE,
        /// `[layers * width, embedding]`.
        PROJECTION,
        /// `[width]`.
        NORM
    }
}
