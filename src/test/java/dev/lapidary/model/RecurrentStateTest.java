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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Recurrent states are carried from batch to batch as if there were but one, whatever happens between: on reference
/// kernels, so that only the decoder and its caches are in question.
class RecurrentStateTest {
    private static final double TOLERANCE = 1e-5;

    private final Arena arena = Arena.ofConfined();
    private Checkpoint checkpoint;

    @BeforeEach
    void open() throws IOException {
        checkpoint = Checkpoint.open(Golden.of("recurrentgemma").folder());
    }

    @AfterEach
    void free() {
        checkpoint.close();
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 16})
    void prefillInChunksIsTheSameAsAtOnce(int chunk) throws IOException {
        int[] ids = randomIds(40, 1);
        assertSame(run(model(chunk), ids), run(model(ids.length), ids));
    }

    @Test
    void sequencesThatDecodeTogetherKeepTheirOwnStates() throws IOException {
        int[] first = randomIds(19, 4);
        int[] second = randomIds(7, 5);
        int[] third = randomIds(4, 6);
        TextModel model = model(32);
        KvCache firstCache = model.newCache(32, arena);
        KvCache secondCache = model.newCache(32, arena);
        KvCache thirdCache = model.newCache(32, arena);
        forward(model, new Batch().add(firstCache, 0, first, 0, 18));
        forward(model, new Batch().add(secondCache, 0, second, 0, 2));
        Batch together = new Batch()
                .add(firstCache, 18, first, 18, 1)
                .add(secondCache, 2, second, 2, 5)
                .add(thirdCache, 0, third, 0, 4);
        Matrix residual = forward(model, together);
        assertSame(logits(model, residual, 0), run(model(32), first));
        assertSame(logits(model, residual, 5), run(model(32), second));
        assertSame(logits(model, residual, 9), run(model(32), third));
    }

    @Test
    void aCancelledBatchLeavesTheStatesAsTheyWere() throws IOException {
        int[] ids = randomIds(20, 6);
        TextModel model = model(32);
        KvCache cache = model.newCache(32, arena);
        forward(model, new Batch().add(cache, 0, ids, 0, 12));
        AtomicInteger layers = new AtomicInteger();
        Batch rest = new Batch().add(cache, 12, ids, 12, 8);
        assertThatThrownBy(() -> model.decoder().forward(rest, () -> layers.incrementAndGet() > 3, null))
                .isInstanceOf(CancellationException.class);
        Matrix residual = forward(model, new Batch().add(cache, 12, ids, 12, 8));
        assertSame(logits(model, residual, 7), run(model(32), ids));
    }

    @Test
    void theLastBatchCanBeTakenBackAndNothingBeforeIt() throws IOException {
        int[] ids = randomIds(20, 7);
        TextModel model = model(32);
        KvCache cache = model.newCache(32, arena);
        forward(model, new Batch().add(cache, 0, ids, 0, 12));
        forward(model, new Batch().add(cache, 12, randomIds(15, 8), 12, 3));
        GemmaConfig config = model.config();
        assertThat(cache.canRewind(config, 15, 15)).isTrue();
        assertThat(cache.canRewind(config, 15, 12)).isTrue();
        assertThat(cache.canRewind(config, 15, 11)).isFalse();
        assertThat(cache.canRewind(config, 15, 13)).isFalse();
        assertThat(cache.canRewind(config, 15, 0)).isTrue();
        Matrix residual = forward(model, new Batch().add(cache, 12, ids, 12, 8));
        assertSame(logits(model, residual, 7), run(model(32), ids));
        Batch elsewhere = new Batch().add(cache, 15, ids, 15, 1);
        assertThatThrownBy(() -> forward(model, elsewhere))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("recurrent state: got position 15, need 20 or 12 or 0");
    }

    @Test
    void aSequenceMayAlwaysBeginAgain() throws IOException {
        int[] ids = randomIds(9, 9);
        TextModel model = model(32);
        KvCache cache = model.newCache(32, arena);
        forward(model, new Batch().add(cache, 0, randomIds(20, 10), 0, 20));
        Matrix residual = forward(model, new Batch().add(cache, 0, ids, 0, 9));
        assertSame(logits(model, residual, 8), run(model(32), ids));
    }

    @Test
    void aCopiedCacheGoesOnByItself() throws IOException {
        int[] ids = randomIds(30, 11);
        TextModel model = model(32);
        KvCache cache = model.newCache(64, arena);
        forward(model, new Batch().add(cache, 0, ids, 0, 21));
        KvCache copy = model.newCache(64, arena);
        copy.copyFrom(cache, 21);
        forward(model, new Batch().add(cache, 21, randomIds(30, 12), 21, 9));
        Matrix residual = forward(model, new Batch().add(copy, 21, ids, 21, 9));
        assertSame(logits(model, residual, 8), run(model(32), ids));
    }

    @Test
    void memoryIsWhatWasPlannedAndDoesNotGrowWithTheCapacity() throws IOException {
        AtomicLong bytes = new AtomicLong();
        SegmentAllocator counting = (size, alignment) -> {
            bytes.addAndGet(size);
            return arena.allocate(size, alignment);
        };
        GemmaConfig config = CheckpointConfig.read(checkpoint);
        Workspace unused = new Workspace(config, 48, counting);
        assertThat(bytes.getAndSet(0)).isEqualTo(Workspace.bytes(config, unused.maxRows()));
        KvCache cache = new KvCache(config, 700, 48, DataType.F32, counting);
        assertThat(bytes.getAndSet(0)).isEqualTo(KvCache.bytes(config, cache.capacity(), 48, DataType.F32));
        KvCache large = new KvCache(config, 1_000_000, 48, DataType.F32, counting);
        assertThat(bytes.get()).isEqualTo(KvCache.bytes(config, 700, 48, DataType.F32));
        assertThat(large.capacity()).isEqualTo(1_000_000);
    }

    @Test
    void whatOneStateTakesIsCounted() throws IOException {
        GemmaConfig config = CheckpointConfig.read(checkpoint);
        // Four recurrent layers of width 96 with three inputs and h, in two versions
        long states = 4 * 2 * (3 + 1) * 96 * Float.BYTES;
        long ring = 2L * 192 * 16 * Float.BYTES;
        assertThat(KvCache.bytes(config, 4096, 48, DataType.F32)).isEqualTo(states + ring);
    }

    private TextModel model(int chunk) throws IOException {
        return Models.read(checkpoint, chunk, arena);
    }

    /// Logits after the last id, computed in the model's chunks.
    private float[] run(TextModel model, int[] ids) {
        KvCache cache = model.newCache(ids.length, arena);
        float[] logits = new float[0];
        for (int position = 0; position < ids.length; position += model.chunk()) {
            int count = Math.min(model.chunk(), ids.length - position);
            logits = logits(model, forward(model, new Batch().add(cache, position, ids, position, count)), count - 1);
        }
        return logits;
    }

    private static Matrix forward(TextModel model, Batch batch) {
        return model.decoder().forward(batch, () -> false, null);
    }

    private static float[] logits(TextModel model, Matrix residual, int row) {
        Matrix logits = model.decoder().logits(residual.row(row));
        return logits.data().asSlice(0, logits.elementBytes()).toArray(ValueLayout.JAVA_FLOAT);
    }

    private static int[] randomIds(int count, long seed) {
        return new Random(seed).ints(count, 0, 256).toArray();
    }

    private static void assertSame(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs((double) actual[i] - expected[i]));
        }
        assertThat(worst).isLessThan(TOLERANCE);
    }
}
