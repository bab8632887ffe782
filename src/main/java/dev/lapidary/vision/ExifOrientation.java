package dev.lapidary.vision;

import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// How the picture of a JPEG file lies, which its EXIF data tell (tag 0x0112 of CIPA DC-008).
final class ExifOrientation {
    /// EXIF data stand in front of the picture's, in one segment of at most 64 KiB; a profile or two may come
    /// first.
    private static final int HEAD_BYTES = 1 << 20;

    private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int APP1 = 0xffe1;
    private static final int START_OF_SCAN = 0xffda;
    private static final int ORIENTATION = 0x0112;
    private static final int TIFF_MAGIC = 42;

    private ExifOrientation() {}

    /// 1 to 8; 1, as it is, where the file does not say or says nonsense.
    static int of(Path file) throws IOException {
        try (InputStream input = Files.newInputStream(file)) {
            return of(input.readNBytes(HEAD_BYTES));
        }
    }

    static int of(byte[] jpeg) {
        try {
            ByteBuffer head = ByteBuffer.wrap(jpeg).position(2);
            while (head.remaining() >= 4) {
                int marker = head.getShort() & 0xffff;
                int length = (head.getShort() & 0xffff) - 2;
                if (marker < 0xff00 || marker == START_OF_SCAN || length < 0) {
                    return 1;
                }
                byte[] segment = new byte[length];
                head.get(segment);
                if (marker == APP1
                        && length > EXIF.length
                        && Arrays.equals(Arrays.copyOf(segment, EXIF.length), EXIF)) {
                    return orientation(ByteBuffer.wrap(segment, EXIF.length, length - EXIF.length)
                            .slice());
                }
            }
            return 1;
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            return 1; // cut short
        }
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
