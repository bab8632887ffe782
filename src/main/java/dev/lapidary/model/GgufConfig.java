package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.GgufMetadata;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Reads the metadata of a GGUF file into a [GemmaConfig]. The only place that knows its keys. Each key of the
/// architecture is used, known to say nothing about the arithmetic, or refused by name.
///
/// GGUF says less than `config.json`: what it leaves out is fixed here as llama.cpp has it in code. Norm weights hold
/// the whole factor, `1 + w`.
///
/// Source: llama.cpp, `conversion/gemma.py` for what is written and `src/models/gemma{,2,3}.cpp` for what is assumed.
public final class GgufConfig {
    /// Beyond any transformer there is; a broken file must not make us allocate for billions.
    private static final int MAX_LAYERS = 1024;

    private static final String ARCHITECTURE = "general.architecture";

    /// What an architecture's name alone says.
    ///
    /// @param window       of local layers where no key says it; 0 where the key decides whether there are any
    /// @param period       every `period`-th layer is global where no key says it; 1 where no layer is local
    /// @param localTheta   of local layers where no key says it; 0 for the global one, scaling included
    /// @param bidirectional whether tokens see those that follow; half of the window then lies on each side
    /// @param oddScaleLayers layers of the one size whose queries are scaled by embedding / heads, not by headDim
    private record Family(
            int window,
            int period,
            double localTheta,
            int oddScaleLayers,
            boolean softcaps,
            boolean queryKeyNorm,
            boolean postNorms,
            boolean bidirectional) {}

    private static final Map<String, Family> FAMILIES = Map.of(
            "gemma", new Family(0, 1, 0, 0, false, false, false, false),
            "gemma2", new Family(4096, 2, 0, 46, true, false, true, false),
            "gemma3", new Family(0, 6, 1e4, 62, false, true, true, false),
            "gemma-embedding", new Family(0, 6, 1e4, 0, false, true, true, true));

    /// Keys of what stands behind a bidirectional text model, for whoever reads that.
    private static final Set<String> BEHIND_THE_MODEL =
            Set.of("pooling_type", "dense_2_feat_in", "dense_2_feat_out", "dense_3_feat_in", "dense_3_feat_out");

    /// Keys behind `gemma3.` that say nothing about the arithmetic.
    private static final Set<String> NO_ARITHMETIC =
            Set.of("vocab_size", "rope.scaling.original_context_length", "rope.scaling.finetuned");

    private final GgufMetadata metadata;
    private final String architecture;
    private final Family family;
    private final Set<String> used = new LinkedHashSet<>();

    private GgufConfig(GgufMetadata metadata) throws CheckpointException {
        this.metadata = metadata;
        architecture = metadata.string(ARCHITECTURE);
        Family found = FAMILIES.get(architecture);
        if (found == null) {
            throw metadata.problem(ARCHITECTURE, "one of " + String.join(", ", new TreeSet<>(FAMILIES.keySet())));
        }
        family = found;
    }

    /// Reads the text model.
    ///
    /// @param vocab rows of the embedding table, which the metadata need not tell
    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    public static GemmaConfig read(GgufMetadata metadata, int vocab) throws CheckpointException {
        try {
            return new GgufConfig(metadata).read(vocab);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("%s: %s".formatted(metadata.source(), e.getMessage()), e);
        }
    }

    private GemmaConfig read(int vocab) throws CheckpointException {
        int embedding = metadata.intValue(key("embedding_length"));
        GemmaConfig config = new GemmaConfig(
                architecture,
                vocab,
                embedding,
                (float) Math.sqrt(embedding),
                (float) metadata.doubleValue(key("attention.layer_norm_rms_epsilon")),
                0f,
                true,
                (float) metadata.doubleValue(key("final_logit_softcapping"), family.softcaps ? 30 : 0),
                metadata.intValue(key("context_length")),
                metadata.intValue("tokenizer.ggml.bos_token_id", 2),
                stopIds(),
                layers(embedding));
        refuseUnused();
        return config;
    }

