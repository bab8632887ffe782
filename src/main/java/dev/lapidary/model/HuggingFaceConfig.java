package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Reads a Hugging Face `config.json` into a [GemmaConfig]. The only place that knows its keys. Each key is used, known
/// to say nothing about the arithmetic, or refused by name; an absent key has the reference's default.
public final class HuggingFaceConfig {
    /// Beyond any transformer there is; a broken file must not make us allocate for billions.
    private static final int MAX_LAYERS = 1024;

    private final ConfigKeys outer;
    private final ConfigKeys keys;
    private final HuggingFaceDefaults defaults;
    private final String modelType;

    private HuggingFaceConfig(ConfigKeys outer) throws CheckpointException {
        this.outer = outer;
        modelType = outer.string("model_type");
        if (modelType.equals(HuggingFaceDefaults.PALIGEMMA)) {
            keys = outer.object("text_config");
            defaults = defaults(keys, keys.string("model_type", "gemma"), List.of("gemma", "gemma2"));
        } else {
            defaults = defaults(outer, modelType, modelTypes());
            keys = defaults.textConfig() ? outer.object("text_config") : outer;
        }
    }

    private HuggingFaceConfig(ConfigKeys outer, ConfigKeys keys, HuggingFaceDefaults defaults, String modelType) {
        this.outer = outer;
        this.keys = keys;
        this.defaults = defaults;
        this.modelType = modelType;
    }

    /// What the object `half` of `outer` says of a stack of layers; which keys are left over is for the caller to
    /// ask.
    static GemmaConfig readHalf(
            ConfigKeys outer, String half, HuggingFaceDefaults defaults, @Nullable ConfigKeys generationConfig)
            throws CheckpointException {
        return new HuggingFaceConfig(outer, outer.object(half), defaults, outer.string("model_type"))
                .config(generationConfig);
    }

    private static HuggingFaceDefaults defaults(ConfigKeys config, String modelType, Collection<String> known)
            throws CheckpointException {
        HuggingFaceDefaults found = known.contains(modelType) ? HuggingFaceDefaults.BY_MODEL_TYPE.get(modelType) : null;
        if (found == null) {
            throw config.problem("model_type", "one of " + String.join(", ", known));
        }
        return found;
    }

    /// Reads the text model.
    ///
    /// @param config           the content of `config.json`
    /// @param generationConfig the content of `generation_config.json`, which may name more stop tokens; null if
    ///                         absent
    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    public static GemmaConfig read(ConfigKeys config, @Nullable ConfigKeys generationConfig)
            throws CheckpointException {
        try {
            return switch (config.string("model_type")) {
                case RecurrentGemmaConfig.MODEL_TYPE -> RecurrentGemmaConfig.read(config, generationConfig);
                case Gemma4Config.TEXT, Gemma4Config.MULTIMODAL -> Gemma4Config.read(config, generationConfig);
                case Gemma3nConfig.TEXT, Gemma3nConfig.MULTIMODAL -> Gemma3nConfig.read(config, generationConfig);
                case T5GemmaConfig.MODEL_TYPE ->
                    T5GemmaConfig.read(config, generationConfig).decoder();
                default -> new HuggingFaceConfig(config).read(generationConfig);
            };
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("%s: %s".formatted(config.source(), e.getMessage()), e);
        }
    }

    /// Reads the encoder whose texts the text model attends to; empty where it has none.
    ///
    /// @throws CheckpointException as for [#read]
    public static Optional<GemmaConfig> readEncoder(ConfigKeys config) throws CheckpointException {
        if (!config.string("model_type").equals(T5GemmaConfig.MODEL_TYPE)) {
            return Optional.empty();
        }
        try {
            return Optional.of(T5GemmaConfig.read(config, null).encoder());
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("%s: %s".formatted(config.source(), e.getMessage()), e);
        }
    }

