package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.lapidary.model.EmbeddingGolden;
import dev.lapidary.model.GgufCopy;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Embeddings as they ship against the official code's, on every backend.
class EmbeddingGoldenTest {
    private static final EmbeddingGolden ALL = EmbeddingGolden.official().plus(EmbeddingGolden.ofOtherLengths());

    /// Inputs of products over many rows are rounded to BF16. Measured on these texts: 7.5e-3; F32 differs by
    /// 7.3e-7.
    private static final double BF16_TOLERANCE = 2.5e-2;

    /// Measured on these texts: 4.6e-2. A model of 64 columns has two blocks in each row.
    private static final double Q8_0_TOLERANCE = 1e-1;

    @ParameterizedTest
    @MethodSource("dev.lapidary.TestBackends#all")
    void embeddingsAreTheReferences(String backend) throws IOException {
        try (Gemma gemma = open(options().withBackend(backend))) {
            assertThat(ALL.difference(embed(gemma, ALL.texts(), 0))).isLessThan(Golden.F32_TOLERANCE);
            for (int i = 0; i < ALL.texts().size(); i++) {
                EmbeddingGolden one = new EmbeddingGolden(
                        ALL.texts().subList(i, i + 1), ALL.embeddings().subList(i, i + 1));
                assertThat(one.difference(embed(gemma, one.texts(), 0))).isLessThan(Golden.F32_TOLERANCE);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.lapidary.TestBackends#all")
    void theFastPathStaysWithinItsBound(String backend) throws IOException {
        try (Gemma gemma = open(options().withBackend(backend).withCompute(Compute.FAST))) {
            assertThat(ALL.difference(embed(gemma, ALL.texts(), 0))).isLessThan(BF16_TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.lapidary.TestBackends#all")
    void weightsCanBeQuantized(String backend) throws IOException {
        Options options = Options.defaults().withBackend(backend).withWeights(WeightFormat.Q8_0);
        try (Gemma gemma = open(options)) {
            assertThat(ALL.difference(embed(gemma, ALL.texts(), 0))).isBetween(Golden.F32_TOLERANCE, Q8_0_TOLERANCE);
        }
    }

    @Test
    void ggufGivesTheSame(@TempDir Path folder) throws IOException {
        Path file = GgufCopy.write(EmbeddingGolden.FOLDER, folder.resolve("m.gguf"));
        try (Gemma gemma = Gemma.open(file, options());
                Gemma expected = open(options())) {
            List<float[]> embeddings = embed(gemma, ALL.texts(), 0);
            assertThat(ALL.difference(embeddings)).isLessThan(Golden.F32_TOLERANCE);
            assertThat(embeddings).usingRecursiveComparison().isEqualTo(embed(expected, ALL.texts(), 0));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        pooling_type     | 1    | 2   | pooling_type: got 2, need 1, the mean
        dense_2_feat_in  | 64   | 65  | dense_2_feat_in: got 65, need 64, the width of what comes in
        dense_3_feat_in  | 128  | 64  | dense_3_feat_in: got 64, need 128, the width of what comes in
        dense_3_feat_out | 64   | 0   | dense_3_feat_out: got 0, need at least 1
        """)
    void whatAGgufFileSaysDifferentlyIsRefused(
            String key, int written, int changed, String message, @TempDir Path folder) throws IOException {
        Path file = GgufCopy.write(EmbeddingGolden.FOLDER, folder.resolve("m.gguf"));
        byte[] bytes = Files.readAllBytes(file);
        byte[] name = ("gemma-embedding." + key).getBytes(StandardCharsets.US_ASCII);
        int at = indexOf(bytes, name) + name.length + Integer.BYTES; // behind the type
        assertThat(bytes[at]).isEqualTo((byte) written);
        bytes[at] = (byte) changed;
        Files.write(file, bytes);
        assertThatThrownBy(() -> Gemma.open(file, options()))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": gemma-embedding." + message);
    }

    @Test
    void aGgufFileWithoutDenseLayersIsRefused(@TempDir Path folder) throws IOException {
        Path file = GgufCopy.write(EmbeddingGolden.FOLDER, folder.resolve("m.gguf"));
        byte[] bytes = Files.readAllBytes(file);
        byte[] key = "gemma-embedding.dense_2_feat_out".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy("gemma-embeddung".getBytes(StandardCharsets.US_ASCII), 0, bytes, indexOf(bytes, key), 15);
        Files.write(file, bytes);
        assertThatThrownBy(() -> Gemma.open(file, options()))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": gemma-embedding.dense_2_feat_out: got nothing, need the dense layers: a file"
                        + " converted with --sentence-transformers-dense-modules");
    }

    private static int indexOf(byte[] bytes, byte[] wanted) {
        for (int at = 0; at <= bytes.length - wanted.length; at++) {
            if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at;
            }
        }
        throw new AssertionError("not there");
    }

    /// A chunk says nothing of a text, which is computed as a whole.
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 40000})
    void anyChunkGivesTheSame(int chunk) throws IOException {
        try (Gemma gemma = open(options().withChunk(chunk))) {
            assertThat(ALL.difference(embed(gemma, ALL.texts(), 0))).isLessThan(Golden.F32_TOLERANCE);
        }
    }

    /// More than go together in one pass, in every order of lengths.
    @Test
    void manyTextsComeInTheirOrder() throws IOException {
        List<int[]> texts = new ArrayList<>();
        List<float[]> expected = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int which = i * i % ALL.texts().size();
            texts.add(ALL.texts().get(which));
            expected.add(ALL.embeddings().get(which));
        }
        try (Gemma gemma = open(options())) {
            List<Integer> indices = new ArrayList<>();
            gemma.embedIds(texts, EmbeddingOptions.defaults(), (index, _) -> indices.add(index));
            assertThat(indices).isSorted().hasSize(100).endsWith(99);
            assertThat(new EmbeddingGolden(texts, expected).difference(embed(gemma, texts, 0)))
                    .isLessThan(Golden.F32_TOLERANCE);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 63, 16, 1})
    void dimensionsAreTheFirstOnesAtLengthOne(int dimensions) throws IOException {
        try (Gemma gemma = open(options())) {
            List<float[]> cut = embed(gemma, ALL.texts(), dimensions);
            List<float[]> expected = ALL.embeddings().stream()
                    .map(embedding -> normalised(Arrays.copyOf(embedding, dimensions)))
                    .toList();
            assertThat(new EmbeddingGolden(ALL.texts(), expected).difference(cut))
                    .isLessThan(Golden.F32_TOLERANCE * 4);
            for (float[] embedding : cut) {
                assertThat((float) length(embedding)).isCloseTo(1f, offset(1e-6f));
            }
        }
    }

    @Test
    void moreDimensionsThanThereAreAreRefused() throws IOException {
        try (Gemma gemma = open(options())) {
            assertThat(gemma.embeddingDimensions()).isEqualTo(64);
            assertThatThrownBy(() -> embed(gemma, ALL.texts(), 65))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("dimensions: got 65, need at most the 64 of the model");
            assertThatThrownBy(() -> EmbeddingOptions.defaults().withDimensions(-1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("dimensions: got -1, need 1 or more, or 0 for all");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        256 | ids[1]: got 256, need 0 to 255
        -1  | ids[1]: got -1, need 0 to 255
        """)
    void idsOutsideTheVocabularyAreRefused(int id, String message) throws IOException {
        try (Gemma gemma = open(options())) {
            assertThatThrownBy(() -> embed(gemma, List.of(new int[] {2, 1}, new int[] {2, id}), 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(message);
            assertThatThrownBy(() -> embed(gemma, List.of(new int[0]), 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("ids[0]: got 0 tokens, need 1 to 32768");
        }
    }

    @Test
    void anEmbeddingModelHasNoSessions() throws IOException {
        try (Gemma gemma = open(options())) {
            assertThat(gemma.embedsTexts()).isTrue();
            assertThatThrownBy(gemma::newSession)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(
                            EmbeddingGolden.FOLDER + ": got a model that embeds texts, need one that predicts them");
            assertThat(gemma.memoryPlan(Capacity.tokens(100)).kvCacheBytes()).isZero();
        }
    }

    @Test
    void anotherModelEmbedsNothing() throws IOException {
        Path folder = Golden.of("gemma3-text").folder();
        try (Gemma gemma = Gemma.open(folder, options())) {
            assertThat(gemma.embedsTexts()).isFalse();
            assertThatThrownBy(() -> gemma.embed(List.of("text")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(folder + ": got a model that predicts texts, need one that embeds them");
        }
    }

    @Test
    void anInterruptEndsIt() throws IOException {
        try (Gemma gemma = open(options())) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> embed(gemma, ALL.texts(), 0)).isInstanceOf(CancellationException.class);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(ALL.difference(embed(gemma, ALL.texts(), 0))).isLessThan(Golden.F32_TOLERANCE);
        }
    }

    @Test
    void manyThreadsGetTheirOwn() throws Exception {
        try (Gemma gemma = open(options());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Double>> differences = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int which = i % ALL.texts().size();
                EmbeddingGolden one = new EmbeddingGolden(
                        ALL.texts().subList(which, which + 1), ALL.embeddings().subList(which, which + 1));
                differences.add(threads.submit(() -> one.difference(embed(gemma, one.texts(), 0))));
            }
            for (Future<Double> difference : differences) {
                assertThat(difference.get()).isLessThan(Golden.F32_TOLERANCE);
            }
        }
    }

    @Test
    void aClosedModelSaysSo() throws IOException {
        Gemma gemma = open(options());
        gemma.close();
        assertThatThrownBy(() -> embed(gemma, ALL.texts(), 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(EmbeddingGolden.FOLDER + ": the model is closed");
    }

    private static Gemma open(Options options) throws IOException {
        return Gemma.open(EmbeddingGolden.FOLDER, options);
    }

    private static Options options() {
        return Options.defaults().withThreads(2).withCompute(Compute.F32);
    }

    private static List<float[]> embed(Gemma gemma, List<int[]> texts, int dimensions) {
        List<float[]> embeddings = new ArrayList<>();
        EmbeddingOptions options = EmbeddingOptions.defaults().withDimensions(dimensions);
        gemma.embedIds(texts, options, (_, embedding) -> embeddings.add(embedding));
        return embeddings;
    }

    private static float[] normalised(float... embedding) {
        double length = length(embedding);
        for (int i = 0; i < embedding.length; i++) {
            embedding[i] = (float) (embedding[i] / length);
        }
        return embedding;
    }

    private static double length(float... embedding) {
        double squares = 0;
        for (float x : embedding) {
            squares += (double) x * x;
        }
        return Math.sqrt(squares);
    }
}
