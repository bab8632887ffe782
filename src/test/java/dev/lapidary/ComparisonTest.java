package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lapidary.kernels.DataType;
import dev.lapidary.model.TinyCheckpoint;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    private static final Path DEMO = Path.of("src/demo");
    private static final Options EXACT = Options.defaults().withCompute(Compute.F32);
    private static final int WINDOW = 100;
    private static final int STRIDE = 40;

    @TempDir
    private Path folder = Path.of("");

    @Test
    void aModelIsNoDifferentFromItself() throws IOException {
        try (Gemma model = Gemma.open(DEMO, EXACT);
                Gemma same = Gemma.open(DEMO, EXACT)) {
            for (Gemma reference : new Gemma[] {same, model}) {
                try (Comparison comparison = compare(model, reference)) {
                    assertThat(comparison.tokens()).isGreaterThan(300);
                    assertThat(comparison.meanDivergence()).isZero();
                    assertThat(comparison.divergence(1)).isZero();
                    assertThat(comparison.agreement()).isEqualTo(1);
                    assertThat(comparison.perplexityRatio()).isEqualTo(1);
                    assertThat(comparison.perplexity()).isEqualTo(comparison.referencePerplexity());
                }
            }
        }
    }

    /// Against the definition, on logits that sessions give, whatever chunks both models compute in.
    @Test
    void fourBitsAgainstWhatIsStored() throws IOException {
        try (Gemma model = Gemma.open(DEMO, EXACT.withWeights(WeightFormat.Q4_0).withChunk(16));
                Gemma reference = Gemma.open(DEMO, EXACT);
                Comparison comparison = compare(model, reference)) {
            PredictionDifferences expected = new PredictionDifferences();
            Windows windows = windows(reference);
            for (Windows.Window window = windows.next(); window != null; window = windows.next()) {
                float[][] logits = logits(model, window.ids());
                float[][] referenceLogits = logits(reference, window.ids());
                for (int i = window.first(); i < window.length(); i++) {
                    expected.add(window.id(i), logits[i - 1], referenceLogits[i - 1]);
                }
            }
            assertThat(comparison.tokens()).isEqualTo(expected.count());
            assertThat(comparison.meanDivergence()).isPositive().isCloseTo(expected.meanDivergence(), within(1e-5));
            assertThat(comparison.divergence(0.99))
                    .isGreaterThan(comparison.divergence(0.5))
                    .isCloseTo(expected.divergence(0.99), within(1e-4));
            assertThat(comparison.agreement()).isBetween(0.8, 0.999);
            assertThat(Math.log(comparison.perplexity())).isCloseTo(expected.natsPerToken(), within(1e-4));
            assertThat(comparison.perplexityRatio())
                    .isCloseTo(comparison.perplexity() / comparison.referencePerplexity(), within(1e-9));
        }
    }

    @Test
    void vocabulariesMustBeTheSame() throws IOException {
        Path small = Files.createDirectory(folder.resolve("small"));
        new TinyCheckpoint(9, 2, DataType.BF16).write(small);
        Path other = Files.createDirectory(folder.resolve("other"));
        new TinyCheckpoint(2048, 2, DataType.BF16).write(other);
        byte[] tokenizer = Files.readAllBytes(DEMO.resolve("tokenizer.model"));
        tokenizer[indexOf(tokenizer, "LORD")] = 'W';
        Files.write(other.resolve("tokenizer.model"), tokenizer);
        try (Gemma demo = Gemma.open(DEMO, EXACT);
                Gemma tiny = Gemma.open(small, EXACT);
                Gemma renamed = Gemma.open(other, EXACT)) {
            assertThatThrownBy(() -> Comparison.of(tiny, demo, Capacity.tokens(8)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("vocabulary: got 9 tokens in %s and 2048 in src/demo, need the same", small);
            assertThatThrownBy(() -> Comparison.of(demo, renamed, Capacity.tokens(8)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageMatching("tokenizer: got \"▁?LORD\" for token \\d+ in src/demo and"
                            + " \"▁?WORD\" in .*other, need the same");
        }
    }

    @Test
    void aWindowNeedsRoomInBoth() throws IOException {
        try (Gemma demo = Gemma.open(DEMO, EXACT)) {
            assertThatThrownBy(() -> Comparison.of(demo, demo, Capacity.tokens(4096)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("capacity: got 4096 tokens, need at most the 1024 positions");
            try (Comparison comparison = Comparison.of(demo, demo, Capacity.tokens(2))) {
                Windows.Window window = Windows.of(2, 5, 6, 7).next();
                assertThatThrownBy(() -> comparison.add(window))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("KV cache: 3 tokens at position 0, capacity 2");
                comparison.add(Windows.of(2, 5, 6).next());
                assertThat(comparison.tokens()).isEqualTo(2);
            }
        }
    }

    @Test
    void anInterruptEndsIt() throws IOException {
        try (Gemma demo = Gemma.open(DEMO, EXACT);
                Comparison comparison = Comparison.of(demo, demo, Capacity.tokens(8))) {
            Windows.Window window = Windows.of(2, 5, 6, 7).next();
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> comparison.add(window)).isInstanceOf(CancellationException.class);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(comparison.tokens()).isZero();
            comparison.add(window);
            assertThat(comparison.tokens()).isEqualTo(3);
        }
    }

    @Test
    void closedIsClosed() throws IOException {
        try (Gemma demo = Gemma.open(DEMO, EXACT)) {
            Comparison comparison = Comparison.of(demo, demo, Capacity.tokens(8));
            comparison.close();
            comparison.close();
            assertThatThrownBy(() -> comparison.add(Windows.of(2, 5).next()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("comparison: it is closed");
        }
    }

    private static Comparison compare(Gemma model, Gemma reference) throws IOException {
        Comparison comparison = Comparison.of(model, reference, Capacity.tokens(WINDOW));
        Windows windows = windows(reference);
        for (Windows.Window window = windows.next(); window != null; window = windows.next()) {
            comparison.add(window);
        }
        return comparison;
    }

    private static Windows windows(Gemma gemma) throws IOException {
        String text =
                Files.readString(Path.of("src/test/resources/demo/valid.txt")).substring(0, 1200);
        return Windows.of(gemma.tokenizer(), new StringReader(text), WINDOW, STRIDE);
    }

    private static float[][] logits(Gemma gemma, int... ids) {
        float[][] rows = new float[ids.length][];
        try (Session session = gemma.newSession(Capacity.tokens(ids.length))) {
            session.append(ids, (position, logits) -> rows[position] = logits.clone());
        }
        return rows;
    }

    private static int indexOf(byte[] bytes, String text) {
        String all = new String(bytes, StandardCharsets.ISO_8859_1);
        return all.indexOf(text);
    }
}