    private static Set<String> modelTypes() {
        Set<String> types = new TreeSet<>(HuggingFaceDefaults.BY_MODEL_TYPE.keySet());
        types.add(HuggingFaceDefaults.PALIGEMMA);
        types.add(RecurrentGemmaConfig.MODEL_TYPE);
        types.addAll(Gemma4Config.MODEL_TYPES);
        types.addAll(Gemma3nConfig.MODEL_TYPES);
        types.add(T5GemmaConfig.MODEL_TYPE);
        return types;
    }

    private GemmaConfig read(@Nullable ConfigKeys generationConfig) throws CheckpointException {
        GemmaConfig config = config(generationConfig);
        refuseUnread(outer);
        return config;
    }

    private GemmaConfig config(@Nullable ConfigKeys generationConfig) throws CheckpointException {
        requireImplemented();
        int embedding = keys.intValue("hidden_size", defaults.embedding());
        return new GemmaConfig(
                modelType,
                keys.intValue("vocab_size", defaults.vocab()),
                embedding,
                (float) Math.sqrt(embedding),
                (float) keys.doubleValue("rms_norm_eps", 1e-6),
                1f,
                keys.booleanValue("tie_word_embeddings", outer.booleanValue("tie_word_embeddings", true)),
                (float) keys.doubleValue(
                        "final_logit_softcapping", softcapDefault("final_logit_softcapping", defaults.finalSoftcap())),
                keys.intValue("max_position_embeddings", defaults.maxPositions()),
                keys.intValue("bos_token_id", outer.intValue("bos_token_id", 2)),
                stopIds(generationConfig == null ? List.of(keys, outer) : List.of(keys, outer, generationConfig)),
                layers());
    }

    /// An explicit null switches a softcap off; only an absent key has the default.
    private double softcapDefault(String key, double absent) {
        return keys.isNull(key) ? 0 : absent;
    }

    private List<LayerConfig> layers() throws CheckpointException {
        int count = keys.intValue("num_hidden_layers", defaults.layers());
        if (count < 1 || count > MAX_LAYERS) {
            throw keys.problem("num_hidden_layers", "1 to " + MAX_LAYERS);
        }
        int heads = keys.intValue("num_attention_heads", defaults.heads());
        int headDim = keys.intValue("head_dim", defaults.headDim());
        double scalar = defaults.queryPreAttentionScalar() ? keys.doubleValue("query_pre_attn_scalar", 256) : headDim;
        boolean bidirectional = bidirectional();
        // Of a window to both sides the reference gives each half, and then the query's own key.
        int window = defaults.window() == 0 ? 0 : bidirectional ? window() / 2 + 1 : window();
        List<AttentionType> types = attentionTypes(count);
        HuggingFaceRope ropes = HuggingFaceRope.read(keys, defaults.theta(), defaults.localTheta(), headDim);
        int kvHeads = keys.intValue("num_key_value_heads", defaults.kvHeads());
        int neurons = keys.intValue("intermediate_size", defaults.neurons());
        double softcap = defaults.attentionSoftcapKey()
                ? keys.doubleValue(
                        "attn_logit_softcapping", softcapDefault("attn_logit_softcapping", defaults.attentionSoftcap()))
                : 0;
        List<LayerConfig> layers = new ArrayList<>(count);
        for (AttentionType type : types) {
            boolean local = type == AttentionType.LOCAL;
            LayerConfig layer = new LayerConfig(
                    type,
                    local ? window : 0,
                    local ? ropes.local() : ropes.global(),
                    heads,
                    kvHeads,
                    headDim,
                    (float) (1 / Math.sqrt(scalar)),
                    (float) softcap,
                    defaults.queryKeyNorm(),
                    defaults.postNorms(),
                    neurons);
            layers.add(bidirectional ? layer.seeingBothWays() : layer);
        }
        return layers;
    }

    /// A text model of Gemma 3 may see both ways; nobody has published another that does.
    private boolean bidirectional() throws CheckpointException {
        String key = "use_bidirectional_attention";
        boolean asked = keys.booleanValue(key, false);
        if (asked && !modelType.equals("gemma3_text")) {
            throw keys.problem(key, "false");
        }
        return asked;
    }

