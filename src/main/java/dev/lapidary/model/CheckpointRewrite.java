package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.GgufTensorSpec;
import dev.lapidary.checkpoint.GgufWriter;
import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.BlockFormat;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.WeightEncoder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.function.LongConsumer;

/// The text model of a checkpoint, to be written in other types as GGUF or safetensors. Tensors are streamed: what is
/// held in memory are slices of a few MiB, whatever the model.
public final class CheckpointRewrite {
    private static final ValueLayout.OfFloat LITTLE =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Checkpoint checkpoint;
    private final GemmaConfig config;
    private final TensorNames names;
    private final boolean ownHead;
    private final List<String> notes = new ArrayList<>();

    private CheckpointRewrite(Checkpoint checkpoint, GemmaConfig config) {
        this.checkpoint = checkpoint;
        this.config = config;
        names = TensorNames.of(checkpoint, config);
        ownHead = checkpoint.tensors().containsKey(names.head());
    }

    /// Reads and checks everything but the values.
    ///
    /// @throws CheckpointException naming the file and the key or tensor that is missing, left over or unknown
    public static CheckpointRewrite of(Checkpoint checkpoint) throws CheckpointException {
        GemmaConfig config = CheckpointConfig.read(checkpoint);
        if (config.perLayer() != null || config.layers().stream().anyMatch(CheckpointRewrite::cannotBeSaid)) {
            throw new CheckpointException("%s: got a %s model, need one of Gemma 1 to 3 to write it anew"
                    .formatted(checkpoint.path(), config.architecture()));
        }
        if (config.encoderWidth() > 0) {
            throw new CheckpointException("%s: got a %s model, need one without an encoder to write it anew"
                    .formatted(checkpoint.path(), config.architecture()));
        }
        if (config.bidirectional()) {
            throw new CheckpointException("%s: got a %s model for embeddings, need one that generates to write it anew"
                    .formatted(checkpoint.path(), config.architecture()));
        }
        try (Arena arena = Arena.ofConfined()) {
            WeightsReader.read(checkpoint, config, arena);
        }
        CheckpointRewrite rewrite = new CheckpointRewrite(checkpoint, config);
        long others = checkpoint.tensors().keySet().stream()
                .filter(name -> rewrite.names.belongsElsewhere(name) && !name.endsWith("inv_freq"))
                .count();
        if (others > 0) {
            rewrite.notes.add(
                    "only the text model is written: %d tensors of other parts are left out".formatted(others));
        }
        return rewrite;
    }

    /// Whether a layer has traits that no keys are written for.
    private static boolean cannotBeSaid(LayerConfig layer) {
        return layer.attention() == AttentionType.RECURRENT
                || !layer.keyValues().equals(KeyValues.PROJECTED)
                || layer.experts() != null
                || layer.scaledOutput();
    }

    /// What the model is.
    public GemmaConfig config() {
        return config;
    }

    /// Bytes of the tensors that are read, for progress.
    public long storedBytes() {
        return tensors(names, GgmlType.F32, GgmlType.F32).stream()
                .mapToLong(entry -> entry.stored().data().byteSize())
                .sum();
    }

    /// What people should know of the files written so far.
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /// Appends the keys that describe the model: those of a GGUF source as they are, else what its config says.
    ///
    /// @throws IllegalArgumentException if GGUF cannot say what the model is
    public void putConfig(GgufKeys keys) throws CheckpointException {
        if (checkpoint.configuration() instanceof Configuration.Gguf(var metadata)) {
            for (String key : metadata.keys()) {
                boolean general = key.equals("general.file_type")
                        || key.equals("general.quantization_version")
                        || key.equals("general.alignment");
                if (!general && !key.startsWith("split.") && !key.startsWith("quantize.")) {
                    keys.copy(metadata, key);
                }
            }
        } else {
            notes.addAll(GgufConfigKeys.put(config, keys));
        }
    }

    /// The keys of a `config.json` for the model.
    ///
    /// @param dtype as transformers spells the type of the matrices
    public SequencedMap<String, Object> huggingFaceConfig(String dtype) {
        return HuggingFaceConfigKeys.of(config, dtype, !ownHead);
    }

