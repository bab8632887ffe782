package dev.lapidary.vision;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.IntPredicate;

/// Finds the parts that picture files are made of. What is cut short or makes no sense is not found.
final class FileChunks {
    private static final int START_OF_SCAN = 0xda;
    private static final int FRAME_COMPONENTS = 5;
    private static final int PNG_SIGNATURE_BYTES = 8;
    private static final int RIFF_HEADER_BYTES = 12;

    private FileChunks() {}

    /// Colours of a JPEG file's pixels, as its frame header says; 0 if there is none.
    static int jpegComponents(byte[] file) {
        return jpeg(file, FileChunks::isFrame, "")
                .filter(frame -> frame.capacity() > FRAME_COMPONENTS)
                .map(frame -> frame.get(FRAME_COMPONENTS) & 0xff)
                .orElse(0);
    }

    /// `SOF0` to `SOF15`, between which three others stand.
    private static boolean isFrame(int marker) {
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }

    /// The content, behind `start`, of the first segment of a JPEG file with that marker and beginning, in front of
    /// the first scan.
    ///
    /// @param marker accepts its second byte
    static Optional<ByteBuffer> jpeg(byte[] file, IntPredicate marker, String start) {
        byte[] begin = start.getBytes(StandardCharsets.US_ASCII);
        int at = 2;
        while (at + 4 <= file.length && (file[at] & 0xff) == 0xff) {
            int found = file[at + 1] & 0xff;
            if (found == 0xff) { // fill
                at++;
                continue;
            }
            int length = (file[at + 2] & 0xff) << 8 | (file[at + 3] & 0xff);
            if (found == START_OF_SCAN || length < 2 || at + 2 + length > file.length) {
                return Optional.empty();
            }
            ByteBuffer content = ByteBuffer.wrap(file, at + 4, length - 2).slice();
            if (marker.test(found) && begins(content, begin)) {
                return Optional.of(rest(content, begin.length));
            }
            at += 2 + length;
        }
        return Optional.empty();
    }

    /// The content of the first chunk of that type in a PNG file.
    static Optional<ByteBuffer> png(byte[] file, String type) {
        return chunk(ByteBuffer.wrap(file), PNG_SIGNATURE_BYTES, type, false);
    }

    /// The content of the first chunk of that type in a WebP file.
    static Optional<ByteBuffer> riff(byte[] file, String type) {
        return chunk(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN), RIFF_HEADER_BYTES, type, true);
    }

    /// @param riff whether the type stands before the length and chunks begin at even places; else the length does,
    ///             and four bytes of a checksum follow the content
    private static Optional<ByteBuffer> chunk(ByteBuffer file, int from, String type, boolean riff) {
        byte[] wanted = type.getBytes(StandardCharsets.US_ASCII);
        long at = from;
        while (at + 8 <= file.capacity()) {
            int typeAt = (int) at + (riff ? 0 : 4);
            long length = file.getInt((int) at + (riff ? 4 : 0)) & 0xffff_ffffL;
            if (at + 8 + length > file.capacity()) {
                return Optional.empty();
            }
            if (begins(file.slice(typeAt, 4), wanted)) {
                return Optional.of(file.slice((int) at + 8, (int) length));
            }
            at += 8 + length + (riff ? length & 1 : 4);
        }
        return Optional.empty();
    }

    static boolean begins(ByteBuffer content, byte[] begin) {
        return content.remaining() >= begin.length
                && content.slice(content.position(), begin.length).equals(ByteBuffer.wrap(begin));
    }

    static ByteBuffer rest(ByteBuffer content, int from) {
        return content.slice(from, content.capacity() - from);
    }
}