    private List<LayerConfig> layers(int embedding) throws CheckpointException {
        int count = metadata.intValue(key("block_count"));
        if (count < 1 || count > MAX_LAYERS) {
            throw metadata.problem(key("block_count"), "1 to " + MAX_LAYERS);
        }
        int heads = positive("attention.head_count");
        int kvHeads = metadata.intValue(key("attention.head_count_kv"), heads);
        int headDim = headDim(embedding, heads);
        int neurons = metadata.intValue(key("feed_forward_length"));
        double softcap = metadata.doubleValue(key("attn_logit_softcapping"), family.softcaps ? 50 : 0);
        double scale = queryScale(count, embedding, heads, headDim);
        int written = metadata.intValue(key("attention.sliding_window"), family.window);
        int window = family.bidirectional && written != 0 ? written / 2 + 1 : written;
        boolean[] local = localLayers(count, window);
        GgufRope ropes = rope(headDim);
        List<LayerConfig> layers = new ArrayList<>(count);
        for (boolean isLocal : local) {
            LayerConfig layer = new LayerConfig(
                    isLocal ? AttentionType.LOCAL : AttentionType.GLOBAL,
                    isLocal ? window : 0,
                    isLocal ? ropes.local : ropes.global,
                    heads,
                    kvHeads,
                    headDim,
                    (float) scale,
                    (float) softcap,
                    family.queryKeyNorm,
                    family.postNorms,
                    neurons);
            layers.add(family.bidirectional ? layer.seeingBothWays() : layer);
        }
        return layers;
    }

    /// Keys and values as wide as each other, and turned in full.
    private int headDim(int embedding, int heads) throws CheckpointException {
        int headDim = metadata.intValue(key("attention.key_length"), embedding / heads);
        for (String same : List.of("attention.value_length", "rope.dimension_count")) {
            if (metadata.intValue(key(same), headDim) != headDim) {
                throw metadata.problem(key(same), "%d as attention.key_length is".formatted(headDim));
            }
        }
        return headDim;
    }

    /// No converter writes the scale; where somebody did, it counts.
    private double queryScale(int layers, int embedding, int heads, int headDim) throws CheckpointException {
        int scalar = layers == family.oddScaleLayers ? embedding / heads : headDim;
        double written = metadata.doubleValue(key("attention.scale"), 0);
        return written == 0 ? 1 / Math.sqrt(scalar) : written;
    }

    private boolean[] localLayers(int layers, int window) throws CheckpointException {
        String pattern = key("attention.sliding_window_pattern");
        boolean[] local = new boolean[layers];
        if (metadata.isArray(pattern)) {
            long[] each = metadata.integers(pattern, layers);
            if (each.length != layers) {
                throw metadata.problem(pattern, "one entry for each of %d layers".formatted(layers));
            }
            for (int i = 0; i < layers; i++) {
                local[i] = each[i] != 0 && window != 0;
            }
            return local;
        }
        int period = metadata.intValue(pattern, family.period);
        if (period < 1) {
            throw metadata.problem(pattern, "at least 1");
        }
        for (int i = 0; i < layers; i++) {
            local[i] = window != 0 && (i + 1) % period != 0;
        }
        return local;
    }

    private record GgufRope(Rope global, Rope local) {}

    /// Scaling stops at local layers where they have a base of their own.
    private GgufRope rope(int headDim) throws CheckpointException {
        double theta = metadata.doubleValue(key("rope.freq_base"), 1e4);
        String type = metadata.string(key("rope.scaling.type"), "none");
        if (!type.equals("none") && !type.equals("linear")) {
            throw metadata.problem(key("rope.scaling.type"), "none or linear");
        }
        double written = metadata.doubleValue(key("rope.scaling.factor"), 1);
        double factor = type.equals("linear") && written != 0 ? written : 1;
        double localTheta =
                metadata.doubleValue(key("rope.freq_base_swa"), family.localTheta == 0 ? theta : family.localTheta);
        return new GgufRope(
                new Rope(theta, factor, headDim), new Rope(localTheta, family.localTheta == 0 ? factor : 1, headDim));
    }

    private List<Integer> stopIds() throws CheckpointException {
        Set<Integer> ids = new LinkedHashSet<>();
        ids.add(metadata.intValue("tokenizer.ggml.eos_token_id", 1));
        if (metadata.has("tokenizer.ggml.eot_token_id")) {
            ids.add(metadata.intValue("tokenizer.ggml.eot_token_id"));
        }
        return List.copyOf(ids);
    }

    private int positive(String name) throws CheckpointException {
        int value = metadata.intValue(key(name));
        if (value < 1) {
            throw metadata.problem(key(name), "at least 1");
        }
        return value;
    }

    /// The architecture's key of that name, which from now on counts as used.
    private String key(String name) {
        String key = architecture + "." + name;
        used.add(key);
        return key;
    }

    private void refuseUnused() throws CheckpointException {
        String prefix = architecture + ".";
        for (String key : metadata.keys()) {
            if (key.startsWith(prefix)
                    && !used.contains(key)
                    && !NO_ARITHMETIC.contains(key.substring(prefix.length()))
                    && !(family.bidirectional && BEHIND_THE_MODEL.contains(key.substring(prefix.length())))) {
                throw new CheckpointException(
                        "%s: %s: got a key this version does not know, need one it does, since it may change the results"
                                .formatted(metadata.source(), key));
            }
        }
    }
}
