package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads the `config.json` of a Gemma 3n, whose keys are its own: of a text model, or the text side of a multimodal
/// one.
///
/// Source: huggingface/transformers 5.14, `models/gemma3n/configuration_gemma3n.py` and `modeling_gemma3n.py`.
final class Gemma3nConfig {
    /// Of a text model.
    static final String TEXT = "gemma3n_text";

    /// Of a multimodal one.
    static final String MULTIMODAL = "gemma3n";

    static final Set<String> MODEL_TYPES = Set.of(TEXT, MULTIMODAL);

    /// Of training, clipping among it, of towers, and of tokens that no text has; and a scale that the reference
    /// does not look at.
    private static final Set<String> NO_ARITHMETIC = Set.of(
            "altup_coef_clip",
            "altup_lr_multiplier",
            "audio_config",
            "audio_soft_tokens_per_image",
            "audio_token_id",
            "boa_token_id",
            "eoa_token_id",
            "query_pre_attn_scalar",
            "vision_soft_tokens_per_image");

    /// Beyond any transformer there is; a broken file must not make us allocate for billions.
    private static final int MAX_LAYERS = 1024;

    private static final int PERIOD = 5;
    private static final int SPARSE_LAYERS = 10;

    private final ConfigKeys outer;
    private final ConfigKeys keys;

    private Gemma3nConfig(ConfigKeys outer) throws CheckpointException {
        this.outer = outer;
        keys = outer.string("model_type").equals(MULTIMODAL) ? outer.object("text_config") : outer;
    }

    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    static GemmaConfig read(ConfigKeys config, @Nullable ConfigKeys generationConfig) throws CheckpointException {
        GemmaConfig read = new Gemma3nConfig(config).read(generationConfig);
        HuggingFaceConfig.refuseUnread(config, NO_ARITHMETIC);
        return read;
    }

    private GemmaConfig read(@Nullable ConfigKeys generationConfig) throws CheckpointException {
        requireImplemented();
        int embedding = keys.intValue("hidden_size", 2048);
        return new GemmaConfig(
                outer.string("model_type"),
                keys.intValue("vocab_size", 262400),
                embedding,
                (float) Math.sqrt(embedding),
                (float) keys.doubleValue("rms_norm_eps", 1e-6),
                0f,
                keys.booleanValue("tie_word_embeddings", outer.booleanValue("tie_word_embeddings", true)),
                (float) keys.doubleValue("final_logit_softcapping", keys.isNull("final_logit_softcapping") ? 0 : 30),
                keys.intValue("max_position_embeddings", 32768),
                keys.intValue("bos_token_id", outer.intValue("bos_token_id", 2)),
                HuggingFaceConfig.stopIds(
                        generationConfig == null ? List.of(keys, outer) : List.of(keys, outer, generationConfig)),
                layers(),
                new PerLayerConfig(
                        keys.intValue("vocab_size_per_layer_input", 262144),
                        keys.intValue("hidden_size_per_layer_input", 256)),
                new AltUpConfig(keys.intValue("altup_num_inputs", 4), keys.booleanValue("altup_correct_scale", true)),
                keys.intValue("laurel_rank", 64));
    }

    private List<LayerConfig> layers() throws CheckpointException {
        int count = keys.intValue("num_hidden_layers", 35);
        if (count < 1 || count > MAX_LAYERS) {
            throw keys.problem("num_hidden_layers", "1 to " + MAX_LAYERS);
        }
        List<AttentionType> types = attentionTypes(count);
        List<Integer> neurons = neurons(count);
        List<Double> sparsities = sparsities(count);
        int own = count - shared(count);
        int headDim = keys.intValue("head_dim", 256);
        HuggingFaceRope ropes = HuggingFaceRope.read(keys, 1e6, 1e4, headDim);
        int window = keys.intValue("sliding_window", 512);
        List<LayerConfig> layers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            AttentionType type = types.get(i);
            boolean local = type == AttentionType.LOCAL;
            layers.add(new LayerConfig(
                    type,
                    local ? window : 0,
                    local ? ropes.local() : ropes.global(),
                    keys.intValue("num_attention_heads", 8),
                    keys.intValue("num_key_value_heads", 2),
                    headDim,
                    1f,
                    0f,
                    true,
                    true,
                    neurons.get(i),
                    0,
                    false,
                    false,
                    i < own
                            ? new KeyValues(KeyValues.OWN, false, true)
                            : new KeyValues(source(types, i, own), false, false),
                    null,
                    false,
                    sparsities.get(i),
                    0));
        }
        return layers;
    }

    private int shared(int layers) throws CheckpointException {
        int shared = keys.intValue("num_kv_shared_layers", 15);
        if (shared < 0 || shared >= layers) {
            throw keys.problem("num_kv_shared_layers", "0 to %d".formatted(layers - 1));
        }
        return shared;
    }

    /// The last of the layers before `end` that is of the kind of layer `index`.
    private int source(List<AttentionType> types, int index, int end) throws CheckpointException {
        int source = types.subList(0, end).lastIndexOf(types.get(index));
        if (source < 0) {
            throw keys.problem("num_kv_shared_layers", "a layer of each kind before those that share");
        }
        return source;
    }

    /// One number for all layers, or one for each.
    private List<Integer> neurons(int layers) throws CheckpointException {
        if (!keys.has("intermediate_size")) {
            return Collections.nCopies(layers, 16384);
        }
        List<Integer> neurons = keys.ints("intermediate_size");
        if (neurons.size() == 1) {
            return Collections.nCopies(layers, neurons.getFirst());
        }
        if (neurons.size() != layers) {
            throw keys.problem("intermediate_size", "as many entries as num_hidden_layers, " + layers);
        }
        return neurons;
    }

    private List<Double> sparsities(int layers) throws CheckpointException {
        List<Double> sparsities = new ArrayList<>();
        if (keys.has("activation_sparsity_pattern")) {
            sparsities.addAll(keys.doubles("activation_sparsity_pattern"));
        } else {
            int sparse = layers > SPARSE_LAYERS ? SPARSE_LAYERS : 0;
            sparsities.addAll(Collections.nCopies(sparse, 0.95));
            sparsities.addAll(Collections.nCopies(layers - sparse, 0.0));
        }
        if (sparsities.size() != layers) {
            throw keys.problem("activation_sparsity_pattern", "as many entries as num_hidden_layers, " + layers);
        }
        return sparsities;
    }

    private List<AttentionType> attentionTypes(int layers) throws CheckpointException {
        List<AttentionType> types = new ArrayList<>(layers);
        if (!keys.has("layer_types")) {
            for (int i = 0; i < layers; i++) {
                types.add((i + 1) % PERIOD == 0 ? AttentionType.GLOBAL : AttentionType.LOCAL);
            }
            return types;
        }
        return HuggingFaceConfig.layerTypes(keys, layers);
    }

    private void requireImplemented() throws CheckpointException {
        if (keys.booleanValue("attention_bias", false)) {
            throw keys.problem("attention_bias", "false");
        }
        if (!keys.string("hidden_activation", "gelu_pytorch_tanh").equals("gelu_pytorch_tanh")) {
            throw keys.problem("hidden_activation", "gelu_pytorch_tanh");
        }
        if (keys.intValue("altup_active_idx", 0) != 0) {
            throw keys.problem("altup_active_idx", "0");
        }
    }
}
