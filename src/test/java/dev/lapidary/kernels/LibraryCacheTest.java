package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryCacheTest {
    private static final byte[] BYTES = "what a library is made of".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    private Path jar;
    private LibraryCache cache;
    private PackagedFile packaged;

    @BeforeEach
    void packageOneFile() throws IOException {
        jar = folder.resolve("things-1.2.jar");
        URL url = FakeLibraries.inJar(jar, "a/libthing.so", Map.of("a/libthing.so", BYTES));
        packaged = PackagedFile.of(url);
        cache = new LibraryCache(folder.resolve("cache"));
    }

    @Test
    void unpacksIntoAFolderNamedAfterJarAndChecksum() throws IOException {
        Path unpacked = cache.folderWith(List.of(packaged));

        assertThat(unpacked.getFileName().toString()).matches("things-1\\.2-[0-9a-f]{8}");
        assertThat(filesIn(unpacked)).containsExactly("libthing.so");
        assertThat(unpacked.resolve("libthing.so")).hasBinaryContent(BYTES);
    }

    @Test
    void otherBytesUnderTheSameNameGetAnotherFolder() throws IOException {
        Path one = cache.folderWith(List.of(packaged));
        URL url = FakeLibraries.inJar(jar, "a/libthing.so", Map.of("a/libthing.so", new byte[] {1}));

        assertThat(cache.folderWith(List.of(PackagedFile.of(url)))).isNotEqualTo(one);
    }

    @Test
    void aLaterStartReadsNeitherTheJarNorTheFile() throws IOException {
        Path file = cache.folderWith(List.of(packaged)).resolve("libthing.so");
        FileTime stamp = Files.getLastModifiedTime(file);
        Files.delete(jar);
        Files.write(file, new byte[BYTES.length]);
        Files.setLastModifiedTime(file, stamp);

        assertThat(cache.folderWith(List.of(packaged)).resolve("libthing.so")).hasBinaryContent(new byte[BYTES.length]);
    }

    @Test
    void aTruncatedFileIsWrittenAnew() throws IOException {
        Path file = cache.folderWith(List.of(packaged)).resolve("libthing.so");
        FileTime stamp = Files.getLastModifiedTime(file);
        Files.write(file, new byte[3]);
        Files.setLastModifiedTime(file, stamp);

        cache.folderWith(List.of(packaged));
        assertThat(file).hasBinaryContent(BYTES);
    }

    @Test
    void aFileOfOtherBytesIsWrittenAnew() throws IOException {
        Path file = cache.folderWith(List.of(packaged)).resolve("libthing.so");
        Files.write(file, new byte[BYTES.length]);

        cache.folderWith(List.of(packaged));
        assertThat(file).hasBinaryContent(BYTES);
    }

    @Test
    void anIntactFileWithAnotherTimeIsKept() throws IOException {
        Path file = cache.folderWith(List.of(packaged)).resolve("libthing.so");
        FileTime stamp = Files.getLastModifiedTime(file);
        Object key = Files.readAttributes(file, "fileKey").get("fileKey");
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));

        cache.folderWith(List.of(packaged));
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(stamp);
        assertThat(Files.readAttributes(file, "fileKey")).containsEntry("fileKey", key);
    }

    @Test
    void aDamagedJarLeavesNothingBehind() {
        PackagedFile promised =
                new PackagedFile(packaged.url(), packaged.jar(), packaged.name(), packaged.size(), packaged.crc() ^ 1);

        assertThatThrownBy(() -> cache.folderWith(List.of(promised)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("libthing.so: got 25 bytes with CRC %08x, need 25 with %08x"
                        .formatted(packaged.crc(), promised.crc()));
        assertThat(cache.root()).isDirectoryNotContaining("glob:**/*.part").isDirectoryNotContaining("glob:**/*.so");
    }

    @Test
    void whatAKilledProcessLeftIsRemoved() throws IOException {
        Path unpacked = cache.folderWith(List.of(packaged));
        Path old = Files.createFile(unpacked.resolve("libthing.so123.part"));
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(1))));
        Path recent = Files.createFile(unpacked.resolve("libthing.so456.part"));
        Files.delete(unpacked.resolve("libthing.so"));

        cache.folderWith(List.of(packaged));
        assertThat(filesIn(unpacked))
                .containsExactlyInAnyOrder("libthing.so", recent.getFileName().toString());
    }

    @Test
    void isWhereThePropertySaysElseWhereTheDesktopKeepsCachesElseInTheHomeFolder() throws IOException {
        FakeHost host = new FakeHost(folder.resolve("named"));
        host.environment.put("XDG_CACHE_HOME", "/caches");
        host.properties.put("user.home", "/home/someone");
        assertThat(LibraryCache.of(host).root()).isEqualTo(folder.resolve("named"));

        host.properties.remove(LibraryCache.PROPERTY);
        assertThat(LibraryCache.of(host).root()).isEqualTo(Path.of("/caches/lapidary"));

        host.environment.put("XDG_CACHE_HOME", "relative, which the specification says to ignore");
        assertThat(LibraryCache.of(host).root()).isEqualTo(Path.of("/home/someone/.cache/lapidary"));

        host.properties.put("user.home", "?");
        assertThatThrownBy(() -> LibraryCache.of(host)).hasMessage("this user has no home folder");
    }

    private static List<String> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
