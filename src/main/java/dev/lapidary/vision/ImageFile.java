package dev.lapidary.vision;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;

/// Reads PNG and JPEG files into pictures of red, green and blue: alpha is dropped and grey spread to the colours, as
/// the reference does, and a picture that lies on its side is set upright as its EXIF data say.
public final class ImageFile {
    /// Pixels of the largest picture read: 192 MiB decoded.
    static final long MAX_PIXELS = 1 << 26;

    private static final Set<String> FORMATS = Set.of("png", "jpeg");

    private ImageFile() {}

    /// Decodes `file`.
    ///
    /// @throws IOException naming the file and what is wrong: no picture, of another format, too large, or damaged
    public static RgbImage read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("%s: got %s, need a PNG or JPEG file"
                    .formatted(file, Files.exists(file) ? "no regular file" : "nothing there"));
        }
        try (ImageInputStream input = new FileImageInputStream(new File(file.toString()))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
            if (!readers.hasNext()) {
                throw new IOException("%s: got no image that is known, need PNG or JPEG".formatted(file));
            }
            ImageReader reader = readers.next();
            try {
                return read(file, reader, input);
            } finally {
                reader.dispose();
            }
        }
    }

    private static RgbImage read(Path file, ImageReader reader, ImageInputStream input) throws IOException {
        String format = reader.getFormatName().toLowerCase(Locale.ROOT);
        if (!FORMATS.contains(format)) {
            throw new IOException("%s: got an image in %s, need PNG or JPEG".formatted(file, format));
        }
        BufferedImage image;
        try {
            reader.setInput(input, true, true);
            long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
            if (pixels > MAX_PIXELS) {
                throw new TooLargeException("%s: got %d x %d pixels, need at most %d in all"
                        .formatted(file, reader.getWidth(0), reader.getHeight(0), MAX_PIXELS));
            }
            image = reader.read(0);
        } catch (TooLargeException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // the readers throw all sorts at damaged files
            throw new IOException(
                    "%s: cannot be decoded, got %s with %s, need one that is whole and grey or RGB"
                            .formatted(file, format, e.getMessage()),
                    e);
        }
        int orientation = format.equals("jpeg") ? ExifOrientation.of(file) : 1;
        return new RgbImage(image.getWidth(), image.getHeight(), rgb(image)).upright(orientation);
    }

    /// The samples as they are stored: the JDK's own conversion would apply the gamma of a grey colour space.
    private static byte[] rgb(BufferedImage image) {
        int width = image.getWidth();
        byte[] rgb = new byte[3 * width * image.getHeight()];
        boolean indexed = image.getColorModel() instanceof IndexColorModel;
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        int[] row = new int[width * Math.max(bands, 1)];
        for (int y = 0; y < image.getHeight(); y++) {
            if (indexed) {
                image.getRGB(0, y, width, 1, row, 0, width);
            } else {
                raster.getPixels(0, y, width, 1, row);
            }
            for (int x = 0; x < width; x++) {
                for (int colour = 0; colour < 3; colour++) {
                    int band = bands < 3 ? 0 : colour;
                    int sample = indexed
                            ? row[x] >> (16 - 8 * colour) & 0xff
                            : eightBits(
                                    row[x * bands + band],
                                    raster.getSampleModel().getSampleSize(band));
                    rgb[3 * (y * width + x) + colour] = (byte) sample;
                }
            }
        }
        return rgb;
    }

    private static int eightBits(int sample, int bits) {
        return bits >= 8 ? sample >> (bits - 8) : sample * 255 / ((1 << bits) - 1);
    }

    /// Explained already.
    private static final class TooLargeException extends IOException {
        private static final long serialVersionUID = 1;

        TooLargeException(String message) {
            super(message);
        }
    }
}
