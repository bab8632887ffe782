package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Objects;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files changed at random: each is read, every byte of it, or refused with a [CheckpointException], soon and without
/// asking for memory that the file does not have.
class MutatedCheckpointTest {
    /// Per test; `-Dlapidary.mutations=200000` looks harder.
    private static final int FILES = Integer.getInteger("lapidary.mutations", 1500);

    private static final int DATA_BYTES = 40;

    @TempDir
    private Path folder = Path.of("");

    @Test
    void safetensorsAreReadOrRefused() throws IOException {
        int read = mutate(folder.resolve("m.safetensors"), smallFile(), true, file -> {
            try (Arena arena = Arena.ofConfined()) {
                touch(SafetensorsFile.map(file, arena).tensors().values());
            }
        });
        assertThat(read).as("some survive, most do not").isBetween(FILES / 100, FILES / 2);
    }

    @Test
    void configsAreReadOrRefused() throws IOException {
        byte[] good;
        try (InputStream in = getClass().getResourceAsStream("/oracle/gemma1-mqa/config.json")) {
            good = Objects.requireNonNull(in).readAllBytes();
        }
        int read = mutate(folder.resolve("config.json"), good, false, file -> touch(ConfigKeys.read(file)));
        assertThat(read).isBetween(FILES / 100, FILES / 2);
    }

    @Test
    void indexesAreReadOrRefused() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.write(folder.resolve("1.safetensors"), smallFile());
        String good = "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\",\"c\":\"1.safetensors\"}}";
        int read = mutate(
                folder.resolve("model.safetensors.index.json"),
                good.getBytes(StandardCharsets.UTF_8),
                false,
                this::open);
        assertThat(read).isBetween(FILES / 1000, FILES / 2);
    }

    private interface Reader {
        void read(Path file) throws CheckpointException;
    }

    private void open(Path index) throws CheckpointException {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            touch(checkpoint.tensors().values());
        }
    }

    /// How many mutated files `reader` took; with `repaired`, half of them say their header's true length.
    private int mutate(Path file, byte[] good, boolean repaired, Reader reader) throws IOException {
        int read = 0;
        for (int seed = 0; seed < FILES; seed++) {
            Random random = new Random(seed);
            byte[] bytes = Mutations.mutated(good, random, Mutations.JSON);
            Files.write(file, repaired && random.nextBoolean() ? withRightLength(bytes) : bytes);
            try (Limits _ = new Limits(seed)) {
                reader.read(file);
                read++;
            } catch (CheckpointException refused) {
                assertThat(refused.getMessage()).startsWith(folder.toString()).hasSizeLessThan(2000);
            } catch (RuntimeException | Error e) {
                fail("seed " + seed, e);
            }
        }
        return read;
    }

    private static void touch(Collection<Tensor> tensors) {
        CRC32 sum = new CRC32();
        for (Tensor tensor : tensors) {
            sum.update(tensor.data().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private static void touch(ConfigKeys config) {
        for (String key : config.keys()) {
            try {
                config.intValue(key);
            } catch (CheckpointException refused) {
                assertThat(refused.getMessage()).contains(": got ", ", need ");
            }
        }
    }

    private static byte[] smallFile() {
        String header = "{\"__metadata__\":{\"format\":\"pt\"},%s,%s,%s}"
                .formatted(
                        RawSafetensors.entry("a", "F32", "[2,3]", 0, 24),
                        RawSafetensors.entry("b", "BF16", "[4]", 24, 32),
                        RawSafetensors.entry("c", "I64", "[]", 32, 40));
        return RawSafetensors.bytes(header.length(), header.getBytes(StandardCharsets.UTF_8), DATA_BYTES);
    }

    /// A safetensors file whose header has the length it says, so that a change of size gets past that check.
    private static byte[] withRightLength(byte[] file) {
        if (file.length > Long.BYTES + DATA_BYTES) {
            ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(0, file.length - Long.BYTES - DATA_BYTES);
        }
        return file;
    }
}
