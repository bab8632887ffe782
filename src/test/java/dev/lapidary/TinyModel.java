package dev.lapidary;

import dev.lapidary.kernels.DataType;
import dev.lapidary.model.TinyCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// An open model of random weights with a tokenizer, for what sessions do whatever the weights are.
final class TinyModel {
    /// Small, so that a prompt of some dozens is several chunks.
    static final int CHUNK = 16;

    /// Slots of a LOCAL layer's ring, as its window and [#CHUNK] make them: what is further back is overwritten.
    static final int RING_SLOTS = 192;

    /// Rows of the embedding: the tokenizer's pieces, and some that pad it.
    static final int VOCAB = 2056;

    private TinyModel() {}

    static Gemma open(Path folder) throws IOException {
        return open(folder, checkpoint());
    }

    /// Writes the checkpoint and the tokenizer to `folder` and opens them with exact arithmetic.
    static Gemma open(Path folder, TinyCheckpoint checkpoint) throws IOException {
        Path tokenizer = folder.resolve("tokenizer.model");
        if (!Files.exists(tokenizer)) {
            Files.copy(Path.of("src/test/resources/tokenizer/demo.model"), tokenizer);
        }
        return Gemma.open(checkpoint.write(folder), options());
    }

    static TinyCheckpoint checkpoint() {
        return new TinyCheckpoint(VOCAB, 5, DataType.BF16);
    }

    static Options options() {
        return Options.defaults().withThreads(2).withCompute(Compute.F32).withChunk(CHUNK);
    }
}
