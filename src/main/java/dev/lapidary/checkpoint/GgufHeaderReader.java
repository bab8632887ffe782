package dev.lapidary.checkpoint;

import dev.lapidary.checkpoint.GgufHeader.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads everything that stands before the tensors of a GGUF file, versions 2 and 3, little-endian.
///
/// Source: ggml/docs/gguf.md, and `gguf_init_from_reader` of ggml/src/gguf.cpp for what counts as broken.
final class GgufHeaderReader {
    static final int MAGIC = 0x46554747; // "GGUF"
    static final String ALIGNMENT = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;

    private static final int GIT_LFS_POINTER = 0x73726576; // "vers"
    private static final int MAX_ALIGNMENT = 1 << 20;
    private static final int MAX_KEYS = 10_000;
    private static final int MAX_TENSORS = 100_000;
    private static final int MAX_NAME_BYTES = 1024;
    private static final int MAX_RANK = 4;

    private final Path file;
    private final GgufInput in;

    private GgufHeaderReader(Path file, GgufInput in) {
        this.file = file;
        this.in = in;
    }

    static GgufHeader read(Path file, FileChannel channel) throws IOException {
        return new GgufHeaderReader(file, new GgufInput(file, channel)).header();
    }

    private GgufHeader header() throws IOException {
        requireMagicAndVersion();
        int tensors = count("tensors", MAX_TENSORS);
        int keys = count("metadata keys", MAX_KEYS);
        GgufMetadata metadata = new GgufMetadata(file.toString(), metadata(keys));
        int alignment = metadata.intValue(ALIGNMENT, DEFAULT_ALIGNMENT);
        if (alignment < Long.BYTES || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
            throw metadata.problem(ALIGNMENT, "a power of two from %d to %d".formatted(Long.BYTES, MAX_ALIGNMENT));
        }
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tensors; i++) {
            Entry entry = entry(i);
            if (!names.add(entry.name())) {
                throw in.problem(entry.name(), "got a tensor of that name twice, need it once");
            }
            entries.add(entry);
        }
        long dataStart = Math.ceilDiv(in.position(), (long) alignment) * alignment;
        return new GgufHeader(metadata, entries, alignment, dataStart);
    }

    private void requireMagicAndVersion() throws IOException {
        int magic = in.int32("magic");
        if (magic == GIT_LFS_POINTER) {
            throw new CheckpointException(
                    file + ": got a Git LFS pointer, need the file it stands for (git lfs pull fetches it)");
        }
        if (magic != MAGIC) {
            throw in.problem("magic", "got %08x, need %08x (GGUF)".formatted(magic, MAGIC));
        }
        int version = in.int32("version");
        if (version != 2 && version != 3) {
            String hint = (version & 0xFFFF) == 0 ? "; the file may be big-endian" : "";
            throw in.problem("version", "got %s, need 2 or 3%s".formatted(Integer.toUnsignedString(version), hint));
        }
    }

    private int count(String what, int most) throws IOException {
        long count = in.int64(what);
        if (count < 0 || count > most) {
            throw in.problem(what, "got %s, need at most %d".formatted(Long.toUnsignedString(count), most));
        }
        return (int) count;
    }

    private Map<String, GgufValue> metadata(int keys) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        for (int i = 0; i < keys; i++) {
            String key = name("metadata key %d".formatted(i), MAX_NAME_BYTES);
            if (metadata.put(key, value(key)) != null) {
                throw in.problem(key, "got the key twice, need it once");
            }
        }
        return metadata;
    }

    private GgufValue value(String key) throws IOException {
        GgufType type = type(key);
        if (type != GgufType.ARRAY) {
            long start = in.position();
            skipValues(key, type, 1);
            return new GgufValue(type, false, 1, in.since(start));
        }
        GgufType element = type(key);
        if (element == GgufType.ARRAY) {
            throw in.problem(key, "got an array of arrays, need one of numbers or strings");
        }
        long count = in.int64(key);
        int least = element == GgufType.STRING ? Long.BYTES : element.bytes();
        if (count < 0 || count > GgufInput.MAX_HEADER_BYTES / least) {
            throw in.problem(
                    key,
                    "got %s elements, need at most %d"
                            .formatted(Long.toUnsignedString(count), GgufInput.MAX_HEADER_BYTES / least));
        }
        long start = in.position();
        skipValues(key, element, count);
        return new GgufValue(element, true, (int) count, in.since(start));
    }

    private void skipValues(String key, GgufType type, long count) throws IOException {
        if (type == GgufType.STRING) {
            for (long i = 0; i < count; i++) {
                in.skip(in.int64(key), key);
            }
        } else {
            in.skip(count * type.bytes(), key);
        }
    }

    private GgufType type(String key) throws IOException {
        int number = in.int32(key);
        Optional<GgufType> type = GgufType.numbered(number);
        return type.orElseThrow(
                () -> in.problem(key, "got type %s, need one of 0 to 12".formatted(Integer.toUnsignedString(number))));
    }

    private Entry entry(int index) throws IOException {
        String name = name("tensor %d".formatted(index), MAX_NAME_BYTES);
        int rank = in.int32(name);
        if (rank < 0 || rank > MAX_RANK) {
            throw in.problem(
                    name, "got %s extents, need at most %d".formatted(Integer.toUnsignedString(rank), MAX_RANK));
        }
        List<Long> shape = new ArrayList<>(rank);
        for (int i = 0; i < rank; i++) {
            shape.addFirst(in.int64(name));
        }
        int number = in.int32(name);
        GgmlType type = GgmlType.numbered(number)
                .orElseThrow(() -> in.problem(
                        name,
                        "got tensor type %s, need one this version knows".formatted(Integer.toUnsignedString(number))));
        long offset = in.int64(name);
        try {
            return new Entry(name, type, List.copyOf(shape), offset, type.bytes(shape));
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    "%s: %s: got %s %s, need extents >= 0, whole blocks and bytes that fit 64 bits (%s)"
                            .formatted(file, name, type, shape, e.getMessage()),
                    e);
        }
    }

    private String name(String what, int mostBytes) throws IOException {
        long length = in.int64(what);
        if (length < 1 || length > mostBytes) {
            throw in.problem(
                    what, "got a name of %s bytes, need 1 to %d".formatted(Long.toUnsignedString(length), mostBytes));
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(in.bytes(length, what)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw in.problem(what, "got a name that is not UTF-8");
        }
    }
}
