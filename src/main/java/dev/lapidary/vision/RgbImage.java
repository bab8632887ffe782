package dev.lapidary.vision;

/// A picture of 8 bits per colour.
///
/// @param width  pixels
/// @param height pixels
/// @param rgb    `[height, width, 3]`
@SuppressWarnings("ArrayRecordComponent") // shared, never changed, never compared
public record RgbImage(int width, int height, byte[] rgb) {
    private static final int COLOURS = 3;

    /// Throws `IllegalArgumentException` if there are not as many bytes as the extents say.
    public RgbImage {
        if (width < 1 || height < 1 || (long) COLOURS * width * height != rgb.length) {
            throw new IllegalArgumentException(
                    "image: got %d bytes, need [%d, %d, 3] of at least one pixel".formatted(rgb.length, height, width));
        }
    }

    /// A part of it.
    RgbImage crop(int x, int y, int cropWidth, int cropHeight) {
        byte[] part = new byte[COLOURS * cropWidth * cropHeight];
        for (int row = 0; row < cropHeight; row++) {
            int from = COLOURS * ((y + row) * width + x);
            System.arraycopy(rgb, from, part, COLOURS * row * cropWidth, COLOURS * cropWidth);
        }
        return new RgbImage(cropWidth, cropHeight, part);
    }

    /// As it is to be looked at, of a picture that lies as EXIF's orientation says: 1 as it is, 2 to 8 mirrored or
    /// turned.
    RgbImage upright(int orientation) {
        if (orientation <= 1 || orientation > 8) {
            return this;
        }
        boolean turned = orientation >= 5;
        int toWidth = turned ? height : width;
        int toHeight = turned ? width : height;
        byte[] to = new byte[rgb.length];
        for (int y = 0; y < toHeight; y++) {
            for (int x = 0; x < toWidth; x++) {
                int across = turned ? y : x;
                int down = turned ? x : y;
                boolean mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
                boolean upended = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
                int fromX = mirrored ? width - 1 - across : across;
                int fromY = upended ? height - 1 - down : down;
                System.arraycopy(rgb, COLOURS * (fromY * width + fromX), to, COLOURS * (y * toWidth + x), COLOURS);
            }
        }
        return new RgbImage(toWidth, toHeight, to);
    }
}
