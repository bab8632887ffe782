package dev.lapidary.vision;

import dev.lapidary.vision.VisionConfig.Projector;

/// A picture as the tower takes it: resized to its square whatever the proportions, and normalised to -1 to 1.
public final class ImagePreparation {
    private ImagePreparation() {}

    /// Writes `[3, imageSize, imageSize]` to `pixels`, from element `to` on.
    public static void prepare(RgbImage image, VisionConfig config, float[] pixels, int to) {
        Resampling filter = config.projector() == Projector.POOLED ? Resampling.BILINEAR : Resampling.BICUBIC;
        prepare(image, filter, config.imageSize(), pixels, to);
    }

    static void prepare(RgbImage image, Resampling filter, int size, float[] pixels, int to) {
        byte[] rgb = filter.resize(image, size, size).rgb();
        int plane = size * size;
        for (int i = 0; i < rgb.length; i++) {
            pixels[to + i % 3 * plane + i / 3] = ((rgb[i] & 0xff) / 255f - 0.5f) / 0.5f;
        }
    }
}
