package dev.lapidary.vision;

import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/// SigLIP's encoder (Zhai et al. 2023): patches as tokens with learned positions, blocks that norm first, with biases
/// everywhere and every patch seeing all, a norm at the end and no pooling head.
final class VisionTower {
    private final VisionConfig config;
    private final VisionWeights weights;
    private final Kernels kernels;
    private final VisionWorkspace space;
    private final float queryScale;

    VisionTower(VisionConfig config, VisionWeights weights, Kernels kernels, VisionWorkspace space) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        this.space = space;
        queryScale = (float) (1 / Math.sqrt(config.headDim()));
    }

    /// The patches of one image after the last norm.
    ///
    /// @param pixels    normalised, `[images, channels, imageSize, imageSize]`
    /// @param image     which of the images
    /// @param cancelled asked before each layer; if it says so, `CancellationException`
    /// @return `[patches, width]`, valid until the next image
    Matrix forward(float[] pixels, int image, BooleanSupplier cancelled) {
        cutPatches(pixels, image);
        kernels.project(space.patches, weights.patches(), space.branch);
        kernels.addBias(weights.patchBias(), space.branch);
        kernels.embed(weights.positions(), space.positions, 1, space.residual);
        kernels.add(space.branch, space.residual);
        for (int i = 0; i < weights.layers().size(); i++) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("cancelled before vision layer " + i);
            }
            attend(weights.layers().get(i));
            feedForward(weights.layers().get(i));
        }
        norm(weights.postNorm());
        return space.normed;
    }

    /// Each patch as a row: colour by colour, and row by row of the patch, as the convolution's weights are.
    private void cutPatches(float[] pixels, int image) {
        int size = config.imageSize();
        int patch = config.patchSize();
        int side = size / patch;
        MemorySegment rows = space.patches.data();
        long to = 0;
        for (int index = 0; index < config.patches(); index++) {
            for (int row = 0; row < config.channels() * patch; row++) {
                int y = row / patch * size + index / side * patch + row % patch;
                int from = image * config.imageElements() + y * size + index % side * patch;
                MemorySegment.copy(pixels, from, rows, ValueLayout.JAVA_FLOAT, to, patch);
                to += (long) patch * Float.BYTES;
            }
        }
    }

    private void attend(VisionLayer layer) {
        norm(layer.attentionNorm());
        kernels.project(space.normed, layer.queryKeyValue(), space.projected);
        kernels.addBias(layer.queryKeyValueBias(), space.projected);
        kernels.headNormRope(space.queries, null, 0, null, queryScale, space.queries);
        int all = config.patches();
        Heads mixed = Heads.of(space.normed, config.headDim());
        if (!kernels.attendRows(space.queries, space.keys, space.values, 0, all, space.begin, space.end, 0, mixed)) {
            attendByBlocks(all);
        }
        kernels.project(space.normed, layer.output(), space.branch);
        addBranch(layer.outputBias());
    }

    private void attendByBlocks(int all) {
        for (int head = 0; head < config.heads(); head++) {
            Matrix keys = space.keys.head(head, 0, all);
            Matrix values = space.values.head(head, 0, all);
            Matrix out = space.normed.cols(head * config.headDim(), config.headDim());
            for (int from = 0; from < all; from += space.scores.rows()) {
                int rows = Math.min(space.scores.rows(), all - from);
                Matrix scores = space.scores.rows(0, rows);
                kernels.matmulTransposed(space.queries.head(head, from, rows), keys, scores);
                kernels.softcapSoftmax(scores, space.begin, space.end, 0);
                kernels.matmul(scores, values, out.rows(from, rows));
            }
        }
    }

    private void feedForward(VisionLayer layer) {
        norm(layer.feedForwardNorm());
        kernels.project(space.normed, layer.up(), space.gated);
        kernels.biasGelu(layer.upBias(), space.gated);
        kernels.project(space.gated, layer.down(), space.branch);
        addBranch(layer.downBias());
    }

    private void norm(VisionLayer.Norm norm) {
        kernels.layerNorm(space.residual, norm.weight(), norm.bias(), config.normEpsilon(), space.normed);
    }

    private void addBranch(Matrix bias) {
        kernels.addBias(bias, space.branch);
        kernels.add(space.branch, space.residual);
    }
}
