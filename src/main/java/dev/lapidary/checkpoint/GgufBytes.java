package dev.lapidary.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// What stands before the tensors of a GGUF file, as it is put together.
final class GgufBytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /// The low `count` bytes of a value, little-endian.
    GgufBytes append(long value, int count) {
        for (int i = 0; i < count; i++) {
            bytes.write((int) (value >>> (Byte.SIZE * i)));
        }
        return this;
    }

    GgufBytes int32(int value) {
        return append(value, Integer.BYTES);
    }

    GgufBytes int64(long value) {
        return append(value, Long.BYTES);
    }

    /// UTF-8 behind the 8 bytes of its length.
    GgufBytes string(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        int64(utf8.length);
        bytes.writeBytes(utf8);
        return this;
    }

    GgufBytes append(byte[] more) {
        bytes.writeBytes(more);
        return this;
    }

    /// Zeros up to the next multiple of `alignment`.
    GgufBytes align(int alignment) {
        return append(new byte[Math.floorMod(-bytes.size(), alignment)]);
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }
}
