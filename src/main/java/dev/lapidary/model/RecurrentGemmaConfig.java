package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the `config.json` of a RecurrentGemma, whose keys are its own.
///
/// Source: huggingface/transformers 4.57 and 5.14, `models/recurrent_gemma/configuration_recurrent_gemma.py`, and
/// google-deepmind/recurrentgemma where the two differ.
final class RecurrentGemmaConfig {
    static final String MODEL_TYPE = "recurrent_gemma";

    /// Beyond any model there is; a broken file must not make us allocate for billions.
    private static final int MAX_LAYERS = 1024;

    /// Nothing in the network ends at a position: what bounds a sequence is what it was trained for, 8192 tokens.
    private static final int MAX_POSITIONS = 1 << 20;

    private final ConfigKeys keys;

    private RecurrentGemmaConfig(ConfigKeys keys) {
        this.keys = keys;
    }

    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    static GemmaConfig read(ConfigKeys config, @Nullable ConfigKeys generationConfig) throws CheckpointException {
        GemmaConfig read = new RecurrentGemmaConfig(config)
                .read(generationConfig == null ? List.of(config) : List.of(config, generationConfig));
        HuggingFaceConfig.refuseUnread(config);
        return read;
    }

    private GemmaConfig read(List<ConfigKeys> stops) throws CheckpointException {
        requireImplemented();
        int embedding = keys.intValue("hidden_size", 2560);
        return new GemmaConfig(
                MODEL_TYPE,
                keys.intValue("vocab_size", 256000),
                embedding,
                roundedToBf16((float) Math.sqrt(embedding)),
                (float) keys.doubleValue("rms_norm_eps", 1e-6),
                1f,
                keys.booleanValue("tie_word_embeddings", true),
                (float) keys.doubleValue("logits_soft_cap", keys.isNull("logits_soft_cap") ? 0 : 30),
                keys.intValue("max_position_embeddings", MAX_POSITIONS),
                keys.intValue("bos_token_id", 2),
                HuggingFaceConfig.stopIds(stops),
                layers(embedding));
    }

    private List<LayerConfig> layers(int embedding) throws CheckpointException {
        int count = keys.intValue("num_hidden_layers", 26);
        if (count < 1 || count > MAX_LAYERS) {
            throw keys.problem("num_hidden_layers", "1 to " + MAX_LAYERS);
        }
        int heads = positive("num_attention_heads", 10);
        LayerConfig attention = attention(embedding, heads);
        LayerConfig recurrent = recurrent(embedding, heads, attention);
        List<String> pattern = pattern();
        List<LayerConfig> layers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            layers.add(
                    switch (pattern.get(i % pattern.size())) {
                        case "recurrent" -> recurrent;
                        case "attention" -> attention;
                        default -> throw keys.problem("block_types", "recurrent or attention");
                    });
        }
        return layers;
    }

    private LayerConfig attention(int embedding, int heads) throws CheckpointException {
        int headDim = keys.intValue("head_dim", embedding / heads);
        double theta = keys.doubleValue("rope_theta", 1e4);
        double rotated = keys.doubleValue("partial_rotary_factor", 0.5);
        if (keys.has("rope_parameters")) {
            ConfigKeys nested = keys.object("rope_parameters");
            if (!nested.string("rope_type", "default").equals("default")) {
                throw nested.problem("rope_type", "default");
            }
            theta = nested.doubleValue("rope_theta", theta);
            rotated = nested.doubleValue("partial_rotary_factor", rotated);
        }
        if (!(rotated > 0 && rotated <= 1)) {
            throw keys.problem("partial_rotary_factor", "above 0 and at most 1");
        }
        int window = positive("attention_window_size", 2048);
        if (window == Integer.MAX_VALUE) {
            throw keys.problem("attention_window_size", "less than %d".formatted(window));
        }
        return new LayerConfig(
                AttentionType.LOCAL,
                window + 1, // the official code lets a query see the key `attention_window_size` tokens back
                new Rope(theta, 1, (int) (headDim * rotated)),
                heads,
                keys.intValue("num_key_value_heads", heads),
                headDim,
                (float) (1 / Math.sqrt(headDim)),
                0,
                false,
                false,
                neurons(embedding),
                0,
                true);
    }

    private LayerConfig recurrent(int embedding, int heads, LayerConfig attention) throws CheckpointException {
        int width = keys.intValue("lru_width", embedding);
        if (width < heads || width % heads != 0) {
            throw keys.problem("lru_width", "a multiple of %d heads".formatted(heads));
        }
        return new LayerConfig(
                AttentionType.RECURRENT,
                0,
                attention.rope(),
                heads,
                0,
                width / heads,
                1,
                0,
                false,
                false,
                attention.neurons(),
                positive("conv1d_width", 4),
                true);
    }

    /// The key counts gate and up together.
    private int neurons(int embedding) throws CheckpointException {
        int both = positive("intermediate_size", 3 * embedding);
        if (both % 2 != 0) {
            throw keys.problem("intermediate_size", "an even number");
        }
        return both / 2;
    }

    /// Repeated over the layers; the first published files name it twice.
    private List<String> pattern() throws CheckpointException {
        List<String> pattern =
                keys.has("block_types") ? keys.strings("block_types") : List.of("recurrent", "recurrent", "attention");
        if (pattern.isEmpty()) {
            throw keys.problem("block_types", "at least one entry");
        }
        if (keys.has("_block_types") && !keys.strings("_block_types").equals(pattern)) {
            throw keys.problem("_block_types", pattern + " as block_types says");
        }
        return pattern;
    }

    private void requireImplemented() throws CheckpointException {
        if (keys.booleanValue("attention_bias", false)) {
            throw keys.problem("attention_bias", "false");
        }
        if (!keys.booleanValue("embeddings_scale_by_sqrt_dim", true)) {
            throw keys.problem("embeddings_scale_by_sqrt_dim", "true");
        }
        if (!keys.string("hidden_activation", "gelu_pytorch_tanh").equals("gelu_pytorch_tanh")) {
            throw keys.problem("hidden_activation", "gelu_pytorch_tanh");
        }
    }

    private int positive(String key, int absent) throws CheckpointException {
        int value = keys.intValue(key, absent);
        if (value < 1) {
            throw keys.problem(key, "at least 1");
        }
        return value;
    }

    /// The reference keeps the embedding's factor in BF16, whatever it computes in.
    private static float roundedToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
    }
}
