package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads the `config.json` of a Gemma 4, whose keys are its own: of a text model, or the text side of a multimodal one.
///
/// Source: huggingface/transformers 5.14, `models/gemma4/configuration_gemma4.py` and `modeling_gemma4.py`.
final class Gemma4Config {
    /// Of a text model.
    static final String TEXT = "gemma4_text";

    /// Of a multimodal one.
    static final String MULTIMODAL = "gemma4";

    static final Set<String> MODEL_TYPES = Set.of(TEXT, MULTIMODAL);

    /// Of towers and tokens that no text has.
    private static final Set<String> NO_ARITHMETIC = Set.of(
            "audio_config",
            "audio_token_id",
            "boa_token_id",
            "boa_token_index",
            "eoa_token_id",
            "eoa_token_index",
            "video_token_id",
            "vision_soft_tokens_per_image");

    /// Beyond any transformer there is; a broken file must not make us allocate for billions.
    private static final int MAX_LAYERS = 1024;

    private static final int PERIOD = 6;

    private final ConfigKeys outer;
    private final ConfigKeys keys;

    private Gemma4Config(ConfigKeys outer) throws CheckpointException {
        this.outer = outer;
        keys = outer.string("model_type").equals(MULTIMODAL) ? outer.object("text_config") : outer;
    }

    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    static GemmaConfig read(ConfigKeys config, @Nullable ConfigKeys generationConfig) throws CheckpointException {
        GemmaConfig read = new Gemma4Config(config).read(generationConfig);
        HuggingFaceConfig.refuseUnread(config, NO_ARITHMETIC);
        return read;
    }

    private GemmaConfig read(@Nullable ConfigKeys generationConfig) throws CheckpointException {
        requireImplemented();
        int embedding = keys.intValue("hidden_size", 2304);
        int vocab = keys.intValue("vocab_size", 262144);
        int perLayerVocab = keys.intValue("vocab_size_per_layer_input", 262144);
        int perLayerWidth = orNull("hidden_size_per_layer_input", 256);
        return new GemmaConfig(
                outer.string("model_type"),
                vocab,
                embedding,
                (float) Math.sqrt(embedding),
                (float) keys.doubleValue("rms_norm_eps", 1e-6),
                0f,
                keys.booleanValue("tie_word_embeddings", outer.booleanValue("tie_word_embeddings", true)),
                (float) keys.doubleValue("final_logit_softcapping", 0),
                keys.intValue("max_position_embeddings", 131072),
                keys.intValue("bos_token_id", outer.intValue("bos_token_id", 2)),
                HuggingFaceConfig.stopIds(
                        generationConfig == null ? List.of(keys, outer) : List.of(keys, outer, generationConfig)),
                layers(),
                perLayerWidth == 0 ? null : new PerLayerConfig(perLayerVocab, perLayerWidth),
                null,
                0);
    }

