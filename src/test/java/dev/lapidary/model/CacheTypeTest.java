package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.Backends;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.NativeKernels;
import dev.lapidary.kernels.PageMemory;
import dev.lapidary.kernels.ReferenceKernels;
import java.io.IOException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Keys and values held in BF16.
class CacheTypeTest {
    /// A key that one order of summing rounds up and another down moves logits by less than this part of the largest.
    private static final double FLIPPED = 4e-3;

    /// What rounding to BF16 costs these tiny models of random weights, as a part of the largest logit: measured 0.0016
    /// to 0.022.
    private static final double ROUNDED = 4e-2;

    private final Arena arena = Arena.ofShared();

    @BeforeEach
    void load() {
        DriverThread.run(() -> Backends.open(Backends.DEFAULT));
    }

    @AfterEach
    void free() {
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"gemma1-mqa", "gemma2", "gemma3-text", "gemma4-text-ple", "gemma4-text-moe", "recurrentgemma"})
    void theDecoderAgreesWithTheReferenceOnTheSameRounding(String name) throws IOException {
        Golden golden = Golden.of(name);
        int[] ids = golden.prompt();
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder())) {
            Matrix exact = logits(checkpoint, new ReferenceKernels(), DataType.F32, ids, ids.length);
            Matrix expected = logits(checkpoint, new ReferenceKernels(), DataType.BF16, ids, ids.length);
            assertThat(difference(exact, expected)).isBetween(1e-5, ROUNDED);
            for (int step : new int[] {1, 7, ids.length}) {
                Matrix got = DriverThread.call(() -> {
                    try (NativeKernels kernels = new NativeKernels(Backends.open(Backends.DEFAULT), 2, false)) {
                        return logits(checkpoint, kernels, DataType.BF16, ids, step);
                    }
                });
                assertThat(difference(expected, got)).as("%d at a time", step).isLessThan(FLIPPED);
            }
        }
    }

    /// The caches of a copy and of a ring past its end hold whole elements, whatever their size.
    @Test
    void aCopyGoesOnAsTheOriginal() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(Golden.of("gemma3-text").folder())) {
            TextModel model = model(checkpoint, new ReferenceKernels(), DataType.BF16, 8);
            int slots = model.newCache(4096, arena).keys(0).rows();
            int[] ids = new java.util.Random(7).ints(2 * slots + 50, 0, 256).toArray();
            KvCache cache = model.newCache(ids.length, arena);
            int split = ids.length - 9;
            feed(model, cache, ids, 0, split);
            KvCache copy = model.newCache(ids.length + 300, arena);
            copy.copyFrom(cache, split);
            Matrix original = feed(model, cache, ids, split, ids.length);
            assertThat(difference(original, feed(model, copy, ids, split, ids.length)))
                    .isLessThan(1e-6);
            assertThat(model.cacheBytes(700))
                    .isLessThan(model.withCacheType(DataType.F32).cacheBytes(700));
        }
    }

    private TextModel model(Checkpoint checkpoint, Kernels kernels, DataType type, int chunk) throws IOException {
        ConversionObserver nothing = new ConversionObserver() {
            @Override
            public void begin(long newBytes, long storedBytes) {}

            @Override
            public void read(long storedBytes) {}
        };
        PageMemory memory = new PageMemory(arena);
        return TextModel.read(checkpoint, WeightFormats.STORED, nothing, kernels, chunk, arena, memory)
                .withCacheType(type);
    }

    /// Logits of every position, computed `step` tokens at a time.
    private Matrix logits(Checkpoint checkpoint, Kernels kernels, DataType type, int[] ids, int step)
            throws IOException {
        TextModel model = model(checkpoint, kernels, type, step);
        return feed(model, model.newCache(ids.length, new PageMemory(arena)), ids, 0, ids.length);
    }

    /// Logits of the positions from `from` to `to`.
    private Matrix feed(TextModel model, KvCache cache, int[] ids, int from, int to) {
        Matrix all = Matrix.allocate(arena, to - from, model.config().vocab());
        for (int position = from; position < to; position += model.chunk()) {
            int count = Math.min(model.chunk(), to - position);
            Batch batch = new Batch().add(cache, position, ids, position, count);
            Matrix residual = model.decoder().forward(batch, () -> false, null);
            for (int row = 0; row < count; row++) {
                Matrix logits = model.decoder().logits(residual.row(row));
                Matrix kept = all.row(position - from + row);
                kept.data().copyFrom(logits.data().asSlice(0, logits.elementBytes()));
            }
        }
        return all;
    }

    private static double difference(Matrix expected, Matrix got) {
        return LogitsDifference.relative(expected, row -> row, got);
    }
}
