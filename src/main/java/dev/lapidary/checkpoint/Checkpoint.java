package dev.lapidary.checkpoint;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Optional;
import java.util.SequencedMap;

/// A model as it lies on disk: its tensors by name, and its configuration. The tensors are mapped read-only and used
/// in place, by any thread, until [#close()]: opening costs milliseconds whatever the size, and processes that open the
/// same files share their pages.
///
/// The files must not be truncated or written over while they are open (see [SafetensorsFile]).
public final class Checkpoint implements AutoCloseable {
    private final Path path;
    private final Configuration configuration;
    private final SequencedMap<String, Tensor> tensors;
    private final Arena arena;

    Checkpoint(Path path, Configuration configuration, SequencedMap<String, Tensor> tensors, Arena arena) {
        this.path = path;
        this.configuration = configuration;
        this.tensors = Collections.unmodifiableSequencedMap(tensors);
        this.arena = arena;
    }

    /// Opens a Hugging Face folder: `config.json` with `model.safetensors`, or with `model.safetensors.index.json`
    /// and its shards; or a GGUF file (of a split one the first part, its name ending in `-00001-of-0000N.gguf`);
    /// or a folder with one model in GGUF and no `config.json`. Every file's header is read and checked; throws
    /// [CheckpointException] for the first thing wrong.
    @SuppressWarnings("MustBeClosedChecker") // the arena is the checkpoint's
    public static Checkpoint open(Path path) throws CheckpointException {
        Arena arena = Arena.ofShared();
        try {
            Optional<Path> gguf = GgufPlace.of(path);
            return gguf.isPresent() ? GgufFile.open(path, gguf.get(), arena) : new HuggingFaceFolder(path).open(arena);
        } catch (CheckpointException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// Where it was opened, as given.
    public Path path() {
        return path;
    }

    /// What the model is.
    public Configuration configuration() {
        return configuration;
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
