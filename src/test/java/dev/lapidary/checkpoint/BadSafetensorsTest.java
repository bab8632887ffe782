package dev.lapidary.checkpoint;

import static dev.lapidary.checkpoint.RawSafetensors.entry;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Each way a safetensors file can be wrong, and what is said about it.
class BadSafetensorsTest {
    private static final String A = entry("a", "F32", "[2]", 0, 8);

    private Path file = Path.of("");

    @BeforeEach
    void nameFile(@TempDir Path folder) {
        file = folder.resolve("m.safetensors");
    }

    static Stream<Arguments> layouts() {
        return Stream.of(
                arguments(
                        entry("a", "F32", "[2]", 0, 8),
                        7,
                        "a: got data_offsets [0, 8], need them within the 7 bytes after the header; "
                                + "the file may be truncated"),
                arguments(A, 9, "got 9 bytes after the header, need 8, where a ends"),
                arguments(
                        entry("a", "F32", "[3]", 0, 8), 8, "a: got 8 bytes (data_offsets [0, 8]), need 12 for F32 [3]"),
                arguments(entry("a", "F32", "[2]", -8, 0), 8, "a: got data_offsets [-8, 0], need 0 <= begin <= end"),
                arguments(entry("a", "F32", "[2]", 8, 0), 8, "a: got data_offsets [8, 0], need 0 <= begin <= end"),
                arguments(
                        A + "," + entry("b", "F16", "[2]", 6, 10),
                        10,
                        "b: got data_offsets [6, 10], need a begin of 8, where a ends: the two overlap"),
                arguments(
                        A + "," + entry("b", "F16", "[2]", 10, 14),
                        14,
                        "b: got data_offsets [10, 14], need a begin of 8, where a ends: "
                                + "the bytes between belong to no tensor"),
                arguments(
                        entry("a", "F32", "[2]", 4, 12),
                        12,
                        "a: got data_offsets [4, 12], need a begin of 0, where the header ends: "
                                + "the bytes between belong to no tensor"),
                arguments(
                        entry("a", "F32", "[-2,-1]", 0, 8),
                        8,
                        "a: got F32 [-2, -1], need extents >= 0 and a whole number of bytes that fits 64 bits "
                                + "(negative extent)"),
                arguments(
                        entry("a", "F32", "[4294967296,4294967296,0]", 0, 0),
                        0,
                        "a: got F32 [4294967296, 4294967296, 0], need extents >= 0 and a whole number of bytes that "
                                + "fits 64 bits (long overflow)"),
                arguments(
                        entry("a", "F4", "[3]", 0, 2),
                        2,
                        "a: got F4 [3], need extents >= 0 and a whole number of bytes that fits 64 bits "
                                + "(part of a byte)"));
    }

    static Stream<Arguments> entries() {
        return Stream.of(
                arguments(A + "," + A, "a: got it twice in the header, need it once"),
                arguments("'a':7", "a: got a number, need an object"),
                arguments("'a':null", "a: got null, need an object"),
                arguments("'a':{}", "a: got no dtype, need one"),
                arguments("'a':{'dtype':'F32','data_offsets':[0,8]}", "a: got no shape, need one"),
                arguments("'a':{'dtype':'F32','shape':[2]}", "a: got no data_offsets, need one"),
                arguments("'a':{'dtype':'F32','dtype':'F32'}", "a: got dtype twice, need it once"),
                arguments(
                        "'a':{'dtype':'F32','scale':2}",
                        "a: got the key \"scale\", need dtype, shape and data_offsets only"),
                arguments("'a':{'dtype':32}", "a: dtype: got a number, need a string"),
                arguments(
                        "'a':{'dtype':'f32'}",
                        "a: got dtype \"f32\", need one of the format's (F32, BF16, F16 can be computed with)"),
                arguments("'a':{'shape':2}", "a: shape: got a number, need a list"),
                arguments("'a':{'shape':['2']}", "a: shape: got a string, need a number"),
                arguments("'a':{'shape':[2.5]}", "a: shape: got 2.5, need an integer that fits 64 bits"),
                arguments(
                        "'a':{'shape':[99999999999999999999]}",
                        "a: shape: got 99999999999999999999, need an integer that fits 64 bits"),
                arguments(
                        "'a':{'shape':[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
                        "a: shape: got 17 numbers or more, need at most 16"),
                arguments("'a':{'data_offsets':[0,true]}", "a: data_offsets: got a boolean, need a number"),
                arguments(
                        "'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}",
                        "a: got data_offsets [0], need [begin, end]"),
                arguments(
                        "'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4,8]}",
                        "a: got data_offsets [0, 4, 8], need [begin, end]"),
                arguments("'__metadata__':[]", "__metadata__: got a list, need an object"),
                arguments("'__metadata__':{'k':1}", "__metadata__: got a number, need a string"),
                arguments("'__metadata__':{'k':'','k':''}", "__metadata__: got the key \"k\" twice, need it once"),
                arguments(
                        "'__metadata__':{%s}"
                                .formatted(IntStream.range(0, 10_001)
                                        .mapToObj("'k%d':''"::formatted)
                                        .collect(Collectors.joining(","))),
                        "__metadata__: got 10001 keys or more, need at most 10000"),
                arguments(
                        "'%s':{}".formatted("n".repeat(1025)),
                        "header: got 1025 characters in a tensor's name or more, need at most 1024"),
                arguments(
                        IntStream.range(0, 100_001)
                                .mapToObj(i -> entry("t" + i, "U8", "[0]", 0, 0))
                                .collect(Collectors.joining(",")),
                        "header: got 100001 tensors or more, need at most 100000"));
    }

