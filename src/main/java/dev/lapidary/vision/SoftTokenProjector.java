package dev.lapidary.vision;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;

/// Makes soft tokens of a tower's output: the mean over squares of patches and an RMSNorm where the model pools, then a
/// projection to the text model's width.
final class SoftTokenProjector {
    private final VisionConfig config;
    private final VisionWeights weights;
    private final Kernels kernels;
    private final VisionWorkspace space;

    SoftTokenProjector(VisionConfig config, VisionWeights weights, Kernels kernels, VisionWorkspace space) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        this.space = space;
    }

    /// Soft tokens of one image.
    ///
    /// @param patches `[patches, width]`
    /// @return `[tokens, embedding]`, valid until the next image
    Matrix forward(Matrix patches) {
        Matrix norm = weights.projectorNorm();
        if (norm != null) {
            int square = pool(patches);
            // The sums are `square` times the means. A norm takes that out again if its epsilon grows with it.
            float epsilon = config.normEpsilon() * square * square;
            kernels.rmsNorm(space.pooled, norm, epsilon, space.pooled);
        }
        kernels.project(norm == null ? patches : space.pooled, weights.projector(), space.soft);
        if (weights.projectorBias() != null) {
            kernels.addBias(weights.projectorBias(), space.soft);
        }
        return space.soft;
    }

    /// Sums squares of patches into `pooled`: for each row of tokens, its patches as rows that lie a square's side
    /// apart.
    ///
    /// @return how many patches a square has
    private int pool(Matrix patches) {
        int side = config.imageSize() / config.patchSize();
        int tokenSide = (int) Math.round(Math.sqrt(config.tokensPerImage()));
        int step = side / tokenSide;
        space.pooled.data().fill((byte) 0);
        for (int tokenRow = 0; tokenRow < tokenSide; tokenRow++) {
            Matrix tokens = space.pooled.rows(tokenRow * tokenSide, tokenSide);
            for (int i = 0; i < step * step; i++) {
                int first = (tokenRow * step + i / step) * side + i % step;
                Matrix from = patches.rows(first, 1);
                long stride = step * patches.stride();
                kernels.add(new Matrix(from.data(), from.type(), tokenSide, from.cols(), stride), tokens);
            }
        }
        return step * step;
    }
}