    /// Gemma 2's first configs name the window twice.
    private int window() throws CheckpointException {
        int window = keys.intValue("sliding_window", defaults.window());
        int again = keys.intValue("sliding_window_size", window);
        if (again != window) {
            throw keys.problem("sliding_window_size", "%d as sliding_window says".formatted(window));
        }
        return window;
    }

    private List<AttentionType> attentionTypes(int layers) throws CheckpointException {
        int period = defaults.period();
        if (defaults.periodKey()) {
            period = keys.intValue("sliding_window_pattern", keys.intValue("_sliding_window_pattern", period));
            if (period < 1) {
                throw keys.problem(
                        keys.has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern",
                        "at least 1");
            }
        }
        List<AttentionType> types = new ArrayList<>(layers);
        if (!keys.has("layer_types")) {
            for (int i = 0; i < layers; i++) {
                types.add((i + 1) % period == 0 ? AttentionType.GLOBAL : AttentionType.LOCAL);
            }
            return types;
        }
        types.addAll(layerTypes(keys, layers));
        if (defaults.window() == 0 && types.contains(AttentionType.LOCAL)) {
            throw keys.problem("layer_types", "full_attention alone in " + modelType);
        }
        return types;
    }

    /// The kinds of layers that `layer_types` names, one each.
    static List<AttentionType> layerTypes(ConfigKeys keys, int layers) throws CheckpointException {
        List<AttentionType> types = new ArrayList<>(layers);
        for (String name : keys.strings("layer_types")) {
            types.add(
                    switch (name) {
                        case "sliding_attention" -> AttentionType.LOCAL;
                        case "full_attention" -> AttentionType.GLOBAL;
                        default -> throw keys.problem("layer_types", "sliding_attention or full_attention");
                    });
        }
        if (types.size() != layers) {
            throw keys.problem("layer_types", "as many entries as num_hidden_layers, " + layers);
        }
        return types;
    }

    /// Every `eos_token_id` of these places; 1 where there is none.
    static List<Integer> stopIds(List<ConfigKeys> places) throws CheckpointException {
        Set<Integer> ids = new LinkedHashSet<>();
        for (ConfigKeys place : places) {
            if (place.has("eos_token_id")) {
                ids.addAll(place.ints("eos_token_id"));
            }
        }
        return ids.isEmpty() ? List.of(1) : List.copyOf(ids);
    }

    /// Keys that change the arithmetic in ways no Gemma of these generations uses.
    private void requireImplemented() throws CheckpointException {
        requireFalse("attention_bias");
        String older = keys.string("hidden_act", "gelu_pytorch_tanh");
        // The first Gemma 1 configs say "gelu" and mean the tanh form, as the official code runs them.
        String activation = keys.string(
                "hidden_activation", defaults.geluMeansTanh() && older.equals("gelu") ? "gelu_pytorch_tanh" : older);
        if (!activation.equals("gelu_pytorch_tanh")) {
            throw keys.problem(keys.has("hidden_activation") ? "hidden_activation" : "hidden_act", "gelu_pytorch_tanh");
        }
    }

    private void requireFalse(String key) throws CheckpointException {
        if (keys.booleanValue(key, false)) {
            throw keys.problem(key, "false");
        }
    }

    /// Refuses, by name, every key that nothing has read.
    static void refuseUnread(ConfigKeys config) throws CheckpointException {
        refuseUnread(config, Set.of());
    }

    /// The same with more keys that say nothing about the arithmetic.
    static void refuseUnread(ConfigKeys config, Set<String> noArithmetic) throws CheckpointException {
        for (String key : config.unread()) {
            String last = key.substring(key.lastIndexOf('.') + 1);
            if (!HuggingFaceDefaults.NO_ARITHMETIC.contains(last) && !noArithmetic.contains(last)) {
                throw new CheckpointException(
                        "%s: %s: got a key this version does not know, need one it does, since it may change the results"
                                .formatted(config.source(), key));
            }
        }
    }
}
