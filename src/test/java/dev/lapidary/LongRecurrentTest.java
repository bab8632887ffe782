package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Batch;
import dev.lapidary.model.Golden;
import dev.lapidary.model.KvCache;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// A recurrent model reads as much as one likes in the memory it began with.
class LongRecurrentTest {
    private static final int TOKENS = 100_000;

    private final Path model = Golden.of("recurrentgemma").folder();

    @Test
    void aHundredThousandTokensTakeTheMemoryOfAThousand() throws IOException {
        int[] ids = new Random(1).ints(TOKENS, 0, 256).toArray();
        float[] expected = run(512, ids);
        float[] got = run(385, ids);
        for (int i = 0; i < got.length; i++) {
            assertThat(got[i]).isCloseTo(expected[i], within(2e-3f));
        }
    }

    /// Logits after the last token. Nothing is allocated for the sequence but what a short one has too.
    private float[] run(int chunk, int[] ids) throws IOException {
        Options options =
                Options.defaults().withThreads(2).withCompute(Compute.F32).withChunk(chunk);
        try (Gemma gemma = Gemma.open(model, options);
                Arena arena = Arena.ofShared()) {
            AtomicLong bytes = new AtomicLong();
            SegmentAllocator counting = (size, alignment) -> {
                bytes.addAndGet(size);
                return arena.allocate(size, alignment);
            };
            KvCache cache = gemma.model().newCache(TOKENS, counting);
            assertThat(bytes.get())
                    .isEqualTo(gemma.memoryPlan(Capacity.tokens(1000)).kvCacheBytes())
                    .isEqualTo(gemma.memoryPlan(Capacity.tokens(TOKENS)).kvCacheBytes());
            float[] logits = new float[gemma.vocab()];
            DriverThread.run(() -> {
                Batch batch = new Batch();
                for (int from = 0; from < TOKENS; from += chunk) {
                    int count = Math.min(chunk, TOKENS - from);
                    batch.clear().add(cache, from, ids, from, count);
                    Matrix residual = gemma.model().decoder().forward(batch, () -> false, null);
                    Matrix last = gemma.model().decoder().logits(residual.row(count - 1));
                    MemorySegment.copy(last.data(), ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
                }
            });
            return logits;
        }
    }
}
