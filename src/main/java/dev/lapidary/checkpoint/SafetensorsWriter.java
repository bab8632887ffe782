package dev.lapidary.checkpoint;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/// Writes a safetensors file as its values come: the shapes are known at the start, the elements follow in order, in
/// pieces of any size. The file appears under its name only when [#finish()] returns, complete; without that,
/// [#close()] leaves nothing behind. For one thread.
///
/// Tensors lie in the order given. Put larger element types first, as the reference does, so that each is aligned.
public final class SafetensorsWriter implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path target;
    private final Path part;
    private final FileChannel channel;
    private final long dataBytes;
    private long written;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final MemorySegment staging = MemorySegment.ofBuffer(buffer.duplicate());

    private SafetensorsWriter(Path target, Path part, long dataBytes) throws IOException {
        this.target = target;
        this.part = part;
        this.dataBytes = dataBytes;
        this.channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /// Starts `file`, which may exist already and is then replaced at the end.
    public static SafetensorsWriter create(Path file, List<TensorSpec> tensors) throws IOException {
        byte[] header = header(tensors);
        long dataBytes = tensors.stream().mapToLong(TensorSpec::bytes).reduce(0, Math::addExact);
        Path target = replaceable(file);
        Path part = target.resolveSibling(".%s.%s.part"
                .formatted(
                        target.getFileName(),
                        Long.toHexString(ThreadLocalRandom.current().nextLong())));
        SafetensorsWriter writer = new SafetensorsWriter(target, part, dataBytes);
        try {
            writer.buffer.putLong(header.length);
            writer.append(MemorySegment.ofArray(header));
            return writer;
        } catch (IOException | RuntimeException e) {
            writer.close();
            throw e;
        }
    }

    /// Appends elements, little-endian, in the order of the tensors. Throws `IllegalStateException` for more of
    /// them than the shapes have.
    public void write(MemorySegment elements) throws IOException {
        if (elements.byteSize() > dataBytes - written) {
            throw new IllegalStateException("%s: got %d bytes after %d, need %d in all"
                    .formatted(target, elements.byteSize(), written, dataBytes));
        }
        written += elements.byteSize();
        append(elements);
    }

    /// Completes the file and gives it its name. Throws `IllegalStateException` if elements are missing.
    public void finish() throws IOException {
        if (written != dataBytes) {
            throw new IllegalStateException("%s: got %d bytes, need %d".formatted(target, written, dataBytes));
        }
        flush();
        channel.force(true);
        channel.close();
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(part);
    }

    /// Where the file goes: through a link, and never in place of a device (`/dev/null`) or a folder.
    private static Path replaceable(Path file) throws IOException {
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new IOException("%s: got something that is not a file, need a file or a new name".formatted(file));
        }
        Path folder = target.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException("%s: its folder does not exist".formatted(file));
        }
        return target;
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

    private void append(MemorySegment bytes) throws IOException {
        long done = 0;
        while (done < bytes.byteSize()) {
            if (!buffer.hasRemaining()) {
                flush();
            }
            int piece = (int) Math.min(buffer.remaining(), bytes.byteSize() - done);
            MemorySegment.copy(bytes, done, staging, buffer.position(), piece);
            buffer.position(buffer.position() + piece);
            done += piece;
        }
    }

    private void flush() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }
}
