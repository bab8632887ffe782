package dev.lapidary.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// GGUF files put together byte by byte, so that they can be wrong.
final class RawGguf {
    private int version = 3;
    private long tensors;
    private long keys;
    private int dataBytes;
    private final GgufBytes metadata = new GgufBytes();
    private final GgufBytes table = new GgufBytes();

    RawGguf version(int number) {
        version = number;
        return this;
    }

    /// Says so many tensors more than there are.
    RawGguf moreTensors(long count) {
        tensors += count;
        return this;
    }

    RawGguf moreKeys(long count) {
        keys += count;
        return this;
    }

    /// A key, its type's number and its bytes.
    RawGguf key(String key, int type, byte[] value) {
        keys++;
        metadata.string(key).int32(type).append(value);
        return this;
    }

    RawGguf uint32(String key, int value) {
        return key(key, 4, new GgufBytes().int32(value).toBytes());
    }

    RawGguf array(String key, int type, long count, byte[] values) {
        return key(
                key, 9, new GgufBytes().int32(type).int64(count).append(values).toBytes());
    }

    /// A tensor; `extents` as the file has them, the fastest first.
    RawGguf tensor(String name, int type, long offset, long... extents) {
        tensors++;
        table.string(name).int32(extents.length);
        Arrays.stream(extents).forEach(table::int64);
        table.int32(type).int64(offset);
        return this;
    }

    RawGguf data(int bytes) {
        dataBytes = bytes;
        return this;
    }

    byte[] toBytes() {
        GgufBytes file = new GgufBytes()
                .int32(GgufHeaderReader.MAGIC)
                .int32(version)
                .int64(tensors)
                .int64(keys)
                .append(metadata.toBytes())
                .append(table.toBytes())
                .align(32);
        for (int i = 1; i <= dataBytes; i++) {
            file.append(i, 1);
        }
        return file.toBytes();
    }

    Path write(Path file) throws IOException {
        return Files.write(file, toBytes());
    }
}
