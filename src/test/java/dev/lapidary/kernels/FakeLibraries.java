package dev.lapidary.kernels;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Files that look like libraries from outside, and jars of them.
final class FakeLibraries {
    static final int X86_64 = 62;
    static final int ARM64 = 183;

    private FakeLibraries() {}

    /// The beginning of a 64-bit ELF file for `machine`, then `body`.
    static byte[] elf(int machine, String body) {
        byte[] text = body.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(64 + text.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1})
                .putShort(18, (short) machine)
                .put(64, text)
                .array();
    }

    /// Writes a jar and returns the URL of one of its entries.
    static URL inJar(Path jar, String entry, Map<String, byte[]> entries) {
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> each : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(each.getKey()));
                zip.write(each.getValue());
                zip.closeEntry();
            }
            return entryOf(jar, entry);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static URL entryOf(Path jar, String entry) throws IOException {
        return URI.create("jar:" + jar.toUri() + "!/" + entry).toURL();
    }
}
