package dev.lapidary.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// Files out of jars as files on disk, each set in a folder named after its jar and the checksum of its files.
///
/// A file appears complete or not at all: it is written beside its place, checked, flushed and renamed, so processes
/// that start together may each write it and whichever rename is last leaves the same bytes. Its modification time is
/// then set to a time made of its checksum. A later start looks at size and time only; any other size or time has the
/// file read and, if its checksum is wrong, written anew. What this cannot see is damage that keeps both, such as a
/// failing disk: reading 90 MB at every start would.
///
/// @param root the folder of folders
record LibraryCache(Path root) {
    /// Names another folder than `$XDG_CACHE_HOME/lapidary`.
    static final String PROPERTY = "lapidary.cache";

    private static final String UNFINISHED = ".part";

    /// The folder of this user; never one that others can write, since what lies in it is loaded.
    static LibraryCache of(Host host) throws IOException {
        String named = host.property(PROPERTY);
        if (named != null) {
            return new LibraryCache(Path.of(named).toAbsolutePath());
        }
        String caches = host.environment("XDG_CACHE_HOME");
        if (caches != null && Path.of(caches).isAbsolute()) {
            return new LibraryCache(Path.of(caches, "lapidary"));
        }
        String home = host.property("user.home");
        if (home == null || !Path.of(home).isAbsolute()) {
            throw new IOException("this user has no home folder");
        }
        return new LibraryCache(Path.of(home, ".cache", "lapidary"));
    }

    /// The folder that holds all of `files`, written if need be.
    Path folderWith(List<PackagedFile> files) throws IOException {
        CRC32 crc = new CRC32();
        for (PackagedFile file : files) {
            crc.update("%s %d %08x\n"
                    .formatted(file.name(), file.size(), file.crc())
                    .getBytes(StandardCharsets.UTF_8));
        }
        Path folder = root.resolve("%s-%08x".formatted(files.getFirst().jar(), crc.getValue()));
        for (PackagedFile file : files) {
            Path place = folder.resolve(file.name());
            if (!isIntact(place, file)) {
                write(file, place);
            }
        }
        return folder;
    }

    private static boolean isIntact(Path place, PackagedFile file) throws IOException {
        if (!Files.isRegularFile(place)) {
            return false;
        }
        BasicFileAttributes found = Files.readAttributes(place, BasicFileAttributes.class);
        if (found.size() != file.size()) {
            return false;
        }
        if (found.lastModifiedTime().equals(stamp(file))) {
            return true;
        }
        try (InputStream in = Files.newInputStream(place)) {
            if (crcOf(in) != file.crc()) {
                return false;
            }
        }
        try {
            Files.setLastModifiedTime(place, stamp(file));
        } catch (FileSystemException e) {
            // Read-only, and good: the next start reads it again
        }
        return true;
    }

    private static void write(PackagedFile file, Path place) throws IOException {
        Path folder = Files.createDirectories(place.getParent());
        removeAbandoned(folder);
        Path unfinished = Files.createTempFile(
                folder,
                file.name(),
                UNFINISHED,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--")));
        try {
            CRC32 crc = new CRC32();
            long size;
            try (InputStream in = new CheckedInputStream(file.read(), crc);
                    FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.WRITE);
                    OutputStream out = Channels.newOutputStream(channel)) {
                size = in.transferTo(out);
                // A rename may reach the disk before the bytes do: a power cut would leave a file of the right size
                channel.force(true);
            }
            if (size != file.size() || crc.getValue() != file.crc()) {
                throw new IOException("%s: got %d bytes with CRC %08x, need %d with %08x"
                        .formatted(file.url(), size, crc.getValue(), file.size(), file.crc()));
            }
            Files.setLastModifiedTime(unfinished, stamp(file));
            Files.move(unfinished, place, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /// What a process left behind that was killed while it wrote.
    private static void removeAbandoned(Path folder) throws IOException {
        Instant longAgo = Instant.now().minus(Duration.ofHours(1));
        try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(folder, "*" + UNFINISHED)) {
            for (Path file : unfinished) {
                if (file.toFile().lastModified() < longAgo.toEpochMilli()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /// A whole second below 2^31, which every file system keeps.
    private static FileTime stamp(PackagedFile file) {
        return FileTime.from(Instant.ofEpochSecond(file.crc() & Integer.MAX_VALUE));
    }

    private static long crcOf(InputStream in) throws IOException {
        CRC32 crc = new CRC32();
        new CheckedInputStream(in, crc).transferTo(OutputStream.nullOutputStream());
        return crc.getValue();
    }
}
