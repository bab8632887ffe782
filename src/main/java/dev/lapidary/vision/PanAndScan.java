package dev.lapidary.vision;

import java.util.ArrayList;
import java.util.List;

/// Cuts long pictures into crops side by side, so that less is lost when each is resized to the tower's square.
///
/// Source: huggingface/transformers 5.14, `models/gemma3/image_processing_gemma3.py`; the numbers of
/// `processing_gemma3.py`.
///
/// @param minCropSize least pixels of a crop's sides
/// @param maxCrops    most crops of a picture
/// @param minRatio    of the longer side to the other, from which on a picture is cropped
public record PanAndScan(int minCropSize, int maxCrops, double minRatio) {
    /// As the reference does it.
    public static final PanAndScan USUAL = new PanAndScan(256, 4, 1.2);

    /// A crop, in pixels.
    record Box(int x, int y, int width, int height) {}

    /// The crops of a picture, from left to right or from top to bottom; none where it is not to be cropped.
    public List<RgbImage> crops(RgbImage image) {
        return boxes(image.width(), image.height()).stream()
                .map(box -> image.crop(box.x, box.y, box.width, box.height))
                .toList();
    }

    List<Box> boxes(int width, int height) {
        boolean portrait = height > width;
        int longer = Math.max(width, height);
        int shorter = Math.min(width, height);
        double ratio = (double) longer / shorter;
        if (ratio < minRatio) {
            return List.of();
        }
        int wanted = Math.min((int) Math.floor(ratio + 0.5), longer / minCropSize);
        int count = Math.min(maxCrops, Math.max(2, wanted));
        int step = Math.ceilDiv(longer, count);
        if (Math.min(step, shorter) < minCropSize) {
            return List.of();
        }
        List<Box> boxes = new ArrayList<>();
        for (int from = 0; from < longer; from += step) {
            int size = Math.min(step, longer - from);
            boxes.add(portrait ? new Box(0, from, width, size) : new Box(from, 0, size, height));
        }
        return boxes;
    }
}