    /// Writes a GGUF file. Norms are F32 and hold the whole factor; matrices that have no whole blocks become F16.
    ///
    /// @param matrices type of the layers' matrices: F32, F16, BF16, Q8_0 or Q4_0
    /// @param head     the same for the embedding and the head
    /// @param read     told the stored bytes read, slice by slice
    public void writeGguf(Path file, GgufKeys keys, GgmlType matrices, GgmlType head, LongConsumer read)
            throws IOException {
        List<RewrittenTensor> entries = tensors(new GgufNames(), matrices, head);
        notes.addAll(RewrittenTensor.notes(entries));
        List<GgufTensorSpec> specs = entries.stream()
                .map(entry -> new GgufTensorSpec(
                        entry.name(), entry.type(), entry.stored().shape()))
                .toList();
        try (GgufWriter writer = GgufWriter.create(file, keys, specs)) {
            write(entries, config.normOffset(), writer::write, read);
            writer.finish();
        }
    }

    /// Writes a safetensors file with the names of a Hugging Face text model. Norms hold `w`, in the type they have
    /// there, in F32 where they come from GGUF.
    public void writeSafetensors(Path file, DataType matrices, DataType head, LongConsumer read) throws IOException {
        List<RewrittenTensor> entries = new ArrayList<>(tensors(
                new HuggingFaceNames("model.", ""), GgmlType.valueOf(matrices.name()), GgmlType.valueOf(head.name())));
        entries.sort(
                Comparator.comparingInt(entry -> -entry.type().blockBytes())); // each aligned, as the format wants it
        notes.addAll(RewrittenTensor.notes(entries));
        List<TensorSpec> specs = entries.stream()
                .map(entry -> new TensorSpec(
                        entry.name(),
                        DataType.valueOf(entry.type().name()),
                        entry.stored().shape()))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, specs)) {
            write(entries, config.normOffset() - 1, writer::write, read);
            writer.finish();
        }
    }

    private List<RewrittenTensor> tensors(TensorNames target, GgmlType matrices, GgmlType head) {
        return RewrittenTensor.all(checkpoint, config, target, matrices, head);
    }

    private interface Output {
        void write(MemorySegment bytes) throws IOException;
    }

    private void write(List<RewrittenTensor> entries, float added, Output output, LongConsumer read)
            throws IOException {
        Map<GgmlType, WeightEncoder> encoders = new EnumMap<>(GgmlType.class);
        try {
            for (RewrittenTensor entry : entries) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new CancellationException("interrupted");
                }
                if (entry.norm()) {
                    output.write(norm(entry, added));
                    read.accept(entry.stored().data().byteSize());
                } else {
                    encode(entry, encoders.computeIfAbsent(entry.type(), CheckpointRewrite::encoder), output, read);
                }
            }
        } finally {
            encoders.values().forEach(WeightEncoder::close);
        }
    }

    private static void encode(RewrittenTensor entry, WeightEncoder encoder, Output output, LongConsumer read)
            throws IOException {
        try {
            encoder.encode(WeightsReader.view(entry.stored()), (bytes, storedBytes) -> {
                output.write(bytes);
                read.accept(storedBytes);
            });
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    "%s: %s: %s".formatted(entry.stored().file(), entry.stored().name(), e.getMessage()), e);
        }
    }

    private static WeightEncoder encoder(GgmlType type) {
        return switch (type) {
            case Q8_0 -> WeightEncoder.to(BlockFormat.Q8_0);
            case Q4_0 -> WeightEncoder.to(BlockFormat.Q4_0);
            default -> WeightEncoder.to(DataType.valueOf(type.name()));
        };
    }

    /// A norm with `added` on each weight, in the type of the entry.
    private static MemorySegment norm(RewrittenTensor entry, float added) throws CheckpointException {
        if (added == 0 && entry.type().name().equals(entry.stored().storedType())) {
            return entry.stored().data();
        }
        int count = Math.toIntExact(entry.stored().shape().getFirst());
        MemorySegment out = MemorySegment.ofArray(new byte[count * Float.BYTES]);
        for (int i = 0; i < count; i++) {
            float value = entry.stored().type().get(entry.stored().data(), i);
            out.set(LITTLE, (long) i * Float.BYTES, value + added);
        }
        return out;
    }
}
