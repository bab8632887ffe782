package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.GgufTensorSpec;
import dev.lapidary.checkpoint.GgufWriter;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Writes a text-only Hugging Face checkpoint as GGUF the way llama.cpp's `convert_hf_to_gguf.py` does: norms in F32
/// with 1 added, matrices as they are, each under the converter's own names.
public final class GgufCopy {
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("self_attn.q_norm", "attn_q_norm"),
            Map.entry("self_attn.k_norm", "attn_k_norm"),
            Map.entry("pre_feedforward_layernorm", "ffn_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"),
            Map.entry("post_feedforward_layernorm", "post_ffw_norm"));

    private static final Pattern LAYER = Pattern.compile("(?:model\\.)?layers\\.(\\d+)\\.(.*)\\.weight");

    private static final String EMBEDDING = "gemma-embedding";

    private GgufCopy() {}

    /// Writes the checkpoint in `folder` to `file`, matrices as stored.
    public static Path write(Path folder, Path file) throws IOException {
        return write(folder, file, null, new GgufKeys());
    }

    /// Writes the checkpoint in `folder` to `file`.
    ///
    /// @param matrices type of the matrices, F32 or F16; null: as stored
    /// @param keys     begins the metadata
    public static Path write(Path folder, Path file, @Nullable GgmlType matrices, GgufKeys keys) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Arena arena = Arena.ofConfined()) {
            GemmaConfig config = CheckpointConfig.read(checkpoint);
            String architecture =
                    config.bidirectional() ? EMBEDDING : config.architecture().replace("_text", "");
            keys(config, architecture, keys);
            List<Tensor> tensors = new ArrayList<>(checkpoint.tensors().values());
            List<GgufTensorSpec> specs = new ArrayList<>();
            if (config.bidirectional()) {
                for (String dense : List.of("2_Dense", "3_Dense")) {
                    Tensor stored = Objects.requireNonNull(
                            SafetensorsFile.map(folder.resolve(dense).resolve("model.safetensors"), arena)
                                    .tensors()
                                    .get("linear.weight"));
                    String name = "dense_" + dense.charAt(0);
                    tensors.add(new Tensor(
                            name + ".weight", stored.storedType(), stored.shape(), stored.data(), stored.file()));
                    keys.putUint32(
                            EMBEDDING + "." + name + "_feat_in",
                            Math.toIntExact(stored.shape().getLast()));
                    keys.putUint32(
                            EMBEDDING + "." + name + "_feat_out",
                            Math.toIntExact(stored.shape().getFirst()));
                }
            }
            for (Tensor tensor : tensors) {
                GgmlType type = isNorm(tensor)
                        ? GgmlType.F32
                        : matrices == null ? GgmlType.valueOf(tensor.storedType()) : matrices;
                specs.add(new GgufTensorSpec(name(tensor.name(), architecture), type, tensor.shape()));
            }
            try (GgufWriter writer = GgufWriter.create(file, keys, specs)) {
                int next = 0;
                for (Tensor tensor : tensors) {
                    writer.write(MemorySegment.ofArray(
                            bytes(tensor, specs.get(next++).type())));
                }
                writer.finish();
            }
            return file;
        }
    }

    /// The converter's keys for a config.
    static GgufKeys keys(GemmaConfig config, String architecture, GgufKeys keys) {
        LayerConfig first = config.layers().getFirst();
        LayerConfig last = config.layers().stream()
                .filter(layer -> layer.attention() == AttentionType.GLOBAL)
                .findFirst()
                .orElseThrow();
        keys.putString("general.architecture", architecture);
        String prefix = architecture + ".";
        keys.putUint32(prefix + "context_length", config.maxPositions());
        keys.putUint32(prefix + "embedding_length", config.embedding());
        keys.putUint32(prefix + "block_count", config.layers().size());
        keys.putUint32(prefix + "feed_forward_length", first.neurons());
        keys.putUint32(prefix + "attention.head_count", first.heads());
        keys.putUint32(prefix + "attention.head_count_kv", first.kvHeads());
        keys.putFloat32(prefix + "attention.layer_norm_rms_epsilon", config.normEpsilon());
        keys.putUint32(prefix + "attention.key_length", first.headDim());
        keys.putUint32(prefix + "attention.value_length", first.headDim());
        if (architecture.equals("gemma2")) {
            keys.putFloat32(prefix + "attn_logit_softcapping", first.softcap());
            keys.putFloat32(prefix + "final_logit_softcapping", config.finalSoftcap());
        }
        if (first.window() != 0) {
            keys.putUint32(
                    prefix + "attention.sliding_window",
                    config.bidirectional() ? 2 * (first.window() - 1) : first.window());
        }
        if (config.bidirectional()) {
            keys.putUint32(prefix + "pooling_type", 1);
        }
        if (architecture.equals("gemma3") || config.bidirectional()) {
            keys.putFloat32(prefix + "rope.freq_base", (float) last.rope().theta());
            if (last.rope().factor() != 1) {
                keys.putString(prefix + "rope.scaling.type", "linear");
                keys.putFloat32(
                        prefix + "rope.scaling.factor", (float) last.rope().factor());
            }
        }
        return keys;
    }

    private static boolean isNorm(Tensor tensor) {
        return tensor.name().endsWith("norm.weight");
    }

    private static String name(String name, String architecture) {
        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return switch (name) {
                case "dense_2.weight", "dense_3.weight" -> name;
                case "embed_tokens.weight", "model.embed_tokens.weight" -> "token_embd.weight";
                case "norm.weight", "model.norm.weight" -> "output_norm.weight";
                default -> throw new IllegalArgumentException("no GGUF name for " + name);
            };
        }
        String part = layer.group(2);
        String mapped = part.equals("post_attention_layernorm")
                ? architecture.equals("gemma") ? "ffn_norm" : "post_attention_norm"
                : NAMES.get(part);
        return "blk.%s.%s.weight".formatted(layer.group(1), mapped);
    }

    private static byte[] bytes(Tensor tensor, GgmlType type) throws IOException {
        if (!isNorm(tensor) && type.name().equals(tensor.storedType())) {
            return tensor.data().toArray(ValueLayout.JAVA_BYTE);
        }
        int count = Math.toIntExact(tensor.data().byteSize() / tensor.type().bytes());
        ByteBuffer bytes = ByteBuffer.allocate(count * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            float value = value(tensor.data(), tensor.type(), i) + (isNorm(tensor) ? 1 : 0);
            if (type == GgmlType.F32) {
                bytes.putFloat(value);
            } else {
                bytes.putShort(Float.floatToFloat16(value));
            }
        }
        return bytes.array();
    }

    private static float value(MemorySegment data, DataType type, int i) {
        return switch (type) {
            case F32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case BF16 -> Float.intBitsToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
            case F16 -> Float.float16ToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT, i));
        };
    }
}
