package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Each way a GGUF file can be wrong, and what is said about it.
class BadGgufTest {
    private Path file = Path.of("");

    @BeforeEach
    void nameFile(@TempDir Path folder) {
        file = folder.resolve("m.gguf");
    }

    static Stream<Arguments> headers() {
        return Stream.of(
                arguments(new RawGguf().version(1), "version: got 1, need 2 or 3"),
                arguments(new RawGguf().version(4), "version: got 4, need 2 or 3"),
                arguments(
                        new RawGguf().version(0x03000000),
                        "version: got 50331648, need 2 or 3; the file may be big-endian"),
                arguments(new RawGguf().moreTensors(-1), "tensors: got 18446744073709551615, need at most 100000"),
                arguments(new RawGguf().moreTensors(100_001), "tensors: got 100001, need at most 100000"),
                arguments(new RawGguf().moreKeys(1L << 40), "metadata keys: got 1099511627776, need at most 10000"));
    }

    static Stream<Arguments> metadata() {
        byte[] none = new byte[0];
        return Stream.of(
                arguments(new RawGguf().uint32("a", 1).uint32("a", 2), "a: got the key twice, need it once"),
                arguments(new RawGguf().uint32("", 1), "metadata key 0: got a name of 0 bytes, need 1 to 1024"),
                arguments(
                        new RawGguf().uint32("k".repeat(1025), 1),
                        "metadata key 0: got a name of 1025 bytes, need 1 to 1024"),
                arguments(new RawGguf().key("a", 13, none), "a: got type 13, need one of 0 to 12"),
                arguments(new RawGguf().key("a", -1, none), "a: got type 4294967295, need one of 0 to 12"),
                arguments(
                        new RawGguf().array("a", 9, 1, none),
                        "a: got an array of arrays, need one of numbers or strings"),
                arguments(
                        new RawGguf().array("a", 0, -1, none),
                        "a: got 18446744073709551615 elements, need at most 100000000"),
                arguments(
                        new RawGguf().array("a", 8, 12_500_001, none),
                        "a: got 12500001 elements, need at most 12500000"),
                arguments(
                        new RawGguf().array("a", 6, 10, new byte[8]),
                        "a: got 40 bytes from byte 49 on, need at most 15 (the file has 64, this version reads "
                                + "100000000 before the tensors); the file may be truncated"),
                arguments(
                        new RawGguf()
                                .array(
                                        "a",
                                        8,
                                        2,
                                        new GgufBytes()
                                                .string("x")
                                                .int64(Long.MAX_VALUE)
                                                .toBytes()),
                        "a: got 9223372036854775807 bytes from byte 66 on, need at most 30 (the file has 96, this "
                                + "version reads 100000000 before the tensors); the file may be truncated"),
                arguments(
                        new RawGguf().uint32("general.alignment", 0),
                        "general.alignment: got 0, need a power of two from 8 to 1048576"),
                arguments(
                        new RawGguf().uint32("general.alignment", 48),
                        "general.alignment: got 48, need a power of two from 8 to 1048576"),
                arguments(
                        new RawGguf().uint32("general.alignment", 4),
                        "general.alignment: got 4, need a power of two from 8 to 1048576"),
                arguments(
                        new RawGguf().uint32("general.alignment", 1 << 30),
                        "general.alignment: got 1073741824, need a power of two from 8 to 1048576"));
    }

