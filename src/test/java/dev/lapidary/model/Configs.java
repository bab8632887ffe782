package dev.lapidary.model;

import java.util.function.UnaryOperator;

/// Configs with one trait changed.
final class Configs {
    private Configs() {}

    static GemmaConfig withLayers(GemmaConfig c, UnaryOperator<LayerConfig> change) {
        return withLayers(c, c.layers().stream().map(change).toList());
    }

    static GemmaConfig withLayers(GemmaConfig c, java.util.List<LayerConfig> layers) {
        return new GemmaConfig(
                c.architecture(),
                c.vocab(),
                c.embedding(),
                c.embeddingScale(),
                c.normEpsilon(),
                c.normOffset(),
                c.tiedHead(),
                c.finalSoftcap(),
                c.maxPositions(),
                c.bosId(),
                c.stopIds(),
                layers,
                c.perLayer(),
                c.altUp(),
                c.laurelRank());
    }

    static GemmaConfig with(GemmaConfig c, float embeddingScale, float normOffset, float finalSoftcap) {
        return new GemmaConfig(
                c.architecture(),
                c.vocab(),
                c.embedding(),
                embeddingScale,
                c.normEpsilon(),
                normOffset,
                c.tiedHead(),
                finalSoftcap,
                c.maxPositions(),
                c.bosId(),
                c.stopIds(),
                c.layers(),
                c.perLayer(),
                c.altUp(),
                c.laurelRank());
    }

    /// A LOCAL layer with another window, a GLOBAL one as it is.
    static LayerConfig withWindow(LayerConfig l, int window) {
        return with(l, l.attention() == AttentionType.LOCAL ? window : 0, l.queryScale(), l.softcap());
    }

    static LayerConfig with(LayerConfig l, int window, float queryScale, float softcap) {
        return new LayerConfig(
                l.attention(),
                window,
                l.rope(),
                l.heads(),
                l.kvHeads(),
                l.headDim(),
                queryScale,
                softcap,
                l.queryKeyNorm(),
                l.postNorms(),
                l.neurons(),
                l.convolution(),
                l.biases(),
                l.bidirectional(),
                l.keyValues(),
                l.experts(),
                l.scaledOutput(),
                l.sparsity(),
                l.encoderWidth());
    }

    static LayerConfig withRope(LayerConfig l, double theta, double factor) {
        return new LayerConfig(
                l.attention(),
                l.window(),
                new Rope(theta, factor, l.rope().dims(), l.rope().pairs()),
                l.heads(),
                l.kvHeads(),
                l.headDim(),
                l.queryScale(),
                l.softcap(),
                l.queryKeyNorm(),
                l.postNorms(),
                l.neurons(),
                l.convolution(),
                l.biases(),
                l.bidirectional(),
                l.keyValues(),
                l.experts(),
                l.scaledOutput(),
                l.sparsity(),
                l.encoderWidth());
    }

    static LayerConfig withRotatedDims(LayerConfig l, int dims) {
        return new LayerConfig(
                l.attention(),
                l.window(),
                new Rope(l.rope().theta(), l.rope().factor(), dims),
                l.heads(),
                l.kvHeads(),
                l.headDim(),
                l.queryScale(),
                l.softcap(),
                l.queryKeyNorm(),
                l.postNorms(),
                l.neurons(),
                l.convolution(),
                l.biases(),
                l.bidirectional(),
                l.keyValues(),
                l.experts(),
                l.scaledOutput(),
                l.sparsity(),
                l.encoderWidth());
    }

    /// A layer of attention that sees what went before alone.
    static LayerConfig causal(LayerConfig l) {
        return new LayerConfig(
                l.attention(),
                l.window(),
                l.rope(),
                l.heads(),
                l.kvHeads(),
                l.headDim(),
                l.queryScale(),
                l.softcap(),
                l.queryKeyNorm(),
                l.postNorms(),
                l.neurons(),
                l.convolution(),
                l.biases(),
                false,
                l.keyValues(),
                l.experts(),
                l.scaledOutput(),
                l.sparsity(),
                l.encoderWidth());
    }
}
