package dev.lapidary.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// A file inside a jar, told apart from any other by the size and checksum that the jar's directory gives without
/// reading it.
///
/// @param url  where to read it
/// @param jar  the jar's own name, without `.jar`
/// @param name the file's name, without folders
/// @param size bytes, unpacked
/// @param crc  CRC-32 of the unpacked bytes
record PackagedFile(URL url, String jar, String name, long size, long crc) {

    static PackagedFile of(URL url) throws IOException {
        String name = lastSegment(url.getPath());
        URLConnection connection = open(url);
        if (connection instanceof JarURLConnection inJar) {
            try (JarFile jar = inJar.getJarFile()) {
                JarEntry entry = jar.getJarEntry(inJar.getEntryName());
                String jarName = lastSegment(inJar.getJarFileURL().getPath()).replaceFirst("\\.jar$", "");
                return new PackagedFile(url, jarName, name, entry.getSize(), entry.getCrc());
            }
        }
        // A run-time image and the like: no directory to ask, so the bytes are read
        CRC32 crc = new CRC32();
        try (InputStream in = new CheckedInputStream(connection.getInputStream(), crc)) {
            long size = in.transferTo(OutputStream.nullOutputStream());
            return new PackagedFile(url, url.getProtocol(), name, size, crc.getValue());
        }
    }

    /// Uncached, so that closing the stream closes the jar.
    InputStream read() throws IOException {
        return open(url).getInputStream();
    }

    private static URLConnection open(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return connection;
    }

    private static String lastSegment(String path) {
        Path name = Path.of(path).getFileName();
        return name == null ? "" : name.toString();
    }
}
