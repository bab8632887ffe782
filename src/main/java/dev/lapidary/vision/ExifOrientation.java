package dev.lapidary.vision;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// How the picture of a file lies, which its EXIF data tell (tag 0x0112 of CIPA DC-008).
final class ExifOrientation {
    private static final String EXIF = "Exif\0\0";
    private static final int APP1 = 0xe1;
    private static final int ORIENTATION = 0x0112;
    private static final int TIFF_MAGIC = 42;

    private ExifOrientation() {}

    /// 1 to 8; 1, as it is, where the file does not say or says nonsense.
    static int of(ImageFormat format, byte[] file) {
        Optional<ByteBuffer> tiff = switch (format) {
            case JPEG -> FileChunks.jpeg(file, marker -> marker == APP1, EXIF);
            case PNG -> FileChunks.png(file, "eXIf");
            case WEBP -> FileChunks.riff(file, "EXIF").map(ExifOrientation::bare);
            case GIF, BMP -> Optional.empty();
        };
        try {
            return tiff.map(ExifOrientation::orientation).orElse(1);
        } catch (IndexOutOfBoundsException e) {
            return 1; // cut short
        }
    }

    /// Some writers of WebP put JPEG's prefix in front.
    private static ByteBuffer bare(ByteBuffer chunk) {
        byte[] prefix = EXIF.getBytes(StandardCharsets.US_ASCII);
        return FileChunks.begins(chunk, prefix) ? FileChunks.rest(chunk, prefix.length) : chunk;
    }

    private static int orientation(ByteBuffer tiff) {
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        if (tiff.getShort(2) != TIFF_MAGIC) {
            return 1;
        }
        int directory = tiff.getInt(4);
        int entries = tiff.getShort(directory) & 0xffff;
        for (int i = 0; i < entries; i++) {
            int entry = directory + 2 + 12 * i;
            if ((tiff.getShort(entry) & 0xffff) == ORIENTATION) {
                int value = tiff.getShort(entry + 8) & 0xffff;
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }
}
