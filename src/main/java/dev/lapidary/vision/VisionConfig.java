package dev.lapidary.vision;

/// The image side of a model as data: a SigLIP tower, what makes soft tokens of its output, and how the text model
/// takes them. Read by [VisionConfigReader].
///
/// @param imageSize      height and width of the image, pixels
/// @param patchSize      height and width of a patch, a divisor of `imageSize`
/// @param channels       colours of a pixel
/// @param width          of the tower's residual stream
/// @param neurons        width of its feed-forward
/// @param layers         how many
/// @param heads          a divisor of `width`
/// @param normEpsilon    epsilon of every LayerNorm, and of the projector's RMSNorm
/// @param projector      what makes soft tokens of the tower's output
/// @param tokensPerImage soft tokens of one image
/// @param embedding      width of a soft token, that of the text model
/// @param imageId        token whose place a soft token takes
/// @param beginId        token before an image; -1 where there is none
/// @param endId          token behind an image; -1 where there is none
public record VisionConfig(
        int imageSize,
        int patchSize,
        int channels,
        int width,
        int neurons,
        int layers,
        int heads,
        float normEpsilon,
        Projector projector,
        int tokensPerImage,
        int embedding,
        int imageId,
        int beginId,
        int endId) {
    /// Beyond any tower there is.
    private static final int MOST = 1 << 16;

    /// What makes soft tokens, and with it how the text model reads them.
    public enum Projector {
        /// Mean over squares of patches, RMSNorm, projection. The tokens of one image see one another, all else
        /// is causal. Images are resized bilinearly.
        POOLED,
        /// One linear layer with bias on each patch. The whole prompt sees itself in both directions. Images
        /// are resized bicubically.
        LINEAR
    }

    /// Throws `IllegalArgumentException` naming what does not fit.
    public VisionConfig {
        require(
                patchSize > 0 && imageSize <= MOST && imageSize >= patchSize && imageSize % patchSize == 0,
                "image_size",
                imageSize,
                "a multiple of patch_size %d".formatted(patchSize));
        require(channels == 3, "num_channels", channels, "3");
        require(
                heads > 0 && width > 0 && width <= MOST && width % heads == 0,
                "hidden_size",
                width,
                "a multiple of %d heads".formatted(heads));
        require((width / heads) % 2 == 0, "hidden_size", width, "an even number for each of %d heads".formatted(heads));
        require(neurons > 0 && neurons <= MOST, "intermediate_size", neurons, "1 to " + MOST);
        require(layers > 0 && layers <= 1024, "num_hidden_layers", layers, "1 to 1024");
        int side = imageSize / patchSize;
        int tokenSide = (int) Math.round(Math.sqrt(tokensPerImage));
        if (projector == Projector.POOLED) {
            require(
                    tokensPerImage > 0 && tokenSide * tokenSide == tokensPerImage && side % tokenSide == 0,
                    "mm_tokens_per_image",
                    tokensPerImage,
                    "the square of a divisor of the %d patches of a side".formatted(side));
        } else {
            require(
                    tokensPerImage == side * side,
                    "num_image_tokens",
                    tokensPerImage,
                    "%d, a token for each patch".formatted(side * side));
        }
    }

    /// Patches of an image.
    public int patches() {
        int side = imageSize / patchSize;
        return side * side;
    }

    /// Colours of a patch's pixels.
    public int patchElements() {
        return channels * patchSize * patchSize;
    }

    /// Elements of one head.
    public int headDim() {
        return width / heads;
    }

    /// Elements of one image, all colours.
    public int imageElements() {
        return channels * imageSize * imageSize;
    }

    /// Whether the whole prompt sees itself in both directions, and not just the tokens of an image.
    public boolean prefix() {
        return projector == Projector.LINEAR;
    }

    private static void require(boolean holds, String key, int got, String need) {
        if (!holds) {
            throw new IllegalArgumentException("%s: got %d, need %s".formatted(key, got, need));
        }
    }
}
