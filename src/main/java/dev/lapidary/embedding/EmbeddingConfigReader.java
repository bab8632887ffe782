package dev.lapidary.embedding;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.embedding.EmbeddingConfig.Dense;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/// Reads `modules.json` and what it names. Each key of a module is used, known to say nothing about the arithmetic, or
/// refused by name; an absent key has the reference's default.
///
/// Source: huggingface/sentence-transformers 5, its Transformer, Pooling, Dense and Normalize.
final class EmbeddingConfigReader {
    private static final String MODULES = "modules.json";
    private static final String PROMPTS = "config_sentence_transformers.json";
    private static final String LIMITS = "sentence_bert_config.json";
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String WEIGHT = "linear.weight";
    private static final String WIDTH = "embedding_dimension";
    private static final String POOLING = "pooling_mode";
    private static final String MEAN = "pooling_mode_mean_tokens";
    private static final String IDENTITY = "torch.nn.modules.linear.Identity";

    private static final List<String> OTHER_POOLINGS = List.of(
            "pooling_mode_cls_token",
            "pooling_mode_max_tokens",
            "pooling_mode_mean_sqrt_len_tokens",
            "pooling_mode_weightedmean_tokens",
            "pooling_mode_lasttoken");

    /// Keys of `sentence_bert_config.json` that say how the reference loads what we load our own way.
    private static final Set<String> LOADING = Set.of(
            "cache_dir",
            "config_args",
            "modality_config",
            "model_args",
            "module_output_name",
            "tokenizer_args",
            "transformer_task",
            "unpad_inputs");

    private final Path folder;
    private final int embedding;
    private final List<Dense> dense = new ArrayList<>();
    private boolean pooled;
    private boolean normalised;

    private EmbeddingConfigReader(Path folder, int embedding) {
        this.folder = folder;
        this.embedding = embedding;
    }

    /// @param folder       the model's
    /// @param embedding    width of the text model
    /// @param maxPositions positions that the text model was made for
    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    static EmbeddingConfig read(Path folder, int embedding, int maxPositions) throws CheckpointException {
        EmbeddingConfigReader reader = new EmbeddingConfigReader(folder, embedding);
        reader.readModules();
        try {
            return reader.config(maxPositions);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException("%s: %s".formatted(folder.resolve(LIMITS), e.getMessage()), e);
        }
    }

    private void readModules() throws CheckpointException {
        Path file = folder.resolve(MODULES);
        if (!Files.exists(file)) {
            throw new CheckpointException(
                    "%s: got nothing there, need the modules behind a text model whose tokens see both ways"
                            .formatted(file));
        }
        List<ConfigKeys> modules = ConfigKeys.readList(file);
        for (int i = 0; i < modules.size(); i++) {
            readModule(i, modules.get(i));
        }
        if (!pooled) {
            throw new CheckpointException("%s: got no Pooling, need one".formatted(file));
        }
    }

    private void readModule(int index, ConfigKeys module) throws CheckpointException {
        String type = module.string("type");
        String kind = type.startsWith("sentence_transformers.") ? type.substring(type.lastIndexOf('.') + 1) : type;
        Path path = inside(module);
        boolean fits = switch (kind) {
            case "Transformer" -> index == 0 && path.equals(folder);
            case "Pooling" -> index == 1;
            case "Dense" -> pooled && !normalised;
            case "Normalize" -> pooled;
            default -> false;
        };
        if (!fits) {
            throw module.problem(
                    "type",
                    "a Transformer in the folder itself, then Pooling, then any number of Dense, then Normalize or"
                            + " nothing");
        }
        switch (kind) {
            case "Pooling" -> readPooling(ConfigKeys.read(path.resolve(CONFIG)));
            case "Dense" -> readDense(path);
            default -> normalised |= kind.equals("Normalize");
        }
    }

