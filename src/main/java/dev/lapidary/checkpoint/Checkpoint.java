package dev.lapidary.checkpoint;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// A model as it lies on disk: its tensors by name, and its configuration. The tensors are mapped read-only and used
/// in place, by any thread, until [#close()]: opening costs milliseconds whatever the size, and processes that open the
/// same files share their pages.
///
/// The files must not be truncated or written over while they are open (see [SafetensorsFile]).
public final class Checkpoint implements AutoCloseable {
    private final Path path;
    private final ConfigKeys config;
    private final @Nullable ConfigKeys generationConfig;
    private final SequencedMap<String, Tensor> tensors;
    private final Arena arena;

    Checkpoint(
            Path path,
            ConfigKeys config,
            @Nullable ConfigKeys generationConfig,
            SequencedMap<String, Tensor> tensors,
            Arena arena) {
        this.path = path;
        this.config = config;
        this.generationConfig = generationConfig;
        this.tensors = Collections.unmodifiableSequencedMap(tensors);
        this.arena = arena;
    }

    /// Opens a Hugging Face folder: `config.json` with `model.safetensors`, or with `model.safetensors.index.json`
    /// and its shards. Every file's header is read and checked; throws [CheckpointException] for the first thing
    /// wrong.
    @SuppressWarnings("MustBeClosedChecker") // the arena is the checkpoint's
    public static Checkpoint open(Path folder) throws CheckpointException {
        Arena arena = Arena.ofShared();
        try {
            return new HuggingFaceFolder(folder).open(arena);
        } catch (CheckpointException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// Where it was opened, as given.
    public Path path() {
        return path;
    }

    /// `config.json`.
    public ConfigKeys config() {
        return config;
    }

    /// `generation_config.json`, or `null` where there is none.
    public @Nullable ConfigKeys generationConfig() {
        return generationConfig;
    }

    /// All tensors by name, in the order of their bytes, shard after shard.
    public SequencedMap<String, Tensor> tensors() {
        return tensors;
    }

    /// Unmaps the tensors; from then on, touching one throws `IllegalStateException`. Throws it itself while a
    /// native call is still using one. Closing twice does nothing.
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