    static Stream<Arguments> tensors() {
        return Stream.of(
                arguments(
                        new RawGguf().tensor("a", 0, 0, 1).tensor("a", 0, 32, 1).data(36),
                        "a: got a tensor of that name twice, need it once"),
                arguments(new RawGguf().tensor("", 0, 0, 1), "tensor 0: got a name of 0 bytes, need 1 to 1024"),
                arguments(new RawGguf().tensor("a", 0, 0, 1, 1, 1, 1, 1), "a: got 5 extents, need at most 4"),
                arguments(new RawGguf().tensor("a", 4, 0, 1), "a: got tensor type 4, need one this version knows"),
                arguments(
                        new RawGguf().tensor("a", -1, 0, 1),
                        "a: got tensor type 4294967295, need one this version knows"),
                arguments(
                        new RawGguf().tensor("a", 0, 0, -1),
                        "a: got F32 [-1], need extents >= 0, whole blocks and bytes that fit 64 bits "
                                + "(negative extent)"),
                arguments(
                        new RawGguf().tensor("a", 0, 0, 1L << 32, 1L << 32),
                        "a: got F32 [4294967296, 4294967296], need extents >= 0, whole blocks and bytes that fit "
                                + "64 bits (long overflow)"),
                arguments(
                        new RawGguf().tensor("a", 0, 0, 1L << 61),
                        "a: got F32 [2305843009213693952], need extents >= 0, whole blocks and bytes that fit "
                                + "64 bits (long overflow)"),
                arguments(
                        new RawGguf().tensor("a", 12, 0, 128, 2),
                        "a: got Q4_K [2, 128], need extents >= 0, whole blocks and bytes that fit 64 bits "
                                + "(rows of 128, blocks of 256)"),
                arguments(new RawGguf().tensor("a", 0, 16, 1).data(32), "a: got offset 16, need a multiple of 32"),
                arguments(
                        new RawGguf().tensor("a", 0, -32, 1).data(32),
                        "a: got offset 18446744073709551584, need a multiple of 32"),
                arguments(
                        new RawGguf().tensor("a", 0, 0, 2).data(7),
                        "a: got 8 bytes (F32 [2]) at offset 0, need them within the 7 bytes of the data; the file "
                                + "may be truncated"),
                arguments(
                        new RawGguf().tensor("a", 0, 1L << 62, 2).data(8),
                        "a: got 8 bytes (F32 [2]) at offset 4611686018427387904, need them within the 8 bytes of "
                                + "the data; the file may be truncated"),
                arguments(
                        new RawGguf().tensor("a", 0, 0, 9).tensor("b", 0, 32, 1).data(64),
                        "b: got offset 32, need at least 36, where a ends"),
                arguments(
                        new RawGguf().tensor("a", 0, 0, 9).tensor("b", 0, 0, 9).data(64),
                        "b: got offset 0, need at least 36, where a ends"));
    }

    @ParameterizedTest
    @MethodSource({"headers", "metadata", "tensors"})
    void isRefusedByName(RawGguf raw, String problem) throws IOException {
        raw.write(file);
        assertRefused(problem);
    }

    @Test
    void otherFilesAreNoGguf() throws IOException {
        Files.writeString(file, "GGML and more");
        assertRefused("magic: got 4c4d4747, need 46554747 (GGUF)");
        Files.writeString(file, "");
        assertRefused("magic: got 4 bytes from byte 0 on, need at most 0 (the file has 0, this version reads 100000000 "
                + "before the tensors); the file may be truncated");
    }

    @Test
    void truncatedAnywhereItIsRefused() throws IOException {
        byte[] whole = new RawGguf()
                .uint32("a", 1)
                .array("b", 8, 2, new GgufBytes().string("x").string("y").toBytes())
                .tensor("t", 0, 0, 2, 2)
                .data(16)
                .toBytes();
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(this::map)
                    .withMessageEndingWith("the file may be truncated");
        }
    }

    /// A header that claims gigabytes takes none.
    @Test
    void claimsAreHeldAgainstTheFileBeforeAnythingIsAllocated() throws IOException {
        new RawGguf().array("a", 12, 12_500_000, new byte[0]).write(file);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(this::map)
                .withMessageContaining("a: got 100000000 bytes");
    }

    private void map() throws CheckpointException {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(GgufFile.map(file, arena).tensors()).isNotNull();
        }
    }

    private void assertRefused(String problem) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(this::map)
                .withMessage(file + ": " + problem);
    }
}
