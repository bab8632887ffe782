package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Limits;
import dev.lapidary.checkpoint.Mutations;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Models in Hugging Face layout changed at random in `config.json` or in the header of `model.safetensors`: config and
/// weights are read, or refused by an exception that names the file.
class MutatedModelTest {
    /// `-Dlapidary.mutations=200000` looks harder.
    private static final int FILES = Integer.getInteger("lapidary.mutations", 2000);

    private static final Path CONFIGS = Path.of("src/test/resources/configs");

    @TempDir
    private Path folder = Path.of("");

    @BeforeEach
    void write() {
        new TinyCheckpoint(9, 2, DataType.BF16)
                .config("rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 8.0}")
                .config("eos_token_id", "[1, 6]")
                .config("final_logit_softcapping", "null")
                .config("rope_local_base_freq", "10000.0")
                .write(folder);
    }

    @Test
    void everyConfigFitsTheWeightsOrIsRefused() throws IOException {
        Path file = folder.resolve("config.json");
        byte[] good = Files.readAllBytes(file);
        int read = 0;
        for (int seed = 0; seed < FILES; seed++) {
            Files.write(file, Mutations.mutated(good, new Random(seed), Mutations.JSON));
            read += open(seed) ? 1 : 0;
        }
        assertThat(read).as("some survive, most do not").isBetween(FILES / 100, FILES * 2 / 3);
    }

    @Test
    void everyHeaderFitsTheConfigOrIsRefused() throws IOException {
        Path file = folder.resolve("model.safetensors");
        byte[] good = Files.readAllBytes(file);
        int end = Long.BYTES + (int) buffer(good).getLong(0);
        byte[] header = Arrays.copyOfRange(good, Long.BYTES, end);
        byte[] tensors = Arrays.copyOfRange(good, end, good.length);
        int read = 0;
        for (int seed = 0; seed < FILES; seed++) {
            Random random = new Random(seed);
            byte[] changed = Mutations.mutated(header, random, Mutations.JSON);
            byte[] whole = new byte[Long.BYTES + changed.length + tensors.length];
            // Half of them say the length that they have, so that what is in them is looked at
            buffer(whole)
                    .putLong(random.nextBoolean() ? changed.length : header.length)
                    .put(changed)
                    .put(tensors);
            Files.write(file, whole);
            read += open(seed) ? 1 : 0;
        }
        assertThat(read).as("some survive, most do not").isBetween(FILES / 1000, FILES / 2);
    }

    /// Of real sizes, with all the keys that converters write.
    @ParameterizedTest
    @ValueSource(strings = {"gemma-7b", "gemma-2-27b", "gemma-3-27b-it", "recurrentgemma-9b"})
    void everyPublishedConfigIsReadOrRefused(String model) throws IOException {
        Path file = folder.resolve("config.json");
        byte[] good = Files.readAllBytes(CONFIGS.resolve(model + ".json"));
        int read = 0;
        for (int seed = 0; seed < FILES / 4; seed++) {
            Files.write(file, Mutations.mutated(good, new Random(seed), Mutations.JSON));
            try (Limits _ = new Limits(seed);
                    Checkpoint checkpoint = Checkpoint.open(folder)) {
                assertThat(CheckpointConfig.read(checkpoint).layers()).isNotEmpty();
                read++;
            } catch (CheckpointException refused) {
                assertThat(refused.getMessage()).startsWith(folder.toString());
            } catch (RuntimeException | Error e) {
                fail("seed " + seed, e);
            }
        }
        assertThat(read).as("some survive, most do not").isBetween(FILES / 400, FILES / 6);
    }

    private boolean open(int seed) {
        try (Limits _ = new Limits(seed);
                Checkpoint checkpoint = Checkpoint.open(folder);
                Arena arena = Arena.ofConfined()) {
            Weights weights = WeightsReader.read(checkpoint, CheckpointConfig.read(checkpoint), arena);
            assertThat(weights.layers()).isNotEmpty();
            return true;
        } catch (CheckpointException refused) {
            assertThat(refused.getMessage()).startsWith(folder.toString()).hasSizeLessThan(4000);
        } catch (RuntimeException | Error e) {
            fail("seed " + seed, e);
        }
        return false;
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
