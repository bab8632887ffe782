package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.model.GgufCopy;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// A checkpoint written as GGUF computes what it computes from safetensors, to the bit.
class GgufGoldenTest {
    static final List<String> CASES = Golden.TEXT_CASES;

    private static final Options OPTIONS = Options.defaults().withCompute(Compute.F32);

    @TempDir
    private Path folder = Path.of("");

    @ParameterizedTest
    @FieldSource("CASES")
    void logitsAreThoseOfTheSafetensors(String name) throws IOException {
        Golden golden = Golden.of(name);
        float[][] expected = logits(golden.folder(), golden);
        float[][] got = logits(GgufCopy.write(golden.folder(), folder.resolve("m.gguf"), null, scale(name)), golden);
        assertThat(got).isDeepEqualTo(expected);
    }

    /// Without the first token's rows in the file's own type nothing is widened before it is read: F16 holds what
    /// F32 holds of the same values.
    @ParameterizedTest
    @FieldSource("CASES")
    void f16IsReadInPlace(String name) throws IOException {
        Golden golden = Golden.of(name);
        Path half = GgufCopy.write(golden.folder(), folder.resolve("f16.gguf"), GgmlType.F16, scale(name));
        float[][] stored = logits(golden.folder(), golden);
        float[][] got = logits(half, golden);
        for (int row = 0; row < got.length; row++) {
            float[] expected = stored[row];
            for (int id = 0; id < expected.length; id++) {
                assertThat(got[row][id]).isCloseTo(expected[id], org.assertj.core.api.Assertions.within(0.05f));
            }
        }
    }

    @ParameterizedTest
    @FieldSource("CASES")
    void greedyContinuationIsTheReferences(String name) throws IOException {
        Golden golden = Golden.of(name);
        Path file = GgufCopy.write(golden.folder(), folder.resolve("m.gguf"), null, scale(name));
        try (Gemma gemma = Gemma.open(file, OPTIONS);
                Session session = gemma.newSession(Capacity.tokens(128))) {
            session.append(golden.prompt());
            Sampling greedy = Sampling.greedy().ignoreStopTokens(true).maxTokens(golden.continuation().length);
            assertThat(session.generate(greedy).ids()).containsExactly(golden.continuation());
        }
    }

    /// The tiny models' query scales, which no published model has and no converter writes.
    private static GgufKeys scale(String name) {
        GgufKeys keys = new GgufKeys();
        return switch (name) {
            case "gemma2" -> keys.putFloat32("gemma2.attention.scale", (float) (1 / Math.sqrt(48)));
            case "gemma3-text-ropescale" -> keys.putFloat32("gemma3.attention.scale", (float) (1 / Math.sqrt(20)));
            default -> keys;
        };
    }

    private static float[][] logits(Path model, Golden golden) throws IOException {
        int[] ids = golden.sequence();
        float[][] rows = new float[ids.length][];
        try (Gemma gemma = Gemma.open(model, OPTIONS);
                Session session = gemma.newSession(Capacity.tokens(128))) {
            session.append(ids, (position, logits) -> rows[position] = logits.clone());
        }
        return rows;
    }
}
