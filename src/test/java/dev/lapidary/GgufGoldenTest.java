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
    static final List<String> CASES = Golden.GGUF_CASES;

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

    /// The tiny models in BF16 fit F16, those in F32 are rounded: measured 2.4e-3 of the largest logit.
    @ParameterizedTest
    @FieldSource("CASES")
    void f16IsReadInPlace(String name) throws IOException {
        Golden golden = Golden.of(name);
        float[][] expected = logits(golden.folder(), golden);
        float[][] got =
                logits(GgufCopy.write(golden.folder(), folder.resolve("m.gguf"), GgmlType.F16, scale(name)), golden);
        double largest = 0;
        double worst = 0;
        for (int row = 0; row < expected.length; row++) {
            for (int id = 0; id < expected[row].length; id++) {
                largest = Math.max(largest, Math.abs(expected[row][id]));
                worst = Math.max(worst, Math.abs(got[row][id] - expected[row][id]));
            }
        }
        boolean rounded = name.equals("gemma1-mha") || name.equals("gemma3-text-ropescale");
        assertThat(worst / largest).isLessThan(rounded ? 5e-3 : 1e-5);
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
