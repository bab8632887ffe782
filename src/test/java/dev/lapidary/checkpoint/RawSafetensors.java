package dev.lapidary.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Safetensors files written byte by byte, so that they can be wrong.
final class RawSafetensors {
    private RawSafetensors() {}

    /// A file of that header, unpadded, and `dataBytes` bytes 1, 2, 3, ... behind it.
    static Path write(Path file, String header, int dataBytes) throws IOException {
        return write(file, header.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    static Path write(Path file, byte[] header, int dataBytes) throws IOException {
        return Files.write(file, bytes(header.length, header, dataBytes));
    }

    /// The same with any header length in front.
    static byte[] bytes(long headerLength, byte[] header, int dataBytes) {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(header);
        for (int i = 1; i <= dataBytes; i++) {
            bytes.put((byte) i);
        }
        return bytes.array();
    }

    /// `"name":{...}` of one tensor.
    static String entry(String name, String dtype, String shape, long begin, long end) {
        return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(name, dtype, shape, begin, end);
    }
}
