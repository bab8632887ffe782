package dev.lapidary;

import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.PageMemory;
import dev.lapidary.model.Batch;
import dev.lapidary.model.Decoder;
import dev.lapidary.model.KvCache;
import dev.lapidary.model.TextModel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A workload as passes of the decoder, with logits where an application needs them: of a prompt's last token, and of
/// each token decoded. Of a text to embed: all up to the mean of its tokens.
final class Passes implements Benchmark.Runner {
    private static final long SEED = 1;

    private final TextModel model;
    private final Workload workload;
    private final Decoder decoder;
    private final Arena arena = Arena.ofShared();
    private final List<KvCache> caches = new ArrayList<>();
    private final Batch batch = new Batch();
    private final int[] ids;

    /// @param decoder of the model
    Passes(Gemma gemma, Workload workload, Decoder decoder) {
        this.model = gemma.model();
        this.workload = workload;
        this.decoder = decoder;
        boolean predicts = !model.config().bidirectional();
        int most = predicts ? Math.min(model.chunk(), decoder.maxLogitRows()) : 1;
        if (workload.sequences() > most || workload.capacity() > gemma.maxPositions()) {
            throw new IllegalArgumentException(
                    "%s: got %d sequences of %d tokens, need at most %d of the model's %d positions"
                            .formatted(
                                    workload.name(),
                                    workload.sequences(),
                                    workload.capacity(),
                                    most,
                                    gemma.maxPositions()));
        }
        long bytes = workload.sequences()
                * gemma.memoryPlan(Capacity.tokens(workload.capacity())).kvCacheBytes();
        AvailableMemory.require(workload.name(), bytes, MemoryPlan.mebibytes(bytes) + " for keys and values");
        ids = new SplittableRandom(SEED)
                .ints(workload.totalTokens(), 0, gemma.vocab())
                .toArray();
        PageMemory memory = new PageMemory(arena);
        for (int i = 0; i < workload.sequences(); i++) {
            KvCache cache = model.newCache(workload.capacity(), memory);
            cache.fill(workload.depth());
            caches.add(cache);
        }
    }

    @Override
    public long run() {
        caches.forEach(cache -> cache.assume(workload.depth()));
        return DriverThread.call(() -> {
            long start = System.nanoTime();
            if (workload.phase() == Workload.Phase.PREFILL) {
                prefill();
            } else {
                decode();
            }
            return System.nanoTime() - start;
        });
    }

    private void prefill() {
        for (int from = 0; from < workload.tokens(); from += model.chunk()) {
            int count = Math.min(model.chunk(), workload.tokens() - from);
            batch.clear().add(caches.getFirst(), from, ids, from, count);
            var residual = decoder.forward(batch, Passes::goOn, null);
            if (model.config().bidirectional()) {
                decoder.normed(residual);
            } else if (from + count == workload.tokens()) {
                decoder.logits(residual.row(count - 1));
            }
        }
    }

    private void decode() {
        for (int step = 0; step < workload.tokens(); step++) {
            batch.clear();
            for (int i = 0; i < caches.size(); i++) {
                batch.add(caches.get(i), workload.depth() + step, ids, step * caches.size() + i, 1);
            }
            decoder.logits(decoder.forward(batch, Passes::goOn, null));
        }
    }

    private static boolean goOn() {
        return false;
    }

    @Override
    public void close() {
        arena.close();
    }
}
