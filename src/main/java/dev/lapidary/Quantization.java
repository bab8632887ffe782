package dev.lapidary;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.WholeFile;
import dev.lapidary.kernels.DataType;
import dev.lapidary.model.CheckpointRewrite;
import dev.lapidary.tokenizer.GgufTokenizerKeys;
import dev.lapidary.tokenizer.HuggingFaceTokenizerFiles;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/// Writes checkpoints in other formats, as one GGUF file or in the layout of Hugging Face, slice by slice: memory does
/// not grow with the model. Immutable.
///
/// ```java
/// Quantization.to(StoredFormat.Q4_0).write(Path.of("gemma-3-1b-it"), Path.of("gemma-3-1b-it-q4_0.gguf"));
/// ```
///
/// @param layers   format of the layers' matrices
/// @param head     format of the matrix of the logits and of the embedding, which are one in all of Gemma
/// @param replaces whether what stands at the new name may be replaced
public record Quantization(StoredFormat layers, StoredFormat head, boolean replaces) {
    private static final Map<StoredFormat, String> TRANSFORMERS_TYPES =
            Map.of(StoredFormat.F32, "float32", StoredFormat.F16, "float16", StoredFormat.BF16, "bfloat16");

    /// llama.cpp's `enum llama_ftype`: the type of most matrices.
    private static final Map<StoredFormat, Integer> FILE_TYPES = Map.of(
            StoredFormat.F32, 0,
            StoredFormat.F16, 1,
            StoredFormat.Q4_0, 2,
            StoredFormat.Q8_0, 7,
            StoredFormat.BF16, 32);

    /// Everything in one format; but the head in Q8_0 where that is Q4_0: 4 bits cost the logits, and every input,
    /// more than they save.
    public static Quantization to(StoredFormat format) {
        return new Quantization(format, format == StoredFormat.Q4_0 ? StoredFormat.Q8_0 : format, false);
    }

    /// This with the head in another format.
    public Quantization withHead(StoredFormat format) {
        return new Quantization(layers, format, replaces);
    }

    /// This, replacing what stands at the new name.
    public Quantization replacing(boolean may) {
        return new Quantization(layers, head, may);
    }

    /// As [#write(Path, Path, WritingListener)], without watching.
    public List<String> write(Path in, Path out) throws IOException {
        return write(in, out, (_, _) -> {});
    }

    /// Writes the text model in `in` to `out`: a name that ends in `.gguf` gets a GGUF file, tokenizer and chat
    /// template included; one that ends in `.safetensors` the tensors alone; any other a folder in Hugging Face
    /// layout, its `config.json` last. Each file appears complete or not at all.
    ///
    /// @param in as [Gemma#open(Path)] takes it
    /// @return what the caller may not expect, for people: matrices rounded twice, parts left out
    /// @throws IllegalArgumentException   for blocks in anything but GGUF
    /// @throws FileAlreadyExistsException if there is something at `out` that may not be replaced
    /// @throws IOException                if `in` is not a model that is known, or `out` cannot be written
    /// @throws LinkageError               if the kernels cannot be loaded
    public List<String> write(Path in, Path out, WritingListener listener) throws IOException {
        boolean gguf = out.toString().endsWith(".gguf");
        if (!gguf && (layers.inBlocks() || head.inBlocks())) {
            throw new IllegalArgumentException("%s: got %s, need f32, f16 or bf16, or a name that ends in .gguf:"
                            .formatted(out, layers.inBlocks() ? layers : head)
                    + " safetensors has no such blocks");
        }
        requireFree(in, out);
        try (Checkpoint checkpoint = Checkpoint.open(in)) {
            CheckpointRewrite rewrite = CheckpointRewrite.of(checkpoint);
            long total = rewrite.storedBytes();
            long[] done = {0};
            LongConsumer read = bytes -> listener.written(done[0] += bytes, total);
            List<String> notes = new ArrayList<>();
            if (gguf) {
                writeGguf(checkpoint, rewrite, out, read, notes);
            } else if (out.toString().endsWith(".safetensors")) {
                rewrite.writeSafetensors(out, dense(layers), dense(head), read);
            } else {
                writeFolder(checkpoint, rewrite, out, read, notes);
            }
            notes.addAll(0, rewrite.notes());
            return notes;
        }
    }

    private void writeGguf(
            Checkpoint checkpoint, CheckpointRewrite rewrite, Path out, LongConsumer read, List<String> notes)
            throws IOException {
        GgufKeys keys = new GgufKeys();
        rewrite.putConfig(keys);
        keys.putUint32("general.file_type", FILE_TYPES.getOrDefault(layers, 0));
        keys.putUint32("general.quantization_version", 2);
        if (checkpoint.configuration() instanceof Configuration.HuggingFace) {
            keys.putString("general.type", "model");
            keys.putString("general.name", name(checkpoint.path()));
            int rows = rewrite.config().vocab();
            if (!GgufTokenizerKeys.put(checkpoint.path(), rows, keys)) {
                notes.add("there is no tokenizer beside the model, and none is written");
            }
        }
        rewrite.writeGguf(out, keys, GgmlType.valueOf(layers.name()), GgmlType.valueOf(head.name()), read);
    }

    private void writeFolder(
            Checkpoint checkpoint, CheckpointRewrite rewrite, Path out, LongConsumer read, List<String> notes)
            throws IOException {
        boolean made = !Files.exists(out);
        Files.createDirectories(out);
        try {
            rewrite.writeSafetensors(out.resolve("model.safetensors"), dense(layers), dense(head), read);
            if (!HuggingFaceTokenizerFiles.write(checkpoint, out)) {
                notes.add("there is no tokenizer beside the model, and none is written");
            }
            WholeFile.writeJson(
                    out.resolve("config.json"),
                    rewrite.huggingFaceConfig(TRANSFORMERS_TYPES.getOrDefault(layers, "float32")));
        } finally {
            if (made && isEmpty(out)) {
                Files.delete(out);
            }
        }
    }

    private void requireFree(Path in, Path out) throws IOException {
        if (!Files.exists(out)) {
            return;
        }
        if (Files.isSameFile(in, out)) {
            throw new IllegalArgumentException("%s: got the model itself, need another name".formatted(out));
        }
        boolean emptyFolder = Files.isDirectory(out) && isEmpty(out);
        if (!replaces && !emptyFolder) {
            throw new FileAlreadyExistsException(
                    out.toString(), null, "it exists already; need a new name, or leave to replace it (--force)");
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    private static DataType dense(StoredFormat format) {
        return DataType.valueOf(format.name());
    }

    private static String name(Path folder) throws IOException {
        return String.valueOf(folder.toRealPath().getFileName());
    }
}
