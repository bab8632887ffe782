package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// A text model whose tokens see both ways, and the projections that make of its states what the layers of a decoder
/// attend to. Runs on the driver thread, one text at a time.
public final class TextEncoder {
    private final TextModel model;
    private final TextModel decoder;
    private final Kernels kernels;
    private final Function<Arena, SegmentAllocator> memory;

    /// @param decoder attends to what this encodes
    /// @param memory  gives the memory of a text, and of the pass that encodes it, which an arena owns
    TextEncoder(TextModel model, TextModel decoder, Kernels kernels, Function<Arena, SegmentAllocator> memory) {
        this.model = model;
        this.decoder = decoder;
        this.kernels = kernels;
        this.memory = memory;
    }

    /// What `checkpoint` says of an encoder beside its text model; empty where there is none.
    ///
    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    public static Optional<GemmaConfig> config(Checkpoint checkpoint) throws CheckpointException {
        return CheckpointConfig.readEncoder(checkpoint);
    }

    /// Reads the weights as those of the text model are.
    ///
    /// @param decoder the text model, which attends to what this encodes
    /// @param arena   owns the norms
    /// @param memory  gives memory that an arena owns, here of converted matrices
    /// @throws CheckpointException naming the file and the tensor that does not fit
    public static TextEncoder read(
            Checkpoint checkpoint,
            GemmaConfig config,
            TextModel decoder,
            WeightFormats formats,
            ConversionObserver observer,
            Kernels kernels,
            Arena arena,
            Function<Arena, SegmentAllocator> memory)
            throws CheckpointException {
        // A pass has a workspace of its own, as long as its text; that of the model is never touched.
        TextModel model = TextModel.read(checkpoint, config, formats, observer, kernels, 1, arena, memory.apply(arena));
        return new TextEncoder(model, decoder, kernels, memory);
    }

    /// Extents and traits.
    public GemmaConfig config() {
        return model.config();
    }

    /// Bytes of the matrices that were converted, which no file backs.
    public long convertedBytes() {
        return model.convertedBytes();
    }

    /// The tree of modules with their shapes.
    public ModuleTree moduleTree() {
        return model.encoderTree();
    }

    /// Bytes of an encoded text of `tokens` tokens.
    public long encodedBytes(int tokens) {
        return EncodedText.bytes(decoder.config(), tokens);
    }

    /// Bytes that encoding it takes beside those, until it is done.
    public long passBytes(int tokens) {
        return Workspace.bytes(config(), tokens)
                + KvCache.bytes(config(), tokens, tokens, DataType.F32)
                + (long) tokens * widest() * Float.BYTES;
    }

    /// Encodes a text.
    ///
    /// @param cancelled asked before each layer; if it says so, `CancellationException`
    /// @return released by the caller
    /// @throws CancellationException    if `cancelled` says so
    /// @throws IllegalArgumentException as for [#requireText]
    public EncodedText encode(int[] ids, BooleanSupplier cancelled) {
        requireText(ids);
        try (Arena call = Arena.ofShared()) {
            SegmentAllocator scratch = memory.apply(call);
            Decoder layers = model.decoder(kernels, new Workspace(config(), ids.length, scratch));
            Batch batch = new Batch().add(model.newCache(ids.length, scratch), 0, ids, 0, ids.length);
            Matrix states = layers.normed(layers.forward(batch, cancelled, null));
            long bytes = (long) ids.length * widest() * Float.BYTES;
            Matrix projected =
                    Matrix.dense(scratch.allocate(bytes, Matrix.ALIGNMENT_BYTES), states.type(), ids.length, widest());
            EncodedText text = new EncodedText(decoder.config(), ids.length, memory);
            try {
                project(states, projected, text);
            } catch (RuntimeException | Error e) {
                text.release();
                throw e;
            }
            return text;
        }
    }

    private void project(Matrix states, Matrix widest, EncodedText text) {
        for (int i = 0; i < decoder.config().layers().size(); i++) {
            LayerConfig layer = decoder.config().layers().get(i);
            int cols = layer.kvCols();
            Matrix projected = Matrix.dense(widest.data(), widest.type(), states.rows(), 2 * cols);
            kernels.project(states, decoder.crossAttention(i).keyValue(), projected);
            store(projected.cols(0, cols), layer, text.keys(i));
            store(projected.cols(cols, cols), layer, text.values(i));
        }
    }

    private void store(Matrix projected, LayerConfig layer, Heads slots) {
        Heads heads = Heads.of(projected, layer.headDim());
        kernels.headNormRope(heads, 0, heads.rows(), null, 0, null, 1f, slots, 0);
    }

    private int widest() {
        return decoder.config().layers().stream()
                .mapToInt(layer -> 2 * layer.kvCols())
                .max()
                .orElse(0);
    }

    /// Refuses what [#encode] cannot take.
    ///
    /// @throws IllegalArgumentException if there is no id, one is outside the vocabulary, or there are more than
    ///                                  positions
    public void requireText(int... ids) {
        int most = config().maxPositions();
        if (ids.length == 0 || ids.length > most) {
            throw new IllegalArgumentException(
                    "text to encode: got %d tokens, need 1 to %d, the positions of the encoder"
                            .formatted(ids.length, most));
        }
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= config().vocab()) {
                throw new IllegalArgumentException(
                        "text to encode: ids[%d]: got %d, need 0 to %d".formatted(i, ids[i], config().vocab() - 1));
            }
        }
    }
}
