package dev.lapidary.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// What stands before the tensors' bytes in a GGUF file.
///
/// @param metadata  the keys and their values
/// @param entries   the tensors
/// @param alignment bytes that the data and each tensor start at a multiple of
/// @param dataStart first byte of the data
record GgufHeader(GgufMetadata metadata, List<Entry> entries, int alignment, long dataStart) {

    /// @param shape row-major: the file's extents the other way round
    /// @param offset first byte, counted from the start of the data; not checked yet
    record Entry(String name, GgmlType type, List<Long> shape, long offset, long bytes) {}

    /// The entries in the order of their bytes, after checking that each lies within the file, aligned, and apart
    /// from the others.
    List<Entry> inFileOrder(Path file, long fileBytes) throws CheckpointException {
        List<Entry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparingLong(Entry::offset).thenComparingLong(Entry::bytes));
        long dataBytes = Math.max(0, fileBytes - dataStart);
        String previous = "";
        long end = 0;
        for (Entry entry : ordered) {
            if (entry.offset < 0 || entry.offset % alignment != 0) {
                throw problem(
                        file,
                        entry,
                        "got offset %s, need a multiple of %d"
                                .formatted(Long.toUnsignedString(entry.offset), alignment));
            }
            if (entry.offset > dataBytes || entry.bytes > dataBytes - entry.offset) {
                throw problem(
                        file,
                        entry,
                        "got %d bytes (%s %s) at offset %d, need them within the %d bytes of the data; the file may be truncated"
                                .formatted(entry.bytes, entry.type, entry.shape, entry.offset, dataBytes));
            }
            if (entry.offset < end) {
                throw problem(
                        file,
                        entry,
                        "got offset %d, need at least %d, where %s ends".formatted(entry.offset, end, previous));
            }
            previous = entry.name;
            end = entry.offset + entry.bytes;
        }
        return ordered;
    }

    private static CheckpointException problem(Path file, Entry entry, String problem) {
        return new CheckpointException("%s: %s: %s".formatted(file, entry.name, problem));
    }
}
