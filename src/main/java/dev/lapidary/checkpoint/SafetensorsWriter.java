package dev.lapidary.checkpoint;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Writes a safetensors file as its values come: the shapes are known at the start, the elements follow in order, in
/// pieces of any size. The file appears under its name only when [#finish()] returns, complete; without that,
/// [#close()] leaves nothing behind. For one thread.
///
/// Tensors lie in the order given. Put larger element types first, as the reference does, so that each is aligned.
public final class SafetensorsWriter implements AutoCloseable {
    private final ReplacedFile file;
    private final long dataBytes;
    private long written;

    private SafetensorsWriter(ReplacedFile file, long dataBytes) {
        this.file = file;
        this.dataBytes = dataBytes;
    }

    /// Starts `file`, which may exist already and is then replaced at the end.
    public static SafetensorsWriter create(Path file, List<TensorSpec> tensors) throws IOException {
        byte[] header = header(tensors);
        long dataBytes = tensors.stream().mapToLong(TensorSpec::bytes).reduce(0, Math::addExact);
        ReplacedFile replaced = ReplacedFile.create(file);
        try {
            replaced.append(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(header.length)
                    .array());
            replaced.append(header);
            return new SafetensorsWriter(replaced, dataBytes);
        } catch (IOException | RuntimeException e) {
            replaced.close();
            throw e;
        }
    }

    /// Appends elements, little-endian, in the order of the tensors. Throws `IllegalStateException` for more of
    /// them than the shapes have.
    public void write(MemorySegment elements) throws IOException {
        if (elements.byteSize() > dataBytes - written) {
            throw new IllegalStateException("%s: got %d bytes after %d, need %d in all"
                    .formatted(file.target(), elements.byteSize(), written, dataBytes));
        }
        written += elements.byteSize();
        file.append(elements);
    }

    /// Completes the file and gives it its name. Throws `IllegalStateException` if elements are missing.
    public void finish() throws IOException {
        if (written != dataBytes) {
            throw new IllegalStateException("%s: got %d bytes, need %d".formatted(file.target(), written, dataBytes));
        }
        file.finish();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /// The JSON header, padded with spaces so that the data starts at a multiple of 8.
    private static byte[] header(List<TensorSpec> tensors) throws IOException {
        StringWriter text = new StringWriter();
        Set<String> names = new HashSet<>(Set.of("__metadata__"));
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            long begin = 0;
            for (TensorSpec tensor : tensors) {
                if (!names.add(tensor.name())) {
                    throw new IllegalArgumentException(
                            "tensors: got the name \"%s\" twice or reserved, need each its own"
                                    .formatted(tensor.name()));
                }
                json.name(tensor.name()).beginObject();
                json.name("dtype").value(tensor.type().name());
                json.name("shape").beginArray();
                for (long extent : tensor.shape()) {
                    json.value(extent);
                }
                json.endArray();
                long end = Math.addExact(begin, tensor.bytes());
                json.name("data_offsets").beginArray().value(begin).value(end).endArray();
                json.endObject();
                begin = end;
            }
            json.endObject();
        }
        int unpadded = text.toString().getBytes(StandardCharsets.UTF_8).length;
        text.write(" ".repeat(Math.floorMod(-unpadded, Long.BYTES)));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