    private List<LayerConfig> layers() throws CheckpointException {
        int count = keys.intValue("num_hidden_layers", 30);
        if (count < 1 || count > MAX_LAYERS) {
            throw keys.problem("num_hidden_layers", "1 to " + MAX_LAYERS);
        }
        List<AttentionType> types = attentionTypes(count);
        int shared = keys.intValue("num_kv_shared_layers", 0);
        if (shared < 0 || shared >= count) {
            throw keys.problem("num_kv_shared_layers", "0 to %d".formatted(count - 1));
        }
        LayerConfig local = layer(AttentionType.LOCAL);
        LayerConfig global = layer(AttentionType.GLOBAL);
        int wider = keys.booleanValue("use_double_wide_mlp", false) ? 2 : 1;
        List<LayerConfig> layers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            LayerConfig kind = types.get(i) == AttentionType.LOCAL ? local : global;
            layers.add(i < count - shared ? kind : sharing(kind, source(types, i, count - shared), wider));
        }
        return layers;
    }

    /// The last of the layers before `end` that is of the kind of layer `index`.
    private int source(List<AttentionType> types, int index, int end) throws CheckpointException {
        int source = types.subList(0, end).lastIndexOf(types.get(index));
        if (source < 0) {
            throw keys.problem("num_kv_shared_layers", "a layer of each kind before those that share");
        }
        return source;
    }

    private static LayerConfig sharing(LayerConfig kind, int source, int wider) {
        return new LayerConfig(
                kind.attention(),
                kind.window(),
                kind.rope(),
                kind.heads(),
                kind.kvHeads(),
                kind.headDim(),
                kind.queryScale(),
                kind.softcap(),
                kind.queryKeyNorm(),
                kind.postNorms(),
                Math.multiplyExact(kind.neurons(), wider),
                kind.convolution(),
                kind.biases(),
                kind.bidirectional(),
                new KeyValues(source, false, false),
                kind.experts(),
                kind.scaledOutput(),
                kind.sparsity(),
                kind.encoderWidth());
    }

    /// A layer with keys and values of its own.
    private LayerConfig layer(AttentionType type) throws CheckpointException {
        boolean local = type == AttentionType.LOCAL;
        int localDim = keys.intValue("head_dim", 256);
        int globalDim = keys.intValue("global_head_dim", 512);
        int headDim = local ? localDim : globalDim;
        int kvHeads = keys.intValue("num_key_value_heads", 4);
        int globalKvHeads = keys.intValue("num_global_key_value_heads", kvHeads);
        int window = keys.intValue("sliding_window", 512);
        boolean valueIsKey = keys.booleanValue("attention_k_eq_v", false) && !local;
        return new LayerConfig(
                type,
                local ? window : 0,
                rope(local ? "sliding_attention" : "full_attention", local ? 1e4 : 1e6, headDim, local),
                keys.intValue("num_attention_heads", 8),
                valueIsKey ? globalKvHeads : kvHeads,
                headDim,
                1f,
                0f,
                true,
                true,
                keys.intValue("intermediate_size", 9216),
                0,
                false,
                false,
                new KeyValues(KeyValues.OWN, valueIsKey, true),
                experts(),
                true,
                0,
                0);
    }

    private Rope rope(String type, double theta, int headDim, boolean local) throws CheckpointException {
        if (!keys.has("rope_parameters")) {
            return local ? new Rope(theta, 1, headDim) : proportional(theta, 1, headDim, 0.25);
        }
        ConfigKeys nested = keys.object("rope_parameters");
        if (!nested.has(type)) {
            throw nested.problem(type, "an object");
        }
        ConfigKeys rope = nested.object(type);
        double base = rope.doubleValue("rope_theta", theta);
        double turned = rope.doubleValue("partial_rotary_factor", 1);
        double factor = rope.doubleValue("factor", 1);
        String kind = rope.string("rope_type", "default");
        return switch (kind) {
            case "proportional" -> {
                if (!(turned >= 0 && turned <= 1)) {
                    throw rope.problem("partial_rotary_factor", "0 to 1");
                }
                yield proportional(base, factor, headDim, turned);
            }
            case "default" -> {
                if (turned != 1) {
                    throw rope.problem("partial_rotary_factor", "1, or rope_type proportional");
                }
                if (factor != 1) {
                    throw rope.problem("factor", "1, or rope_type proportional");
                }
                yield new Rope(base, 1, headDim);
            }
            default -> throw rope.problem("rope_type", "default or proportional");
        };
    }

    /// The frequencies of a whole head, of which the first pairs are used.
    private static Rope proportional(double theta, double factor, int headDim, double turned) {
        return new Rope(theta, factor, headDim, (int) (turned * headDim / 2));
    }

    private @Nullable Experts experts() throws CheckpointException {
        int count = keys.intValue("num_experts", 0);
        int used = keys.intValue("top_k_experts", 0);
        int neurons = keys.intValue("moe_intermediate_size", 0);
        return keys.booleanValue("enable_moe_block", false) ? new Experts(count, used, neurons) : null;
    }

    /// The last layer is global whatever is written.
    private List<AttentionType> attentionTypes(int layers) throws CheckpointException {
        List<AttentionType> types = new ArrayList<>(layers);
        if (keys.has("layer_types")) {
            types.addAll(HuggingFaceConfig.layerTypes(keys, layers));
        } else {
            for (int i = 0; i < layers; i++) {
                types.add((i + 1) % PERIOD == 0 ? AttentionType.GLOBAL : AttentionType.LOCAL);
            }
        }
        types.set(layers - 1, AttentionType.GLOBAL);
        return types;
    }

    private void requireImplemented() throws CheckpointException {
        if (keys.booleanValue("attention_bias", false)) {
            throw keys.problem("attention_bias", "false");
        }
        if (!keys.string("hidden_activation", "gelu_pytorch_tanh").equals("gelu_pytorch_tanh")) {
            throw keys.problem("hidden_activation", "gelu_pytorch_tanh");
        }
        // Tokens of one image would see one another; no image gets that far
        if (!keys.string("use_bidirectional_attention", "vision").equals("vision")) {
            throw keys.problem("use_bidirectional_attention", "vision or nothing");
        }
    }

    /// An explicit null says 0; only an absent key has the default.
    private int orNull(String key, int absent) throws CheckpointException {
        return keys.isNull(key) ? 0 : keys.intValue(key, absent);
    }
}
