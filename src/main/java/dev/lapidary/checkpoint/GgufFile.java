package dev.lapidary.checkpoint;

import dev.lapidary.checkpoint.GgufHeader.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// One GGUF file, mapped: header, metadata, tensor table, the tensors' bytes. Mapping follows the same rule as
/// [SafetensorsFile]: replace such files by renaming, never by writing over them.
///
/// @param path     the file, as given
/// @param metadata keys and values
/// @param tensors  by name, in the order of their bytes; shapes are row-major, the other way round than in the file
public record GgufFile(Path path, GgufMetadata metadata, SequencedMap<String, Tensor> tensors) {
    private static final String PARTS = "split.count";
    private static final String PART = "split.no";
    private static final String ALL_TENSORS = "split.tensors.count";
    private static final int MAX_PARTS = 10_000;

    public GgufFile {
        tensors = Collections.unmodifiableSequencedMap(tensors);
    }

    /// Maps `file` for as long as `arena` lives; costs no more than reading what stands before the tensors. Every
    /// tensor is aligned for its type.
    public static GgufFile map(Path file, Arena arena) throws CheckpointException {
        try (FileChannel channel = RegularFile.open(file)) {
            GgufHeader header = GgufHeaderReader.read(file, channel);
            long fileBytes = channel.size();
            SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
            MemorySegment mapped = channel.map(MapMode.READ_ONLY, 0, fileBytes, arena);
            for (Entry entry : header.inFileOrder(file, fileBytes)) {
                MemorySegment data = entry.bytes() == 0
                        ? mapped.asSlice(0, 0)
                        : mapped.asSlice(header.dataStart() + entry.offset(), entry.bytes(), Long.BYTES);
                tensors.put(entry.name(), new Tensor(entry.name(), entry.type().name(), entry.shape(), data, file));
            }
            return new GgufFile(file, header.metadata(), tensors);
        } catch (IOException e) {
            throw RegularFile.unreadable(file, e);
        }
    }

    /// The checkpoint in `file` and, if it is the first part of a split one, in the other parts.
    ///
    /// @param path what the caller asked for
    static Checkpoint open(Path path, Path file, Arena arena) throws CheckpointException {
        GgufFile first = map(file, arena);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>(first.tensors);
        GgufMetadata metadata = first.metadata;
        int parts = metadata.intValue(PARTS, 1);
        if (parts < 0 || parts > MAX_PARTS) {
            throw metadata.problem(PARTS, "0 to %d".formatted(MAX_PARTS));
        }
        if (parts > 1) {
            if (metadata.intValue(PART) != 0) {
                throw metadata.problem(
                        PART, "0: the first part, whose name ends in -00001-of-%05d.gguf".formatted(parts));
            }
            for (int number = 2; number <= parts; number++) {
                addPart(tensors, map(GgufPlace.part(file, number, parts), arena), number, parts);
            }
            if (metadata.has(ALL_TENSORS) && metadata.intValue(ALL_TENSORS) != tensors.size()) {
                throw metadata.problem(ALL_TENSORS, "the %d that the parts hold".formatted(tensors.size()));
            }
        }
        return new Checkpoint(path, new Configuration.Gguf(metadata), tensors, arena);
    }

    private static void addPart(SequencedMap<String, Tensor> tensors, GgufFile part, int number, int parts)
            throws CheckpointException {
        if (part.metadata.intValue(PARTS) != parts) {
            throw part.metadata.problem(PARTS, "%d as the first part says".formatted(parts));
        }
        if (part.metadata.intValue(PART) != number - 1) {
            throw part.metadata.problem(PART, "%d as its name says".formatted(number - 1));
        }
        for (Tensor tensor : part.tensors.values()) {
            Tensor other = tensors.putIfAbsent(tensor.name(), tensor);
            if (other != null) {
                throw new CheckpointException(
                        "%s: %s: got it in %s too, need it once".formatted(part.path, tensor.name(), other.file()));
            }
        }
    }
}