    static Stream<Arguments> texts() {
        return Stream.of(
                arguments("", "header: got malformed JSON: End of input at line 1 column 1 path $"),
                arguments("[]", "header: got a list, need an object"),
                arguments("{", "header: got malformed JSON: End of input at line 1 column 2 path $."),
                arguments("{} {}", "header: got malformed JSON: a syntax error at line 1 column 5 path $"),
                arguments("{}\0", "header: got malformed JSON: a syntax error at line 1 column 4 path $"),
                arguments("{a:1}", "header: got malformed JSON: a syntax error at line 1 column 3 path $."),
                arguments(
                        "{\"a\":{\"shape\":[1,]}}",
                        "header: got malformed JSON: a syntax error at line 1 column 19 path $.a.shape[1]"));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void namesTheTensorThatDoesNotFit(String entries, int dataBytes, String message) throws IOException {
        assertRefused(RawSafetensors.write(file, "{" + entries + "}", dataBytes), message);
    }

    @ParameterizedTest
    @MethodSource("entries")
    void namesTheEntryThatIsNotOne(String entries, String message) throws IOException {
        assertRefused(RawSafetensors.write(file, "{" + entries.replace('\'', '"') + "}", 8), message);
    }

    @ParameterizedTest
    @MethodSource("texts")
    void saysWhereTheHeaderStopsBeingJson(String header, String message) throws IOException {
        assertRefused(RawSafetensors.write(file, header, 0), message);
    }

    @Test
    void refusesBytesThatAreNotUtf8() throws IOException {
        byte[] header = "{\"\u00ff\":{}}".getBytes(ISO_8859_1);
        assertRefused(RawSafetensors.write(file, header, 0), "header: got bytes that are not UTF-8");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7})
    void refusesAFileTooShortForAHeader(int size) throws IOException {
        Files.write(file, new byte[size]);
        assertRefused(file, "got a file of %d bytes, need at least the 8 of a header's length".formatted(size));
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 100_000_001, Long.MAX_VALUE, -1, Long.MIN_VALUE})
    void refusesAHeaderLongerThanTheFile(long length) throws IOException {
        Files.write(file, RawSafetensors.bytes(length, "{}".getBytes(UTF_8), 0));
        assertRefused(
                file,
                "got a header of %s bytes, need at most 2 (the file has 10, the format allows 100000000)"
                        .formatted(Long.toUnsignedString(length)));
    }

    @Test
    void refusesAHeaderLongerThanTheFormatAllows() throws IOException {
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(RawSafetensors.bytes(100_000_001, new byte[0], 0));
            sparse.setLength(200_000_000);
        }
        assertRefused(
                file,
                "got a header of 100000001 bytes, need at most 100000000 "
                        + "(the file has 200000000, the format allows 100000000)");
    }

    @Test
    void refusesDeepNesting() throws IOException {
        // refused at the first level already: nothing in a header nests further than the format says
        assertRefused(RawSafetensors.write(file, "{\"a\":" + "[".repeat(100_000), 0), "a: got a list, need an object");
    }

    @Test
    void explainsAGitLfsPointer() throws IOException {
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5000000000\n");
        assertRefused(file, "got a Git LFS pointer, need the file it stands for (git lfs pull fetches it)");
    }

    @Test
    void refusesWhatIsNotAFile() throws IOException {
        assertRefused(file, "does not exist");
        Files.createSymbolicLink(file, Path.of("blobs/123"));
        assertRefused(file, "links to blobs/123, which does not exist");
        Files.delete(file);
        Files.createDirectory(file);
        assertRefused(file, "got a folder, need a file");
        Path device = Path.of("/dev/zero");
        if (Files.exists(device)) {
            assertRefused(device, "got a device or pipe, need a file");
        }
    }

    @Test
    void keepsControlCharactersOutOfTheMessage() throws IOException {
        assertRefused(RawSafetensors.write(file, "{\"\\u001b[2Ja\":1}", 0), "?[2Ja: got a number, need an object");
    }

    @Test
    void cutsLongValuesInTheMessage() throws IOException {
        RawSafetensors.write(file, "{\"a\":{\"dtype\":\"%s\"}}".formatted("F".repeat(10_000)), 0);
        assertRefused(
                file,
                "a: got dtype \"" + "F".repeat(160)
                        + "... (10000 characters)\", need one of the format's (F32, BF16, F16 can be computed with)");
    }

    private static void assertRefused(Path file, String message) {
        try (Arena arena = Arena.ofShared()) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> SafetensorsFile.map(file, arena))
                    .satisfies(refusal -> assertThat(refusal).hasMessage(file + ": " + message));
        }
    }
}
