package dev.lapidary.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SequencedMap;

/// The header of a safetensors file: what lies where in the data behind it.
///
/// @param metadata the `__metadata__` strings; empty without any
/// @param entries the tensors
record SafetensorsHeader(SequencedMap<String, String> metadata, List<Entry> entries) {

    /// @param begin first byte, counted from the end of the header
    /// @param end one past the last byte
    record Entry(String name, StoredType type, List<Long> shape, long begin, long end) {}

    /// The entries in the order of their bytes, after checking them as the reference does (`Metadata::validate` in
    /// safetensors/src/tensor.rs): each as long as its shape says, and all `dataBytes` covered exactly once.
    List<Entry> inFileOrder(Path file, long dataBytes) throws CheckpointException {
        List<Entry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        String previous = "the header";
        long covered = 0;
        for (Entry entry : ordered) {
            requireOwnBytes(file, entry, dataBytes);
            if (entry.begin != covered) {
                throw new CheckpointException("%s: %s: got data_offsets [%d, %d], need a begin of %d, where %s ends: %s"
                        .formatted(
                                file,
                                entry.name,
                                entry.begin,
                                entry.end,
                                covered,
                                previous,
                                entry.begin < covered ? "the two overlap" : "the bytes between belong to no tensor"));
            }
            previous = entry.name;
            covered = entry.end;
        }
        if (covered != dataBytes) {
            throw new CheckpointException("%s: got %d bytes after the header, need %d, where %s ends"
                    .formatted(file, dataBytes, covered, previous));
        }
        return ordered;
    }

    private static void requireOwnBytes(Path file, Entry entry, long dataBytes) throws CheckpointException {
        String offsets = "[%d, %d]".formatted(entry.begin, entry.end);
        if (entry.begin < 0 || entry.begin > entry.end) {
            throw new CheckpointException(
                    "%s: %s: got data_offsets %s, need 0 <= begin <= end".formatted(file, entry.name, offsets));
        }
        if (entry.end > dataBytes) {
            throw new CheckpointException(
                    "%s: %s: got data_offsets %s, need them within the %d bytes after the header; "
                                    .formatted(file, entry.name, offsets, dataBytes)
                            + "the file may be truncated");
        }
        long needed;
        try {
            needed = entry.type.bytes(entry.shape);
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    "%s: %s: got %s %s, need extents >= 0 and a whole number of bytes that fits 64 bits (%s)"
                            .formatted(file, entry.name, entry.type, entry.shape, e.getMessage()),
                    e);
        }
        if (entry.end - entry.begin != needed) {
            throw new CheckpointException("%s: %s: got %d bytes (data_offsets %s), need %d for %s %s"
                    .formatted(file, entry.name, entry.end - entry.begin, offsets, needed, entry.type, entry.shape));
        }
    }
}