    /// One key for each way to pool, or since 5.4 one for all of them.
    private void readPooling(ConfigKeys keys) throws CheckpointException {
        requireWidth(keys, keys.has(WIDTH) ? WIDTH : "word_embedding_dimension", embedding);
        if (keys.has(POOLING)) {
            requireOnly(keys, POOLING, "mean");
        } else if (!keys.booleanValue(MEAN, false)) {
            throw keys.problem(MEAN, "true");
        }
        for (String other : OTHER_POOLINGS) {
            if (keys.booleanValue(other, false)) {
                throw keys.problem(other, "false");
            }
        }
        if (!keys.booleanValue("include_prompt", true)) {
            throw keys.problem("include_prompt", "true");
        }
        refuseUnread(keys, Set.of());
        pooled = true;
    }

    private void readDense(Path path) throws CheckpointException {
        ConfigKeys keys = ConfigKeys.read(path.resolve(CONFIG));
        requireWidth(
                keys,
                "in_features",
                dense.isEmpty() ? embedding : dense.getLast().dimensions());
        int dimensions = keys.intValue("out_features");
        if (dimensions < 1) {
            throw keys.problem("out_features", "at least 1");
        }
        if (keys.booleanValue("bias", true)) {
            throw keys.problem("bias", "false");
        }
        requireOnly(keys, "activation_function", IDENTITY);
        for (String place : List.of("module_input_name", "module_output_name")) {
            if (keys.has(place)) {
                requireOnly(keys, place, "sentence_embedding");
            }
        }
        refuseUnread(keys, Set.of());
        dense.add(new Dense(path.resolve(WEIGHTS), WEIGHT, keys.intValue("in_features"), dimensions));
    }

    private EmbeddingConfig config(int maxPositions) throws CheckpointException {
        SequencedMap<String, String> prompts = new LinkedHashMap<>();
        String defaultPrompt = "";
        if (Files.exists(folder.resolve(PROMPTS))) {
            ConfigKeys keys = ConfigKeys.read(folder.resolve(PROMPTS));
            if (keys.has("prompts")) {
                ConfigKeys named = keys.object("prompts");
                for (String name : named.keys()) {
                    prompts.put(name, named.string(name));
                }
            }
            defaultPrompt = keys.string("default_prompt_name", "");
            if (!defaultPrompt.isEmpty() && !prompts.containsKey(defaultPrompt)) {
                throw keys.problem("default_prompt_name", "one of " + String.join(", ", prompts.keySet()));
            }
        }
        return new EmbeddingConfig(maxTokens(maxPositions), dense, normalised, prompts, defaultPrompt);
    }

    private int maxTokens(int maxPositions) throws CheckpointException {
        if (!Files.exists(folder.resolve(LIMITS))) {
            return maxPositions;
        }
        ConfigKeys keys = ConfigKeys.read(folder.resolve(LIMITS));
        if (keys.booleanValue("do_lower_case", false)) {
            throw keys.problem("do_lower_case", "false");
        }
        int limit = keys.intValue("max_seq_length", maxPositions);
        refuseUnread(keys, LOADING);
        return Math.min(limit, maxPositions);
    }

    private static void requireOnly(ConfigKeys keys, String key, String value) throws CheckpointException {
        if (!keys.string(key).equals(value)) {
            throw keys.problem(key, value);
        }
    }

    private static void requireWidth(ConfigKeys keys, String key, int width) throws CheckpointException {
        if (keys.intValue(key) != width) {
            throw keys.problem(key, "%d, the width of what comes in".formatted(width));
        }
    }

    /// The folder of a module; the list must not make us read files elsewhere.
    private Path inside(ConfigKeys module) throws CheckpointException {
        try {
            Path path = Path.of(module.string("path")).normalize();
            if (path.getRoot() == null && !path.startsWith("..")) {
                return path.toString().isEmpty() ? folder : folder.resolve(path);
            }
        } catch (InvalidPathException e) {
            throw module.problem("path", "the name of a folder: " + e.getReason());
        }
        throw module.problem("path", "the name of a folder inside the model's");
    }

    private static void refuseUnread(ConfigKeys keys, Set<String> harmless) throws CheckpointException {
        for (String key : keys.unread()) {
            if (!harmless.contains(key)) {
                throw new CheckpointException(
                        "%s: %s: got a key this version does not know, need one it does, since it may change the results"
                                .formatted(keys.source(), key));
            }
        }
    }
}
