package dev.lapidary.model;

import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

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
/// @param perLayer        what each token gives each layer besides the residual stream; null for nothing
/// @param altUp           streams beside the residual one; null for none
/// @param laurelRank      width of a second residual beside each attention; 0 for none
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
        List<LayerConfig> layers,
        @Nullable PerLayerConfig perLayer,
        @Nullable AltUpConfig altUp,
        int laurelRank) {
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
        if (laurelRank < 0) {
            throw new IllegalArgumentException("laurelRank: got %d, need 0 or more".formatted(laurelRank));
        }
        stopIds = List.copyOf(stopIds);
        layers = List.copyOf(layers);
        long bothWays = layers.stream().filter(LayerConfig::bidirectional).count();
        if (bothWays != 0 && bothWays != layers.size()) {
            throw new IllegalArgumentException(
                    "bidirectional: got %d of %d layers, need all or none".formatted(bothWays, layers.size()));
        }
        for (int i = 0; i < layers.size(); i++) {
            requireSource(layers, i);
        }
        if (layers.stream()
                        .map(LayerConfig::experts)
                        .filter(Objects::nonNull)
                        .distinct()
                        .count()
                > 1) {
            throw new IllegalArgumentException("experts: got layers with different ones, need the same in all of them");
        }
        if (perLayer != null && perLayer.width() > Integer.MAX_VALUE / layers.size()) {
            throw new IllegalArgumentException("per-layer embedding: got width %d, need a row for %d layers"
                    .formatted(perLayer.width(), layers.size()));
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
                layers.stream().map(change).toList(),
                perLayer,
                altUp,
                laurelRank);
    }

    /// Width of the encoded text that tokens attend to; 0 where there is none.
    public int encoderWidth() {
        return layers.getFirst().encoderWidth();
    }

    /// Whether tokens see those that follow, so that a sequence is computed as a whole and none is predicted.
    public boolean bidirectional() {
        return layers.getFirst().bidirectional();
    }

    /// A model of one stream, without embeddings per layer.
    public GemmaConfig(
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
        this(
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
                layers,
                null,
                null,
                0);
    }

    /// The experts of those layers that have any; null if none has.
    @Nullable
    Experts experts() {
        for (LayerConfig layer : layers) {
            if (layer.experts() != null) {
                return layer.experts();
            }
        }
        return null;
    }

    /// Columns of the per-layer embedding's table, 0 without one.
    int perLayerCols() {
        return perLayer == null ? 0 : layers.size() * perLayer.width();
    }

    /// A layer's keys and values may be those of an earlier layer with keys of its own and of the same kind.
    private static void requireSource(List<LayerConfig> layers, int index) {
        LayerConfig layer = layers.get(index);
        if (!layer.keyValues().isShared()) {
            return;
        }
        int source = layer.keyValues().source();
        LayerConfig other = source < index ? layers.get(source) : layer;
        if (other.keyValues().isShared()
                || other.attention() != layer.attention()
                || other.window() != layer.window()
                || other.kvHeads() != layer.kvHeads()
                || other.headDim() != layer.headDim()) {
            throw new IllegalArgumentException(
                    "layer %d: got keys and values of layer %d, need those of an earlier layer of its kind"
                            .formatted(index, source));
        }
    }
}
