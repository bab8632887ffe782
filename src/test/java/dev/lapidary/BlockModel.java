package dev.lapidary;

import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.GgufTensorSpec;
import dev.lapidary.checkpoint.GgufWriter;
import dev.lapidary.kernels.Backends;
import dev.lapidary.kernels.BlockMatrix;
import dev.lapidary.kernels.BlockType;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.WeightConversion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;

/// A Gemma 3 of random blocks of every type, mixed as quantizers mix them: no two projections of a layer have one type.
final class BlockModel {
    static final int VOCAB = 40;

    private static final int WIDTH = 256;
    private static final int LAYERS = 3;

    private final SequencedMap<GgufTensorSpec, byte[]> tensors = new LinkedHashMap<>();
    private final Random random = new Random(5);

    /// The types of layer after layer, over and over.
    private final List<GgmlType> types = List.of(
            GgmlType.Q4_K,
            GgmlType.Q4_K,
            GgmlType.Q6_K,
            GgmlType.Q5_K,
            GgmlType.Q3_K,
            GgmlType.Q2_K,
            GgmlType.Q8_0,
            GgmlType.Q4_0,
            GgmlType.Q4_1,
            GgmlType.Q5_0,
            GgmlType.Q5_1,
            GgmlType.IQ4_NL);

    private int next;

    BlockModel() {
        blocks("token_embd.weight", GgmlType.Q6_K, VOCAB);
        norm("output_norm", WIDTH);
        for (int i = 0; i < LAYERS; i++) {
            String layer = "blk.%d.".formatted(i);
            for (String name : List.of("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")) {
                norm(layer + name, WIDTH);
            }
            norm(layer + "attn_q_norm", 64);
            norm(layer + "attn_k_norm", 64);
            blocks(layer + "attn_q.weight", type(), WIDTH);
            blocks(layer + "attn_k.weight", type(), WIDTH / 2);
            blocks(layer + "attn_v.weight", type(), WIDTH / 2);
            for (String name : List.of("attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
                blocks(layer + name + ".weight", type(), WIDTH);
            }
        }
    }

    /// Writes it in blocks.
    Path write(Path file) throws IOException {
        return write(file, tensors);
    }

    /// Writes the same values in F32.
    Path writeWide(Path file) throws IOException {
        SequencedMap<GgufTensorSpec, byte[]> wide = new LinkedHashMap<>();
        DriverThread.run(() -> Backends.open(Backends.DEFAULT)); // loads the shim
        try (Arena arena = Arena.ofShared()) {
            tensors.forEach((spec, bytes) -> {
                boolean isWide = spec.type() == GgmlType.F32;
                GgufTensorSpec as = new GgufTensorSpec(spec.name(), GgmlType.F32, spec.shape());
                wide.put(as, isWide ? bytes : widened(spec, bytes, arena));
            });
        }
        return write(file, wide);
    }

    private static byte[] widened(GgufTensorSpec spec, byte[] bytes, Arena arena) {
        MemorySegment data = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
        BlockType type = BlockType.named(spec.type().name()).orElseThrow();
        int rows = Math.toIntExact(spec.shape().getFirst());
        BlockMatrix blocks = new BlockMatrix(data, type, rows, WIDTH);
        Matrix wide = (Matrix) WeightConversion.to(DataType.F32).convert(blocks, arena, _ -> {});
        return wide.data().toArray(ValueLayout.JAVA_BYTE);
    }

    private static Path write(Path file, SequencedMap<GgufTensorSpec, byte[]> tensors) throws IOException {
        GgufKeys keys = new GgufKeys()
                .putString("general.architecture", "gemma3")
                .putUint32("gemma3.context_length", 4096)
                .putUint32("gemma3.embedding_length", WIDTH)
                .putUint32("gemma3.block_count", LAYERS)
                .putUint32("gemma3.feed_forward_length", WIDTH)
                .putUint32("gemma3.attention.head_count", 4)
                .putUint32("gemma3.attention.head_count_kv", 2)
                .putUint32("gemma3.attention.key_length", 64)
                .putUint32("gemma3.attention.sliding_window", 8)
                .putUint32("gemma3.attention.sliding_window_pattern", 2)
                .putFloat32("gemma3.attention.layer_norm_rms_epsilon", 1e-6f);
        try (GgufWriter writer = GgufWriter.create(file, keys, List.copyOf(tensors.keySet()))) {
            for (byte[] bytes : tensors.values()) {
                writer.write(MemorySegment.ofArray(bytes));
            }
            writer.finish();
        }
        return file;
    }

    private GgmlType type() {
        return types.get(next++ % types.size());
    }

    private void norm(String name, int width) {
        ByteBuffer bytes = ByteBuffer.allocate(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < width; i++) {
            bytes.putFloat((float) (1 + 0.2 * random.nextGaussian()));
        }
        tensors.put(new GgufTensorSpec(name + ".weight", GgmlType.F32, List.of((long) width)), bytes.array());
    }

    /// Bytes at random, but scales that give weights around 0.05.
    private void blocks(String name, GgmlType type, int rows) {
        GgufTensorSpec spec = new GgufTensorSpec(name, type, List.of((long) rows, (long) WIDTH));
        byte[] bytes = new byte[Math.toIntExact(spec.bytes())];
        random.nextBytes(bytes);
        ByteBuffer blocks = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.length; at += type.blockBytes()) {
            switch (type) {
                case Q4_0, Q5_0 -> scale(blocks, at, 0.01);
                case Q8_0, IQ4_NL -> scale(blocks, at, 1e-3);
                case Q4_1, Q5_1 -> scale(scale(blocks, at, 0.005), at + 2, -0.05);
                case Q4_K, Q5_K -> scale(scale(blocks, at, 1e-4), at + 2, 1e-3);
                case Q2_K -> scale(scale(blocks, at + 80, 3e-3), at + 82, 5e-3);
                case Q3_K -> scale(blocks, at + 108, 1e-3);
                case Q6_K -> scale(blocks, at + 208, 3e-5);
                default -> throw new IllegalArgumentException("type: got " + type);
            }
        }
        tensors.put(spec, bytes);
    }

    private ByteBuffer scale(ByteBuffer blocks, int at, double size) {
        return blocks.putShort(at, Float.floatToFloat16((float) (size * (0.5 + random.nextDouble()))));
    }
}
