package dev.lapidary.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Writes a GGUF file, version 3, as its values come: metadata and shapes are known at the start, the tensors' bytes
/// follow in order, in pieces of any size. The file appears under its name only when [#finish()] returns, complete;
/// without that, [#close()] leaves nothing behind. For one thread.
public final class GgufWriter implements AutoCloseable {
    private static final int VERSION = 3;
    private static final int ALIGNMENT = GgufHeaderReader.DEFAULT_ALIGNMENT;

    private final ReplacedFile file;
    private final List<GgufTensorSpec> tensors;
    private int tensor;
    private long left;

    private GgufWriter(ReplacedFile file, List<GgufTensorSpec> tensors) {
        this.file = file;
        this.tensors = List.copyOf(tensors);
    }

    /// Starts `file`, which may exist already and is then replaced at the end. Throws `IllegalArgumentException`
    /// for two tensors of one name, and for a key that says the alignment, which is always 32.
    public static GgufWriter create(Path file, GgufKeys keys, List<GgufTensorSpec> tensors) throws IOException {
        if (keys.has(GgufHeaderReader.ALIGNMENT)) {
            throw new IllegalArgumentException(
                    "keys: got %s, need none: it is %d".formatted(GgufHeaderReader.ALIGNMENT, ALIGNMENT));
        }
        byte[] header = header(keys, tensors);
        ReplacedFile replaced = ReplacedFile.create(file);
        try {
            replaced.append(header);
            GgufWriter writer = new GgufWriter(replaced, tensors);
            writer.begin();
            return writer;
        } catch (IOException | RuntimeException e) {
            replaced.close();
            throw e;
        }
    }

    /// Appends bytes of the tensors, in their order, as they stand in the file. Throws `IllegalStateException` for
    /// more of them than the current tensor has left, so that a tensor is never continued in the next by mistake.
    public void write(MemorySegment bytes) throws IOException {
        if (bytes.byteSize() > left) {
            throw new IllegalStateException("%s: got %d bytes for %s, need at most %d"
                    .formatted(file.target(), bytes.byteSize(), current(), left));
        }
        file.append(bytes);
        left -= bytes.byteSize();
        if (left == 0 && tensor < tensors.size()) {
            file.append(padding(tensors.get(tensor).bytes()));
            tensor++;
            begin();
        }
    }

    /// Completes the file and gives it its name. Throws `IllegalStateException` if bytes are missing.
    public void finish() throws IOException {
        if (tensor < tensors.size()) {
            throw new IllegalStateException(
                    "%s: got %d bytes too few for %s".formatted(file.target(), left, current()));
        }
        file.finish();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /// The next tensor that has bytes.
    private void begin() {
        while (tensor < tensors.size() && tensors.get(tensor).bytes() == 0) {
            tensor++;
        }
        left = tensor < tensors.size() ? tensors.get(tensor).bytes() : 0;
    }

    private String current() {
        return tensor < tensors.size() ? tensors.get(tensor).name() : "the end";
    }

    private static byte[] header(GgufKeys keys, List<GgufTensorSpec> tensors) {
        GgufBytes header = new GgufBytes()
                .int32(GgufHeaderReader.MAGIC)
                .int32(VERSION)
                .int64(tensors.size())
                .int64(keys.count())
                .append(keys.bytes());
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (GgufTensorSpec tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException(
                        "tensors: got the name \"%s\" twice, need each its own".formatted(tensor.name()));
            }
            header.string(tensor.name()).int32(tensor.shape().size());
            tensor.shape().reversed().forEach(header::int64);
            header.int32(tensor.type().number()).int64(offset);
            offset = Math.addExact(offset, tensor.bytes() + padding(tensor.bytes()).length);
        }
        return header.align(ALIGNMENT).toBytes();
    }

    private static byte[] padding(long bytes) {
        return new byte[Math.floorMod(-bytes, ALIGNMENT)];
    }
}
