package dev.lapidary.model;

import dev.lapidary.checkpoint.GgufKeys;
import java.util.ArrayList;
import java.util.List;

/// Writes a [GemmaConfig] as the metadata of a GGUF file: what llama.cpp's converter writes, and where the model is not
/// as llama.cpp has it in code, the key that says so.
///
/// Source: llama.cpp, `conversion/gemma.py`, and the metadata that [GgufConfig] reads.
final class GgufConfigKeys {
    private final GemmaConfig config;
    private final String architecture;
    private final LayerConfig first;
    private final LayerConfig global;
    private final GgufKeys keys;
    private final List<String> notes = new ArrayList<>();

    private GgufConfigKeys(GemmaConfig config, GgufKeys keys) {
        this.config = config;
        this.keys = keys;
        architecture = architecture(config);
        first = config.layers().getFirst();
        global = config.layers().stream()
                .filter(layer -> layer.attention() == AttentionType.GLOBAL)
                .findFirst()
                .orElse(first);
    }

    /// Appends the keys of `config` to `keys`.
    ///
    /// @return what other programs may not honour, for people
    static List<String> put(GemmaConfig config, GgufKeys keys) {
        GgufConfigKeys writer = new GgufConfigKeys(config, keys);
        writer.put();
        return writer.notes;
    }

    /// GGUF's word for it.
    static String architecture(GemmaConfig config) {
        LayerConfig any = config.layers().getFirst();
        return any.queryKeyNorm() ? "gemma3" : any.postNorms() ? "gemma2" : "gemma";
    }

    private void put() {
        keys.putString("general.architecture", architecture);
        keys.putUint32(key("context_length"), config.maxPositions());
        keys.putUint32(key("embedding_length"), config.embedding());
        keys.putUint32(key("block_count"), config.layers().size());
        keys.putUint32(key("feed_forward_length"), first.neurons());
        keys.putUint32(key("attention.head_count"), first.heads());
        keys.putUint32(key("attention.head_count_kv"), first.kvHeads());
        keys.putFloat32(key("attention.layer_norm_rms_epsilon"), config.normEpsilon());
        keys.putUint32(key("attention.key_length"), first.headDim());
        keys.putUint32(key("attention.value_length"), first.headDim());
        putSoftcaps();
        putScale();
        putWindow();
        putRope();
    }

    private void putSoftcaps() {
        boolean usual = architecture.equals("gemma2");
        if (usual || first.softcap() != 0) {
            keys.putFloat32(key("attn_logit_softcapping"), first.softcap());
        }
        if (usual || config.finalSoftcap() != 0) {
            keys.putFloat32(key("final_logit_softcapping"), config.finalSoftcap());
        }
    }

    /// Where no key says it, readers take it from the head, in the 27B models from the width.
    private void putScale() {
        int oddLayers = architecture.equals("gemma3") ? 62 : architecture.equals("gemma2") ? 46 : 0;
        int scalar = config.layers().size() == oddLayers ? config.embedding() / first.heads() : first.headDim();
        if (first.queryScale() != (float) (1 / Math.sqrt(scalar))) {
            keys.putFloat32(key("attention.scale"), first.queryScale());
            notes.add("the query scale %s is not the usual one; llama.cpp does not read it from the file"
                    .formatted(first.queryScale()));
        }
    }

    private void putWindow() {
        int window =
                config.layers().stream().mapToInt(LayerConfig::window).max().orElse(0);
        if (window == 0) {
            if (architecture.equals("gemma2")) {
                keys.putUint32(key("attention.sliding_window"), 0);
            }
            return;
        }
        keys.putUint32(key("attention.sliding_window"), window);
        int period = architecture.equals("gemma3") ? 6 : 2;
        int[] local = new int[config.layers().size()];
        boolean usual = true;
        for (int i = 0; i < local.length; i++) {
            boolean isLocal = config.layers().get(i).attention() == AttentionType.LOCAL;
            local[i] = isLocal ? 1 : 0;
            usual &= isLocal == ((i + 1) % period != 0);
        }
        if (!usual) {
            keys.putInts(key("attention.sliding_window_pattern"), local);
            notes.add("which layers are local is not as usual; programs that do not read"
                    + " attention.sliding_window_pattern compute something else");
        }
    }

    private void putRope() {
        keys.putFloat32(key("rope.freq_base"), (float) global.rope().theta());
        if (global.rope().factor() != 1) {
            keys.putString(key("rope.scaling.type"), "linear");
            keys.putFloat32(key("rope.scaling.factor"), (float) global.rope().factor());
        }
        for (LayerConfig layer : config.layers()) {
            if (layer.attention() == AttentionType.LOCAL && architecture.equals("gemma3")) {
                if (layer.rope().factor() != 1) {
                    throw new IllegalArgumentException(
                            "rope: got a factor of %s in local layers, need 1: GGUF has no key for it"
                                    .formatted(layer.rope().factor()));
                }
                if (layer.rope().theta() != 1e4) {
                    keys.putFloat32(
                            key("rope.freq_base_swa"), (float) layer.rope().theta());
                }
                return;
            }
        }
    }

    private String key(String name) {
        return architecture + "." + name;
    }
}
