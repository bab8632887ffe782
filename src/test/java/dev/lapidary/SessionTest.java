package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lapidary.sampler.Sampler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What one thread does with a session.
class SessionTest {
    /// Random enough not to repeat itself, and the same each time.
    private static final Sampling SAMPLING =
            Sampling.temperature(1).seed(11).ignoreStopTokens(true).maxTokens(24);

    /// Between one row at a time and sixteen at once, relative to logits of a few units.
    private static final double TOLERANCE = 1e-4;

    @TempDir
    private static Path folder;

    private static Gemma gemma;

    @BeforeAll
    static void open() throws IOException {
        gemma = TinyModel.open(folder);
    }

    @AfterAll
    static void close() {
        gemma.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 15, 16, 17, 40, 70})
    void aPromptInPiecesIsTheSameAsAtOnce(int piece) {
        int[] ids = ids(70, 1);
        try (Session atOnce = session(ids);
                Session inPieces = gemma.newSession(Capacity.tokens(128))) {
            for (int from = 0; from < ids.length; from += piece) {
                inPieces.append(part(ids, from, Math.min(ids.length, from + piece)));
            }
            assertThat(inPieces.ids()).isEqualTo(ids);
            assertThat(inPieces.position()).isEqualTo(70);
            assertSame(inPieces.logits(), atOnce.logits());
        }
    }

    @Test
    void everyPositionsLogitsAreShown() {
        int[] ids = ids(37, 2);
        List<Integer> positions = new ArrayList<>();
        try (Session session = gemma.newSession(Capacity.tokens(64))) {
            session.append(part(ids, 0, 5));
            session.append(part(ids, 5, 37), (position, logits) -> {
                positions.add(position);
                try (Session alone = session(part(ids, 0, position + 1))) {
                    assertSame(logits, alone.logits());
                }
            });
            assertThat(positions)
                    .containsExactlyElementsOf(
                            Stream.iterate(5, i -> i + 1).limit(32).toList());
            try (Session alone = session(ids)) {
                assertSame(session.logits(), alone.logits());
            }
        }
    }

    @Test
    void generateNextAndStreamGiveTheSameTokens() {
        int[] prompt = ids(10, 3);
        try (Session generating = session(prompt);
                Session stepping = session(prompt);
                Session streaming = session(prompt)) {
            List<Token> seen = new ArrayList<>();
            Generation generation = generating.generate(SAMPLING, seen::add);
            assertThat(generation.tokens()).hasSize(24).isEqualTo(seen);
            assertThat(generation.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
            assertThat(generation.stopToken()).isEqualTo(-1);
            List<Token> stepped = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                stepped.add(stepping.next(SAMPLING));
            }
            assertThat(stepped).isEqualTo(generation.tokens());
            assertThat(streaming.stream(SAMPLING).toList()).isEqualTo(generation.tokens());
            assertThat(generating.ids()).hasSize(34).startsWith(prompt).endsWith(generation.ids());
            assertThat(streaming.ids()).isEqualTo(generating.ids());
            assertThat(generation.tokens().getFirst().position()).isEqualTo(10);
            assertThat(generation.tokens().getLast().position()).isEqualTo(33);
        }
    }

    @Test
    void aStreamComputesNoTokenThatNobodyAskedFor() {
        try (Session session = session(ids(4, 4))) {
            List<Token> three = session.stream(SAMPLING).limit(3).toList();
            assertThat(three).hasSize(3);
            assertThat(session.position()).isEqualTo(7);
        }
    }

    @Test
    void greedyIsTheArgmaxOfEachLogits() {
        try (Session session = session(ids(9, 5))) {
            for (int i = 0; i < 12; i++) {
                int best = Sampler.argmax(session.logits());
                assertThat(session.next(Sampling.greedy()).id()).isEqualTo(best);
            }
        }
    }

    @Test
    void theSeedDecides() {
        int[] prompt = ids(6, 6);
        try (Session first = session(prompt);
                Session same = session(prompt);
                Session other = session(prompt)) {
            Generation generation = first.generate(SAMPLING);
            assertThat(same.generate(SAMPLING).ids()).isEqualTo(generation.ids());
            assertThat(other.generate(SAMPLING.seed(12)).ids()).isNotEqualTo(generation.ids());
        }
    }

    @Test
    void logProbabilitiesAreTheLogSoftmaxOfTheLogits() {
        try (Session session = session(ids(6, 7))) {
            assertThat(session.next(SAMPLING).logProbability()).isNaN();
            for (int i = 0; i < 8; i++) {
                float[] logits = session.logits();
                // A penalty changes what is picked, not what the model thought of it.
                Token token = session.next(SAMPLING.repetitionPenalty(1.5).logProbabilities(true));
                double sum = 0;
                for (float logit : logits) {
                    sum += Math.exp(logit);
                }
                assertThat(token.logProbability()).isCloseTo(logits[token.id()] - Math.log(sum), within(1e-6));
            }
        }
    }

    @Test
    void theRepetitionPenaltySeesThePromptToo() {
        Sampling penalized = Sampling.greedy().repetitionPenalty(5);
        int[] prompt = promptWithItsOwnLikeliestSuccessor();
        try (Session session = session(prompt)) {
            float[] logits = session.logits();
            int likeliest = Sampler.argmax(logits);
            Sampler sampler = new Sampler(penalized.picking());
            for (int id : prompt) {
                sampler.accept(id);
            }
            int expected = sampler.sample(logits.clone());
            assertThat(expected).isNotEqualTo(likeliest);
            assertThat(session.next(penalized).id()).isEqualTo(expected);
            session.rewind(prompt.length);
            assertThat(session.generate(penalized.maxTokens(1)).ids()).containsExactly(expected);
            assertThat(session.logits()).isNotEqualTo(logits);
            session.rewind(prompt.length);
            assertSame(session.logits(), logits);
        }
    }

    @Test
    void aStopTokenEndsTheGenerationAndIsNotPartOfIt() {
        int[] prompt = ids(6, 9);
        try (Session free = session(prompt);
                Session stopped = session(prompt)) {
            int[] all = free.generate(SAMPLING).ids();
            int at = firstNewIdAfter(all, 3);
            Generation generation = stopped.generate(SAMPLING.stopTokens(Set.of(all[at])));
            assertThat(generation.ids()).isEqualTo(part(all, 0, at));
            assertThat(generation.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(generation.stopToken()).isEqualTo(all[at]);
            assertThat(stopped.position()).isEqualTo(6 + at);
        }
    }

    @Test
    void theModelsOwnStopTokensEndItUnlessIgnored(@TempDir Path other) throws IOException {
        int[] prompt = ids(6, 9);
        int[] all;
        try (Session free = session(prompt)) {
            all = free.generate(SAMPLING).ids();
        }
        int at = firstNewIdAfter(all, 2);
        try (Gemma stopping =
                        TinyModel.open(other, TinyModel.checkpoint().config("eos_token_id", "[1," + all[at] + "]"));
                Session session = stopping.newSession(Capacity.tokens(64));
                Session ignoring = stopping.newSession(Capacity.tokens(64))) {
            assertThat(stopping.stopTokens())
                    .containsExactlyInAnyOrder(
                            1,
                            all[at],
                            stopping.tokenizer().idOf("<end_of_turn>").orElseThrow());
            session.append(prompt);
            Generation generation = session.generate(SAMPLING.ignoreStopTokens(false));
            assertThat(generation.ids()).isEqualTo(part(all, 0, at));
            assertThat(generation.stopToken()).isEqualTo(all[at]);
            ignoring.append(prompt);
            assertThat(ignoring.generate(SAMPLING).ids()).isEqualTo(all);
        }
    }

    @Test
    void noTokensAreGeneratedWhereNoneAreWanted() {
        try (Session session = session(ids(6, 9))) {
            Generation generation = session.generate(SAMPLING.maxTokens(0));
            assertThat(generation.tokens()).isEmpty();
            assertThat(generation.text()).isEmpty();
            assertThat(generation.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
            assertThat(session.position()).isEqualTo(6);
        }
    }

    @Test
    void aFullSessionEndsAGenerationAndRefusesMore() {
        try (Session session = gemma.newSession(Capacity.tokens(20))) {
            session.append(ids(15, 10));
            Generation generation = session.generate(SAMPLING);
            assertThat(generation.tokens()).hasSize(5);
            assertThat(generation.finishReason()).isEqualTo(FinishReason.CAPACITY);
            assertIllegalState(() -> session.append(7), "KV cache: 1 tokens at position 20, capacity 20");
            assertIllegalState(() -> session.next(SAMPLING), "KV cache: 1 tokens at position 20, capacity 20");
            session.rewind(18);
            assertIllegalState(() -> session.append(1, 2, 3), "KV cache: 3 tokens at position 18, capacity 20");
            session.append(1, 2);
            assertThat(session.logits()).hasSize(TinyModel.VOCAB);
        }
    }

    @Test
    void aCapacityBeyondTheModelsPositionsIsRefused() {
        assertThatThrownBy(() -> gemma.newSession(Capacity.tokens(4097)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("capacity: got 4097 tokens, need at most the 4096 positions of the model");
        try (Session largest = gemma.newSession()) {
            assertThat(largest.capacity()).isEqualTo(4096);
        }
    }

    @Test
    void aCapacityBeyondTheMemoryIsRefusedWithThePlan(@TempDir Path other) throws IOException {
        try (Gemma endless =
                TinyModel.open(other, TinyModel.checkpoint().config("max_position_embeddings", "2000000000"))) {
            Capacity capacity = Capacity.tokens(2_000_000_000);
            MemoryPlan plan = endless.memoryPlan(capacity);
            // Two GLOBAL layers, keys and values of 16 floats.
            assertThat(plan.kvCacheBytes())
                    .isBetween(2_000_000_000L * 2 * 2 * 64, 2_000_000_000L * 2 * 2 * 64 + (1 << 20));
            assertThatThrownBy(() -> endless.newSession(capacity))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessageStartingWith("session of 2000000000 tokens: got ")
                    .hasMessageEndingWith("MiB available, need " + plan);
        }
    }

    /// A prompt at once, its rewind, its fork and single tokens over keys and values of half the size.
    @Test
    void keysAndValuesMayBeHeldInBf16() throws IOException {
        Options options = TinyModel.options().withKvCache(CacheFormat.BF16);
        Capacity capacity = Capacity.tokens(128);
        int[] ids = ids(70, 1);
        try (Gemma narrow = Gemma.open(folder, options);
                Session session = narrow.newSession(capacity);
                Session exact = session(ids)) {
            assertThat(2 * narrow.memoryPlan(capacity).kvCacheBytes())
                    .isEqualTo(gemma.memoryPlan(capacity).kvCacheBytes());
            session.append(ids);
            double atOnce = distance(session.logits(), exact.logits());
            assertThat(atOnce).isBetween(1e-6, 0.05);
            session.rewind(60);
            session.append(part(ids, 60, 70));
            assertThat(distance(session.logits(), exact.logits())).isBetween(1e-6, 0.05);
            try (Session fork = session.fork()) {
                session.append(3);
                fork.append(3);
                assertThat(fork.logits()).isEqualTo(session.logits());
            }
        }
    }

    private static double distance(float[] actual, float[] expected) {
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs((double) actual[i] - expected[i]));
        }
        return worst;
    }

    @Test
    void idsOutsideTheVocabularyAreRefusedAndNothingIsAppended() {
        try (Session session = session(ids(3, 11))) {
            for (int id : new int[] {-1, TinyModel.VOCAB, Integer.MAX_VALUE}) {
                assertThatThrownBy(() -> session.append(5, id))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("ids[1]: got %d, need 0 to %d".formatted(id, TinyModel.VOCAB - 1));
            }
            assertThat(session.position()).isEqualTo(3);
        }
    }

    @Test
    void anEmptySessionHasNothingToContinue() {
        try (Session session = gemma.newSession(Capacity.tokens(8))) {
            String message = "session: got nothing to continue, need a prompt appended first";
            assertIllegalState(() -> session.next(SAMPLING), message);
            assertIllegalState(() -> session.generate(SAMPLING), message);
            assertIllegalState(session::logits, "session: got no token, need a prompt appended first");
            session.append();
            assertThat(session.position()).isZero();
        }
    }

    private static int[] promptWithItsOwnLikeliestSuccessor() {
        for (int seed = 0; seed < 100; seed++) {
            int[] prompt = ids(12, seed);
            try (Session session = session(prompt)) {
                int likeliest = Sampler.argmax(session.logits());
                if (Arrays.stream(prompt).anyMatch(id -> id == likeliest)) {
                    return prompt;
                }
            }
        }
        throw new AssertionError("no prompt has its successor in it");
    }

    private static int firstNewIdAfter(int[] ids, int from) {
        for (int at = from; at < ids.length; at++) {
            int id = ids[at];
            if (Arrays.stream(ids, 0, at).noneMatch(earlier -> earlier == id)) {
                return at;
            }
        }
        throw new AssertionError("the generation repeats itself");
    }

    private static Session session(int... ids) {
        Session session = gemma.newSession(Capacity.tokens(128));
        session.append(ids);
        return session;
    }

    private static int[] part(int[] ids, int from, int to) {
        return Arrays.copyOfRange(ids, from, to);
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, TinyModel.VOCAB).toArray();
    }

    private static void assertIllegalState(Runnable call, String message) {
        assertThatThrownBy(call::run).isInstanceOf(IllegalStateException.class).hasMessage(message);
    }

    private static void assertSame(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).as("logit %d", i).isCloseTo(expected[i], within(TOLERANCE));
        }
    }
}
