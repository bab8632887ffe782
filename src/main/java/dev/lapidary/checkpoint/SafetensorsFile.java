package dev.lapidary.checkpoint;

import dev.lapidary.checkpoint.SafetensorsHeader.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// One safetensors file, mapped: eight bytes with the header's length, the header (JSON), the tensors' bytes.
///
/// The size is checked against the header once, at opening. A mapping follows its file: if somebody truncates the file
/// in place later, Java code that touches the lost pages gets an `InternalError`, and native code a fatal signal. So
/// replace checkpoints by renaming, never by writing over them while they are open.
///
/// @param path the file, as given
/// @param metadata the `__metadata__` strings; empty without any
/// @param tensors by name, in the order of their bytes
public record SafetensorsFile(Path path, SequencedMap<String, String> metadata, SequencedMap<String, Tensor> tensors) {

    /// The reference's own bound (`MAX_HEADER_SIZE` in safetensors/src/tensor.rs).
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final byte[] GIT_LFS_POINTER = "version ".getBytes(StandardCharsets.US_ASCII);

    public SafetensorsFile {
        metadata = Collections.unmodifiableSequencedMap(metadata);
        tensors = Collections.unmodifiableSequencedMap(tensors);
    }

    /// Maps `file` for as long as `arena` lives; costs no more than reading the header. The format does not promise
    /// alignment: a tensor whose bytes do not start at a multiple of its element's size is copied into memory of
    /// the arena (all copies together up to the heap's own limit), the others are used in place.
    public static SafetensorsFile map(Path file, Arena arena) throws CheckpointException {
        return map(file, arena, new AlignedCopies(arena));
    }

    static SafetensorsFile map(Path file, Arena arena, AlignedCopies copies) throws CheckpointException {
        try (FileChannel channel = RegularFile.open(file)) {
            long fileBytes = channel.size();
            byte[] json = headerJson(file, channel, fileBytes);
            SafetensorsHeader header = SafetensorsHeaderReader.read(file, json);
            long dataStart = LENGTH.byteSize() + json.length;
            SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
            MemorySegment mapped = channel.map(MapMode.READ_ONLY, 0, fileBytes, arena);
            for (Entry entry : header.inFileOrder(file, fileBytes - dataStart)) {
                long begin = dataStart + entry.begin();
                long bytes = entry.end() - entry.begin();
                int alignment = entry.type().alignment();
                MemorySegment data = begin % alignment == 0
                        ? mapped.asSlice(begin, bytes, alignment)
                        : copies.copy(file, entry, channel, begin);
                tensors.put(entry.name(), new Tensor(entry.name(), entry.type().name(), entry.shape(), data, file));
            }
            return new SafetensorsFile(file, header.metadata(), tensors);
        } catch (IOException e) {
            throw RegularFile.unreadable(file, e);
        }
    }

    private static byte[] headerJson(Path file, FileChannel channel, long fileBytes) throws IOException {
        long room = fileBytes - LENGTH.byteSize();
        if (room < 0) {
            throw new CheckpointException("%s: got a file of %d bytes, need at least the %d of a header's length"
                    .formatted(file, fileBytes, LENGTH.byteSize()));
        }
        byte[] prefix = new byte[(int) LENGTH.byteSize()];
        RegularFile.readFully(channel, 0, MemorySegment.ofArray(prefix));
        if (Arrays.equals(prefix, GIT_LFS_POINTER)) {
            throw new CheckpointException(
                    file + ": got a Git LFS pointer, need the file it stands for (git lfs pull fetches it)");
        }
        long length = MemorySegment.ofArray(prefix).get(LENGTH.withByteAlignment(1), 0);
        if (length < 0 || length > Math.min(room, MAX_HEADER_BYTES)) {
            throw new CheckpointException(
                    "%s: got a header of %s bytes, need at most %d (the file has %d, the format allows %d)"
                            .formatted(
                                    file,
                                    Long.toUnsignedString(length),
                                    Math.min(room, MAX_HEADER_BYTES),
                                    fileBytes,
                                    MAX_HEADER_BYTES));
        }
        byte[] json = new byte[(int) length];
        RegularFile.readFully(channel, LENGTH.byteSize(), MemorySegment.ofArray(json));
        return json;
    }
}
