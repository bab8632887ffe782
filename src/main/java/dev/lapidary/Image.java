package dev.lapidary;

import dev.lapidary.vision.ImageFile;
import dev.lapidary.vision.PanAndScan;
import dev.lapidary.vision.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// A picture that a model with a vision tower can look at. Immutable.
public final class Image {
    private final RgbImage picture;
    private final List<RgbImage> crops;

    private Image(RgbImage picture, List<RgbImage> crops) {
        this.picture = picture;
        this.crops = crops;
    }

    /// Reads a PNG, JPEG, WebP, GIF or BMP file of up to 67,108,864 pixels, upright as its EXIF data say; of moving
    /// pictures the first. Alpha is dropped and colour profiles are not applied, as in the reference.
    ///
    /// @throws IOException naming the file and what is wrong: no picture, of another format, too large, or damaged
    public static Image read(Path file) throws IOException {
        return new Image(ImageFile.read(file), List.of());
    }

    /// As [#read(Path)], of the content of a file.
    ///
    /// @throws IOException saying what is wrong
    public static Image decode(byte... file) throws IOException {
        return new Image(ImageFile.decode(file), List.of());
    }

    /// A picture of 8 bits per colour.
    ///
    /// @param rgb `[height, width, 3]`, copied
    /// @throws IllegalArgumentException if there are not as many bytes as the extents say
    public static Image rgb(int width, int height, byte... rgb) {
        return new Image(new RgbImage(width, height, rgb.clone()), List.of());
    }

    /// The same picture for Gemma 3 to see in crops too, up to four side by side, where it is at least 1.2 times as
    /// long as wide and no crop has a side of fewer than 256 pixels; else it is seen whole as ever.
    public Image panAndScan() {
        return new Image(picture, PanAndScan.USUAL.crops(picture));
    }

    /// How many images the model sees: this, and its crops.
    public int views() {
        return 1 + crops.size();
    }

    /// Pixels from left to right.
    public int width() {
        return picture.width();
    }

    /// Pixels from top to bottom.
    public int height() {
        return picture.height();
    }

    /// All views.
    List<RgbImage> pictures() {
        return Stream.concat(Stream.of(picture), crops.stream()).toList();
    }
}
