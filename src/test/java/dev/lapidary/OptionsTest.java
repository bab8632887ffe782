package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.sampler.SamplerOptions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a caller says: how a model is opened, how large a session is, how tokens are picked.
class OptionsTest {
    private static final Options DEFAULTS = Options.defaults();

    @Test
    void eachWithChangesItsOptionAlone() {
        Options all = new Options("a", 2, Compute.FAST, 3, WeightFormat.BF16, WeightFormat.F32, CacheFormat.F32);
        assertThat(all.withBackend("b"))
                .isEqualTo(new Options("b", 2, Compute.FAST, 3, WeightFormat.BF16, WeightFormat.F32, CacheFormat.F32));
        assertThat(all.withThreads(4))
                .isEqualTo(new Options("a", 4, Compute.FAST, 3, WeightFormat.BF16, WeightFormat.F32, CacheFormat.F32));
        assertThat(all.withCompute(Compute.F32))
                .isEqualTo(new Options("a", 2, Compute.F32, 3, WeightFormat.BF16, WeightFormat.F32, CacheFormat.F32));
        assertThat(all.withChunk(7))
                .isEqualTo(new Options("a", 2, Compute.FAST, 7, WeightFormat.BF16, WeightFormat.F32, CacheFormat.F32));
        assertThat(all.withWeights(WeightFormat.Q4_0))
                .isEqualTo(new Options("a", 2, Compute.FAST, 3, WeightFormat.Q4_0, WeightFormat.F32, CacheFormat.F32));
        assertThat(all.withHeadWeights(null))
                .isEqualTo(new Options("a", 2, Compute.FAST, 3, WeightFormat.BF16, null, CacheFormat.F32));
        assertThat(all.withKvCache(CacheFormat.BF16))
                .isEqualTo(new Options("a", 2, Compute.FAST, 3, WeightFormat.BF16, WeightFormat.F32, CacheFormat.BF16));
    }

    @Test
    void theHeadFollowsTheLayersButNotToFourBits() {
        assertThat(DEFAULTS.effectiveHeadWeights()).isNull();
        assertThat(DEFAULTS.withWeights(WeightFormat.F32).effectiveHeadWeights())
                .isEqualTo(WeightFormat.F32);
        Options four = DEFAULTS.withWeights(WeightFormat.Q4_0);
        assertThat(four.effectiveHeadWeights()).isEqualTo(WeightFormat.Q8_0);
        assertThat(four.withHeadWeights(WeightFormat.Q4_0).effectiveHeadWeights())
                .isEqualTo(WeightFormat.Q4_0);
    }

    @Test
    void defaultsFollowThePropertyAndTheQuota() {
        assertThat(DEFAULTS.compute()).isEqualTo(Compute.FAST);
        assertThat(DEFAULTS.threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        String before = System.setProperty(Options.BACKEND_PROPERTY, "openblas");
        try {
            assertThat(Options.defaults().backend()).isEqualTo("openblas");
        } finally {
            if (before == null) {
                System.clearProperty(Options.BACKEND_PROPERTY);
            } else {
                System.setProperty(Options.BACKEND_PROPERTY, before);
            }
        }
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        assertRefused(() -> DEFAULTS.withThreads(0), "threads: got 0, need at least 1");
        assertRefused(() -> DEFAULTS.withChunk(0), "chunk: got 0 tokens, need 1 to 65536");
        assertRefused(() -> DEFAULTS.withChunk(65537), "chunk: got 65537 tokens, need 1 to 65536");
        assertThat(DEFAULTS.withChunk(65536).chunk()).isEqualTo(65536);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void aCapacityIsPositive(int tokens) {
        assertRefused(() -> Capacity.tokens(tokens), "capacity: got %d tokens, need at least 1".formatted(tokens));
    }

    @Test
    void eachSamplingMethodChangesItsOptionAlone() {
        SamplerOptions picking = new SamplerOptions(0.5, 3, 0.8, 0.1, 1.2, 7);
        Sampling sampling = new Sampling(picking, 9, Set.of(4), List.of("x"), true, true);
        assertThat(Sampling.temperature(0.5)
                        .topK(3)
                        .topP(0.8)
                        .minP(0.1)
                        .repetitionPenalty(1.2)
                        .seed(7)
                        .maxTokens(9)
                        .stopTokens(Set.of(4))
                        .stopStrings("x")
                        .ignoreStopTokens(true)
                        .logProbabilities(true))
                .isEqualTo(sampling);
        assertThat(sampling.topK(2).picking()).isEqualTo(new SamplerOptions(0.5, 2, 0.8, 0.1, 1.2, 7));
        assertThat(sampling.topP(0.7).picking()).isEqualTo(new SamplerOptions(0.5, 3, 0.7, 0.1, 1.2, 7));
        assertThat(sampling.minP(0.2).picking()).isEqualTo(new SamplerOptions(0.5, 3, 0.8, 0.2, 1.2, 7));
        assertThat(sampling.repetitionPenalty(2).picking()).isEqualTo(new SamplerOptions(0.5, 3, 0.8, 0.1, 2, 7));
        assertThat(sampling.seed(8).picking()).isEqualTo(new SamplerOptions(0.5, 3, 0.8, 0.1, 1.2, 8));
        assertThat(sampling.maxTokens(8)).isEqualTo(new Sampling(picking, 8, Set.of(4), List.of("x"), true, true));
        assertThat(sampling.stopTokens(Set.of()))
                .isEqualTo(new Sampling(picking, 9, Set.of(), List.of("x"), true, true));
        assertThat(sampling.stopStrings()).isEqualTo(List.of("x"));
        assertThat(sampling.ignoreStopTokens(false).ignoreStopTokens()).isFalse();
        assertThat(sampling.logProbabilities(false).logProbabilities()).isFalse();
    }

    @Test
    void withoutASeedEachSamplingHasItsOwn() {
        assertThat(Sampling.temperature(1)).isNotEqualTo(Sampling.temperature(1));
        assertThat(Sampling.temperature(1).seed(5))
                .isEqualTo(Sampling.temperature(1).seed(5));
    }

    @Test
    void samplingOutOfRangeIsRefused() {
        assertRefused(() -> Sampling.greedy().maxTokens(-1), "max tokens: got -1, need 0 or more");
        assertRefused(
                () -> Sampling.greedy().stopStrings("a", ""),
                "stop string: got an empty one, need at least one character");
        assertRefused(() -> Sampling.temperature(-1), "temperature: got -1.0, need 0 or more");
    }

    private static void assertRefused(Runnable call, String message) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }
}
