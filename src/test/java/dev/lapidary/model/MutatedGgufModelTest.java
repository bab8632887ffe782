package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.Limits;
import dev.lapidary.checkpoint.Mutations;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// GGUF models changed at random in what stands before the tensors: config and weights are read, or refused by an
/// exception that names the file.
class MutatedGgufModelTest {
    /// `-Dlapidary.mutations=200000` looks harder.
    private static final int FILES = Integer.getInteger("lapidary.mutations", 2000);

    @TempDir
    private Path folder = Path.of("");

    @Test
    void everyModelIsReadOrRefused() throws IOException {
        Path file = folder.resolve("m.gguf");
        GgufKeys scale = new GgufKeys().putFloat32("gemma3.attention.scale", 0.25f);
        GgufCopy.write(new TinyCheckpoint(9, 2, DataType.BF16).write(folder), file, null, scale);
        byte[] good = Files.readAllBytes(file);
        int header = headerBytes(file, good.length);
        byte[] tensors = Arrays.copyOfRange(good, header, good.length);
        int read = 0;
        for (int seed = 0; seed < FILES; seed++) {
            byte[] changed = Mutations.mutated(Arrays.copyOf(good, header), new Random(seed), Mutations.BINARY);
            byte[] whole = Arrays.copyOf(changed, changed.length + tensors.length);
            System.arraycopy(tensors, 0, whole, changed.length, tensors.length);
            Files.write(file, whole);
            try (Limits _ = new Limits(seed);
                    Checkpoint checkpoint = Checkpoint.open(file);
                    Arena arena = Arena.ofConfined()) {
                Weights weights = WeightsReader.read(checkpoint, CheckpointConfig.read(checkpoint), arena);
                assertThat(weights.layers()).isNotEmpty();
                read++;
            } catch (CheckpointException refused) {
                assertThat(refused.getMessage()).startsWith(folder.toString());
            } catch (RuntimeException | Error e) {
                fail("seed " + seed, e);
            }
        }
        assertThat(read).as("some survive, most do not").isBetween(FILES / 100, FILES * 2 / 3);
    }

    private static int headerBytes(Path file, int fileBytes) throws CheckpointException {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            long data = checkpoint.tensors().values().stream()
                    .mapToLong(tensor -> Math.ceilDiv(tensor.data().byteSize(), 32L) * 32)
                    .sum();
            return Math.toIntExact(fileBytes - data);
        }
    }
}
