package dev.lapidary.vision;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/// Decoded samples as red, green and blue of 8 bits: as they are stored, without any colour profile, as the reference
/// takes them.
final class Samples {
    private static final int COLOURS = 3;
    private static final int PRECISION_BITS = 16;

    private Samples() {}

    /// Alpha is dropped and grey spread to the colours. The JDK's own conversion would apply the gamma of a grey
    /// colour space.
    static RgbImage of(BufferedImage image) {
        int width = image.getWidth();
        byte[] rgb = new byte[COLOURS * width * image.getHeight()];
        boolean indexed = image.getColorModel() instanceof IndexColorModel;
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        int[] row = new int[width * bands];
        int[] bits = raster.getSampleModel().getSampleSize();
        for (int y = 0; y < image.getHeight(); y++) {
            if (indexed) {
                image.getRGB(0, y, width, 1, row, 0, width);
            } else {
                raster.getPixels(0, y, width, 1, row);
            }
            for (int x = 0; x < width; x++) {
                for (int colour = 0; colour < COLOURS; colour++) {
                    int band = bands < COLOURS ? 0 : colour;
                    int sample =
                            indexed ? row[x] >> (16 - 8 * colour) & 0xff : eightBits(row[x * bands + band], bits[band]);
                    rgb[COLOURS * (y * width + x) + colour] = (byte) sample;
                }
            }
        }
        return new RgbImage(width, image.getHeight(), rgb);
    }

    private static int eightBits(int sample, int bits) {
        return bits >= 8 ? sample >> (bits - 8) : sample * 255 / ((1 << bits) - 1);
    }

    /// Four inks of a JPEG file, stored inverted as Adobe does it, over one another.
    ///
    /// Source: Pillow 11.1 `Convert.c`, and for YCCK libjpeg's `jdcolor.c`.
    ///
    /// @param ycck whether the first three are luminance and two differences
    static RgbImage ofInks(Raster raster, boolean ycck) {
        int width = raster.getWidth();
        byte[] rgb = new byte[COLOURS * width * raster.getHeight()];
        int[] row = new int[width * raster.getNumBands()];
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int at = x * raster.getNumBands();
                if (ycck) {
                    toInks(row, at);
                }
                int black = row[at + COLOURS];
                for (int colour = 0; colour < COLOURS; colour++) {
                    int product = (255 - row[at + colour]) * black + 128;
                    int covered = ((product >> 8) + product) >> 8;
                    rgb[COLOURS * (y * width + x) + colour] = (byte) (black - covered);
                }
            }
        }
        return new RgbImage(width, raster.getHeight(), rgb);
    }

    private static void toInks(int[] row, int at) {
        int blue = row[at + 1] - 128;
        int red = row[at + 2] - 128;
        int luminance = row[at];
        row[at] = 255 - clamp(luminance + rounded(fixed(1.402) * red));
        row[at + 1] = 255 - clamp(luminance + rounded(-fixed(0.34414) * blue - fixed(0.71414) * red));
        row[at + 2] = 255 - clamp(luminance + rounded(fixed(1.772) * blue));
    }

    private static int fixed(double factor) {
        return (int) (factor * (1 << PRECISION_BITS) + 0.5);
    }

    private static int rounded(int fixed) {
        return (fixed + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS;
    }

    private static int clamp(int sample) {
        return Math.clamp(sample, 0, 255);
    }
}
