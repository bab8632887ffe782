package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What must hold between ways to run the same tokens, whatever the weights: on reference kernels, so that only the
/// decoder and its caches are in question. Of models with local and global layers: one plain, one whose last layers
/// read the keys of others, one with experts, one with
/// several streams.
@ParameterizedClass
@ValueSource(strings = {"gemma3-text", "gemma4-text-ple", "gemma4-text-moe", "gemma3n-text"})
class DecoderInvariantsTest {
    private static final double TOLERANCE = 1e-5;

    /// Where gates are cut off or not a rounding moves logits further.
    private static final double SPARSE_TOLERANCE = 1e-3;

    private final Arena arena = Arena.ofConfined();
    private final String name;
    private Checkpoint checkpoint;

    DecoderInvariantsTest(String name) {
        this.name = name;
    }

    @BeforeEach
    void open() throws IOException {
        checkpoint = Checkpoint.open(Golden.of(name).folder());
    }

    @AfterEach
    void free() {
        checkpoint.close();
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 16})
    void prefillInChunksIsTheSameAsAtOnce(int chunk) throws IOException {
        int[] ids = randomIds(40, 1);
        assertSame(run(model(chunk), ids), run(model(ids.length), ids));
    }

    @Test
    void aRingPastTwoWrapsIsTheSameAsACacheThatNeverWraps() throws IOException {
        TextModel wrapping = model(8);
        int slots = wrapping.newCache(4096, arena).keys(0).rows();
        int[] ids = randomIds(2 * slots + 37, 2);
        TextModel straight = model(ids.length);
        assertThat(straight.newCache(ids.length, arena).keys(0).rows()).isGreaterThanOrEqualTo(ids.length);
        assertSame(run(wrapping, ids), run(straight, ids));
    }

    @Test
    void aWindowAsLongAsTheSequenceIsTheSameAsNone() throws IOException {
        int[] ids = randomIds(24, 3);
        GemmaConfig config = CheckpointConfig.read(checkpoint);
        float[] windowed = run(withWindow(config, ids.length), ids);
        float[] unwindowed = run(withWindow(config, 1000), ids);
        assertSame(windowed, unwindowed);
        assertThat(distance(run(withWindow(config, ids.length - 1), ids), unwindowed))
                .isGreaterThan(100 * TOLERANCE);
    }

    @Test
    void sequencesThatDecodeTogetherDoNotSeeEachOther() throws IOException {
        int[] first = randomIds(19, 4);
        int[] second = randomIds(7, 5);
        TextModel model = model(32);
        KvCache firstCache = model.newCache(32, arena);
        KvCache secondCache = model.newCache(32, arena);
        model.decoder().forward(new Batch().add(firstCache, 0, first, 0, 18), () -> false, null);
        model.decoder().forward(new Batch().add(secondCache, 0, second, 0, 2), () -> false, null);
        Batch together = new Batch().add(firstCache, 18, first, 18, 1).add(secondCache, 2, second, 2, 5);
        Matrix residual = model.decoder().forward(together, () -> false, null);
        assertSame(logits(model, residual, 0), run(model(32), first));
        assertSame(logits(model, residual, 5), run(model(32), second));
    }

    @Test
    void aCancelledBatchLeavesTheCacheAsItWas() throws IOException {
        int[] ids = randomIds(20, 6);
        TextModel model = model(32);
        KvCache cache = model.newCache(32, arena);
        model.decoder().forward(new Batch().add(cache, 0, ids, 0, 12), () -> false, null);
        AtomicInteger layers = new AtomicInteger();
        Batch rest = new Batch().add(cache, 12, ids, 12, 8);
        assertThatThrownBy(() -> model.decoder().forward(rest, () -> layers.incrementAndGet() > 3, null))
                .isInstanceOf(CancellationException.class)
                .hasMessage("cancelled before layer 3");
        Matrix residual = model.decoder().forward(new Batch().add(cache, 12, ids, 12, 8), () -> false, null);
        assertSame(logits(model, residual, 7), run(model(32), ids));
    }

    @Test
    void aCopiedCacheContinuesAsTheOriginal() throws IOException {
        TextModel model = model(8);
        int slots = model.newCache(4096, arena).keys(0).rows();
        int[] ids = randomIds(slots + 50, 7);
        KvCache cache = model.newCache(ids.length, arena);
        int split = slots + 41;
        feed(model, cache, ids, split);
        KvCache copy = model.newCache(ids.length + 300, arena);
        copy.copyFrom(cache, split);
        assertSame(feedFrom(model, copy, ids, split), feedFrom(model, cache, ids, split));
    }

    @Test
    void aRewindIsAllowedExactlyAsFarAsTheRingsStillHoldTheWindow() throws IOException {
        TextModel model = model(8);
        GemmaConfig config = model.config();
        KvCache cache = model.newCache(4096, arena);
        int slots = cache.keys(0).rows();
        int window = config.layers().getFirst().window();
        int newest = 3 * slots;
        int oldest = newest - slots + window - 1;
        assertThat(cache.canRewind(config, newest, oldest)).isTrue();
        assertThat(cache.canRewind(config, newest, oldest - 1)).isFalse();
        assertThat(cache.canRewind(config, newest, 0)).isTrue();
        assertThat(cache.canRewind(config, slots, 1)).isTrue();
    }

    @Test
    void memoryIsWhatWasPlanned() throws IOException {
        AtomicLong bytes = new AtomicLong();
        SegmentAllocator counting = (size, alignment) -> {
            bytes.addAndGet(size);
            return arena.allocate(size, alignment);
        };
        GemmaConfig config = CheckpointConfig.read(checkpoint);
        Workspace unused = new Workspace(config, 48, counting);
        assertThat(bytes.getAndSet(0)).isEqualTo(Workspace.bytes(config, unused.maxRows()));
        KvCache cache = new KvCache(config, 700, 48, DataType.F32, counting);
        assertThat(bytes.get()).isEqualTo(KvCache.bytes(config, cache.capacity(), 48, DataType.F32));
    }

    @Test
    void aBatchThatDoesNotFitIsRefusedWithTheNumbers() throws IOException {
        TextModel model = model(8);
        KvCache cache = model.newCache(100, arena);
        assertThatThrownBy(() -> new Batch().add(cache, 98, randomIds(3, 8), 0, 3))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("KV cache: 3 tokens at position 98, capacity 100");
        Batch long9 = new Batch().add(cache, 0, randomIds(9, 9), 0, 9);
        assertThatThrownBy(() -> model.decoder().forward(long9, () -> false, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("batch: got 9 rows, need at most 8");
    }

    private TextModel model(int chunk) throws IOException {
        return Models.read(checkpoint, chunk, arena);
    }

    private TextModel withWindow(GemmaConfig config, int window) throws IOException {
        GemmaConfig changed = Configs.withLayers(config, layer -> Configs.withWindow(layer, window));
        Weights weights = WeightsReader.read(checkpoint, changed, arena);
        return Models.of(changed, weights, 64, arena);
    }

    /// Logits after the last id, computed in the model's chunks.
    private float[] run(TextModel model, int[] ids) {
        return feedFrom(model, model.newCache(ids.length, arena), ids, 0);
    }

    private void feed(TextModel model, KvCache cache, int[] ids, int until) {
        feedFrom(model, cache, java.util.Arrays.copyOf(ids, until), 0);
    }

    private float[] feedFrom(TextModel model, KvCache cache, int[] ids, int from) {
        float[] logits = new float[0];
        for (int position = from; position < ids.length; position += model.chunk()) {
            int count = Math.min(model.chunk(), ids.length - position);
            Batch batch = new Batch().add(cache, position, ids, position, count);
            logits = logits(model, model.decoder().forward(batch, () -> false, null), count - 1);
        }
        return logits;
    }

    private static float[] logits(TextModel model, Matrix residual, int row) {
        Matrix logits = model.decoder().logits(residual.row(row));
        return logits.data().asSlice(0, logits.elementBytes()).toArray(ValueLayout.JAVA_FLOAT);
    }

    private static int[] randomIds(int count, long seed) {
        return new Random(seed).ints(count, 0, 256).toArray();
    }

    private void assertSame(float[] actual, float[] expected) {
        assertThat(distance(actual, expected)).isLessThan(name.equals("gemma3n-text") ? SPARSE_TOLERANCE : TOLERANCE);
    }

    private static double distance(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs((double) actual[i] - expected[i]));
        }
        return worst;
    }
}
