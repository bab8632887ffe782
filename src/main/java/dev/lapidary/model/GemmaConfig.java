package dev.lapidary.model;

import java.util.List;
import java.util.function.UnaryOperator;

/// A model as data: extents and, layer by layer, traits. Read from a checkpoint by [HuggingFaceConfig].
///
/// @param architecture    the checkpoint's own word for it (`gemma3_text`), for people; nothing is decided by it
/// @param vocab           rows of the embedding table and of the head
/// @param embedding       width of the residual stream
/// @param embeddingScale  factor on gathered embedding rows
/// @param normEpsilon     epsilon of every RMSNorm
/// @param normOffset      what is added to a stored norm weight to give the factor: 1 for Gemma 1 to 3
/// @param tiedHead        whether the head is the embedding table; a checkpoint with a head of its own overrides it
/// @param finalSoftcap    `cap * tanh(logit / cap)`; 0 for none
/// @param maxPositions    positions the model was made for
/// @param bosId           id that begins every sequence
/// @param stopIds         ids that end a generation
/// @param layers          one entry per layer, first to last
public record GemmaConfig(
        String architecture,
        int vocab,
        int embedding,
        float embeddingScale,
        float normEpsilon,
        float normOffset,
        boolean tiedHead,
        float finalSoftcap,
        int maxPositions,
        int bosId,
        List<Integer> stopIds,
        List<LayerConfig> layers) {
    /// Throws `IllegalArgumentException` naming what does not fit.
    public GemmaConfig {
        if (vocab <= 0 || embedding <= 0 || layers.isEmpty() || maxPositions <= 0) {
            throw new IllegalArgumentException(
                    "config: got vocab %d, embedding %d, %d layers, %d positions, need all positive"
                            .formatted(vocab, embedding, layers.size(), maxPositions));
        }
        if (!(normEpsilon >= 0 && Float.isFinite(normEpsilon))) {
            throw new IllegalArgumentException("normEpsilon: got %s, need 0 or more".formatted(normEpsilon));
        }
        if (!(finalSoftcap >= 0 && Float.isFinite(finalSoftcap))) {
            throw new IllegalArgumentException(
                    "finalSoftcap: got %s, need 0 or a positive number".formatted(finalSoftcap));
        }
        stopIds = List.copyOf(stopIds);
        layers = List.copyOf(layers);
        long bothWays = layers.stream().filter(LayerConfig::bidirectional).count();
        if (bothWays != 0 && bothWays != layers.size()) {
            throw new IllegalArgumentException(
                    "bidirectional: got %d of %d layers, need all or none".formatted(bothWays, layers.size()));
        }
        if (layers.stream().mapToInt(LayerConfig::encoderWidth).distinct().count() > 1) {
            throw new IllegalArgumentException("encoderWidth: got several, need the same in all layers");
        }
    }

    /// The same with other layers.
    public GemmaConfig withLayers(UnaryOperator<LayerConfig> change) {
        return new GemmaConfig(
                architecture,
                vocab,
                embedding,
                embeddingScale,
                normEpsilon,
                normOffset,
                tiedHead,
                finalSoftcap,
                maxPositions,
                bosId,
                stopIds,
                layers.stream().map(change).toList());
    }

    /// Width of the encoded text that tokens attend to; 0 where there is none.
    public int encoderWidth() {
        return layers.getFirst().encoderWidth();
    }

    /// Whether tokens see those that follow, so that a sequence is computed as a whole and none is predicted.
    public boolean bidirectional() {
        return layers.getFirst().bidirectional();
    }
}
