package dev.lapidary.model;

import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/// A Gemma 3 checkpoint of random weights, small enough to write in a test, to be changed before it is written. A
/// tensor's values follow from the name it was added with, so that the same weights can come under other names.
public final class TinyCheckpoint {
    /// Heads x head dimension, neurons and width all differ, so that nothing fits in place of another.
    private static final int WIDTH = 12;

    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final int HEAD_DIM = 8;
    private static final int NEURONS = 20;

    private final SequencedMap<String, String> config = new LinkedHashMap<>();
    private final SequencedMap<String, Values> tensors = new LinkedHashMap<>();

    /// Layers alternate between LOCAL with a window of 6 and GLOBAL. The head is tied.
    public TinyCheckpoint(int vocab, int layers, DataType type) {
        config("model_type", "\"gemma3_text\"");
        config("vocab_size", Integer.toString(vocab));
        config("hidden_size", Integer.toString(WIDTH));
        config("num_hidden_layers", Integer.toString(layers));
        config("num_attention_heads", Integer.toString(HEADS));
        config("num_key_value_heads", Integer.toString(KV_HEADS));
        config("head_dim", Integer.toString(HEAD_DIM));
        config("intermediate_size", Integer.toString(NEURONS));
        config("query_pre_attn_scalar", "10");
        config("sliding_window", "6");
        config("sliding_window_pattern", "2");
        config("max_position_embeddings", "4096");
        tensor("model.embed_tokens.weight", type, vocab, WIDTH);
        for (int i = 0; i < layers; i++) {
            layer("model.layers." + i + ".", type);
        }
        tensor("model.norm.weight", type, WIDTH);
    }

    private void layer(String name, DataType type) {
        tensor(name + "input_layernorm.weight", type, WIDTH);
        tensor(name + "self_attn.q_proj.weight", type, HEADS * HEAD_DIM, WIDTH);
        tensor(name + "self_attn.k_proj.weight", type, KV_HEADS * HEAD_DIM, WIDTH);
        tensor(name + "self_attn.v_proj.weight", type, KV_HEADS * HEAD_DIM, WIDTH);
        tensor(name + "self_attn.o_proj.weight", type, WIDTH, HEADS * HEAD_DIM);
        tensor(name + "self_attn.q_norm.weight", type, HEAD_DIM);
        tensor(name + "self_attn.k_norm.weight", type, HEAD_DIM);
        tensor(name + "post_attention_layernorm.weight", type, WIDTH);
        tensor(name + "pre_feedforward_layernorm.weight", type, WIDTH);
        tensor(name + "mlp.gate_proj.weight", type, NEURONS, WIDTH);
        tensor(name + "mlp.up_proj.weight", type, NEURONS, WIDTH);
        tensor(name + "mlp.down_proj.weight", type, WIDTH, NEURONS);
        tensor(name + "post_feedforward_layernorm.weight", type, WIDTH);
    }

    /// Sets a key of `config.json` to a JSON value.
    public TinyCheckpoint config(String key, String json) {
        config.put(key, json);
        return this;
    }

    /// Adds a tensor, or replaces it by one of another type or shape.
    public TinyCheckpoint tensor(String name, DataType type, long... shape) {
        List<Long> extents = Arrays.stream(shape).boxed().toList();
        tensors.put(name, new Values(type, extents, name.hashCode()));
        return this;
    }

    /// Takes a tensor away.
    public TinyCheckpoint without(String name) {
        if (tensors.remove(name) == null) {
            throw new IllegalArgumentException("no tensor " + name);
        }
        return this;
    }

    /// The same values under other names.
    public TinyCheckpoint renamed(UnaryOperator<String> change) {
        SequencedMap<String, Values> before = new LinkedHashMap<>(tensors);
        tensors.clear();
        before.forEach((name, values) -> tensors.put(change.apply(name), values));
        return this;
    }

    /// Writes it; returns the folder.
    public Path write(Path folder) {
        String json = config.entrySet().stream()
                .map(entry -> "\"%s\": %s".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(",\n", "{", "}"));
        List<TensorSpec> specs = tensors.entrySet().stream()
                .map(tensor -> new TensorSpec(
                        tensor.getKey(),
                        tensor.getValue().type(),
                        tensor.getValue().shape()))
                .toList();
        try (Arena arena = Arena.ofConfined();
                SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("model.safetensors"), specs)) {
            Files.writeString(folder.resolve("config.json"), json);
            for (Map.Entry<String, Values> tensor : tensors.entrySet()) {
                writer.write(tensor.getValue().elements(arena));
            }
            writer.finish();
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record Values(DataType type, List<Long> shape, int seed) {
        MemorySegment elements(Arena arena) {
            Random random = new Random(seed);
            long count = shape.stream().reduce(1L, Math::multiplyExact);
            // Matrices keep the size of what they multiply; norms vary around a factor of 1.
            double scale = shape.size() < 2 ? 0.3 : 1.5 / Math.sqrt(shape.getLast());
            MemorySegment elements = arena.allocate(count * type.bytes(), Long.BYTES);
            for (long i = 0; i < count; i++) {
                float value = (float) (random.nextGaussian() * scale);
                switch (type) {
                    case F32 -> elements.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
                    case BF16 ->
                        elements.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToIntBits(value) >>> 16));
                    case F16 -> elements.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
                }
            }
            return elements;
        }
    }
}
