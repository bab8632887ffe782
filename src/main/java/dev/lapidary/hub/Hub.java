package dev.lapidary.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Models by name, out of the cache or from the hub. Thread-safe, and processes may pull at the same time.
///
/// ```java
/// Hub hub = Hub.of(HubSettings.ofEnvironment());
/// Snapshot snapshot = hub.get(ModelName.parse("google/gemma-3-1b-it"), Selection.model(), PullListener.NONE);
/// try (Gemma gemma = Gemma.open(snapshot.folder())) { ... }
/// ```
///
/// A download that was interrupted is gone on with by the next one, in this process or another.
public final class Hub {
    private static final int SEGMENT_BYTES = 32 << 20;

    private final HubSettings settings;
    private final Timing timing;
    private final int segmentBytes;

    private Hub(HubSettings settings, Timing timing, int segmentBytes) {
        this.settings = settings;
        this.timing = timing;
        this.segmentBytes = segmentBytes;
    }

    public static Hub of(HubSettings settings) {
        return new Hub(settings, Timing.USUAL, SEGMENT_BYTES);
    }

    /// As [#of(HubSettings)], with another patience, and segments of another size.
    static Hub of(HubSettings settings, Timing timing, int segmentBytes) {
        return new Hub(settings, timing, segmentBytes);
    }

    /// The files out of the cache if they are all there, and else from the hub. What the cache has for a branch or
    /// tag is taken as it is; [#pull] asks for what is new.
    ///
    /// @throws IOException           if they cannot be had, saying why and what to do
    /// @throws CancellationException after an interrupt; what was downloaded until then is kept
    public Snapshot get(ModelName model, Selection wanted, PullListener listener) throws IOException {
        Optional<Snapshot> cached = cached(model, wanted);
        return cached.isPresent() ? cached.get() : pull(model, wanted, listener);
    }

    /// The files out of the cache, without a word to the hub; empty if one is missing.
    public Optional<Snapshot> cached(ModelName model, Selection wanted) throws IOException {
        CacheFolder cache = new CacheFolder(settings.cache(), model);
        Optional<String> commit = cache.commit(model);
        if (commit.isEmpty() || !wanted.isComplete(cache.snapshot(commit.get()))) {
            return Optional.empty();
        }
        return Optional.of(new Snapshot(model, commit.get(), cache.snapshot(commit.get())));
    }

    /// The files as the hub has them now; those that are in the cache are not downloaded again. Offline, those in
    /// the cache.
    ///
    /// @throws IOException           if they cannot be had, saying why and what to do
    /// @throws CancellationException after an interrupt; what was downloaded until then is kept
    public Snapshot pull(ModelName model, Selection wanted, PullListener listener) throws IOException {
        CacheFolder cache = new CacheFolder(settings.cache(), model);
        if (settings.offline()) {
            return offline(model, wanted, cache);
        }
        try (Requests requests = new Requests(settings, timing)) {
            return new Pull(requests, cache, model, segmentBytes, new PullReport(listener)).run(wanted);
        }
    }

    private Snapshot offline(ModelName model, Selection wanted, CacheFolder cache) throws IOException {
        Optional<Snapshot> cached = cached(model, wanted);
        if (cached.isPresent()) {
            return cached.get();
        }
        Optional<String> commit = cache.commit(model);
        boolean some = commit.isPresent() && Files.isDirectory(cache.snapshot(commit.get()));
        throw new HubException("%s: %s in the cache %s, and HF_HUB_OFFLINE forbids to ask the hub"
                .formatted(model, some ? "not complete" : "not", settings.cache()));
    }

    /// Where snapshots are kept.
    public Path cache() {
        return settings.cache();
    }
}
