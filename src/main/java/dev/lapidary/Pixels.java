package dev.lapidary;

/// Images as a model's tower takes them: all of one size, normalised to -1 to 1, colour by colour.
///
/// @param images how many images
/// @param height of each, pixels
/// @param width  of each, pixels
/// @param values `[images, 3, height, width]`: red, green and blue; not to be changed
@SuppressWarnings("ArrayRecordComponent") // not compared
public record Pixels(int images, int height, int width, float[] values) {
    /// Throws `IllegalArgumentException` if there are not as many values as the extents say.
    public Pixels {
        if (images < 1 || height < 1 || width < 1 || 3L * images * height * width != values.length) {
            throw new IllegalArgumentException("pixels: got %d values, need [%d, 3, %d, %d] with at least one image"
                    .formatted(values.length, images, height, width));
        }
    }
}
