package dev.lapidary;

/// What a model sees of images: embeddings that stand where image tokens are. Made by [Gemma#softTokens].
///
/// @param images         how many images
/// @param tokensPerImage soft tokens of each
/// @param embedding      width of a soft token
/// @param values         `[images, tokensPerImage, embedding]`, not to be changed
@SuppressWarnings("ArrayRecordComponent") // not compared
public record SoftTokens(int images, int tokensPerImage, int embedding, float[] values) {
    /// Throws `IllegalArgumentException` if there are not as many values as the extents say.
    public SoftTokens {
        if (images < 1 || (long) images * tokensPerImage * embedding != values.length) {
            throw new IllegalArgumentException("soft tokens: got %d values, need [%d, %d, %d] with at least one image"
                    .formatted(values.length, images, tokensPerImage, embedding));
        }
    }
}
