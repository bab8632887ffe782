package dev.lapidary.hub;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which files of a repository are wanted.
public final class Selection {
    private static final String CONFIG = "config.json";
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");
    private static final Pattern SHARD_NAME = Pattern.compile("\"(model-\\d{5}-of-\\d{5}\\.safetensors)\"");
    private static final Set<String> TOKENIZER = Set.of(
            "tokenizer.model",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "chat_template.json");
    private static final Set<String> BESIDE_WEIGHTS =
            Set.of(CONFIG, "generation_config.json", "preprocessor_config.json", "processor_config.json");
    private static final String MODULES = "modules.json";
    private static final Set<String> BESIDE_MODULES =
            Set.of(MODULES, "config_sentence_transformers.json", "sentence_bert_config.json");
    private static final Pattern MODULE_FILE = Pattern.compile("\\d+_\\w+/(config\\.json|model\\.safetensors)");
    private static final Pattern SEES_BOTH_WAYS = Pattern.compile("\"use_bidirectional_attention\"\\s*:\\s*true");
    private static final int LISTED = 10;

    private static final Selection MODEL = new Selection(Kind.MODEL, List.of());
    private static final Selection TOKENIZER_ONLY = new Selection(Kind.TOKENIZER, List.of());

    private final Kind kind;
    private final List<String> globs;

    private enum Kind {
        MODEL,
        TOKENIZER,
        GLOBS
    }

    private Selection(Kind kind, List<String> globs) {
        this.kind = kind;
        this.globs = globs;
    }

    /// What a model takes to run: configurations, tokenizer, chat template, and its weights in safetensors; those
    /// in GGUF if there are no others and one set of them. Files in folders are other forms of the same, or not
    /// needed, but for the modules of an embedding model.
    public static Selection model() {
        return MODEL;
    }

    /// Tokenizer and chat template.
    public static Selection tokenizer() {
        return TOKENIZER_ONLY;
    }

    /// Files whose names, with their folders, match one of these patterns: `*.gguf`, `original/*`. As in Hugging
    /// Face's own tools, `*` and `?` stand for a `/` too.
    ///
    /// @throws IllegalArgumentException if there is none
    public static Selection matching(List<String> globs) {
        if (globs.isEmpty()) {
            throw new IllegalArgumentException("files: got no pattern, need one or more");
        }
        return new Selection(Kind.GLOBS, List.copyOf(globs));
    }

    /// Those of `files`, a repository's, that are wanted.
    ///
    /// @throws HubException if there are none, saying what there is
    List<String> of(ModelName model, List<String> files) throws HubException {
        List<String> wanted = switch (kind) {
            case MODEL -> modelFiles(model, files);
            case TOKENIZER -> files.stream().filter(TOKENIZER::contains).toList();
            case GLOBS -> {
                List<Pattern> patterns = globs.stream().map(Globs::pattern).toList();
                yield files.stream()
                        .filter(file -> patterns.stream()
                                .anyMatch(pattern -> pattern.matcher(file).matches()))
                        .toList();
            }
        };
        if (wanted.isEmpty()) {
            throw new HubException("%s: no file %s; it has %s"
                    .formatted(
                            model,
                            switch (kind) {
                                case MODEL -> "of a model";
                                case TOKENIZER -> "of a tokenizer";
                                case GLOBS -> "matches " + String.join(", ", globs);
                            },
                            listed(files)));
        }
        return wanted;
    }

    /// Whether a snapshot in the cache, which another program may have begun, has what is wanted.
    boolean isComplete(Path snapshot) throws IOException {
        return switch (kind) {
            case MODEL -> hasModel(snapshot);
            case TOKENIZER -> hasTokenizer(snapshot);
            case GLOBS -> false; // only the hub knows
        };
    }

    private static List<String> modelFiles(ModelName model, List<String> files) throws HubException {
        boolean shards = files.contains(INDEX) && !files.contains(SINGLE);
        List<String> weights = files.stream()
                .filter(file ->
                        shards ? file.equals(INDEX) || SHARD.matcher(file).matches() : file.equals(SINGLE))
                .toList();
        List<String> chosen = weights.isEmpty() ? gguf(model, files) : weights;
        boolean modules = files.contains(MODULES) && !weights.isEmpty();
        return files.stream()
                .filter(file -> chosen.contains(file)
                        || TOKENIZER.contains(file)
                        || BESIDE_WEIGHTS.contains(file)
                        || (modules
                                && (BESIDE_MODULES.contains(file)
                                        || MODULE_FILE.matcher(file).matches())))
                .toList();
    }

    /// The one set of GGUF files; a set's parts are numbered.
    private static List<String> gguf(ModelName model, List<String> files) throws HubException {
        List<String> all = files.stream()
                .filter(file -> file.endsWith(".gguf") && !file.startsWith("mmproj"))
                .toList();
        Set<String> sets = all.stream()
                .map(file -> file.replaceFirst("-\\d{5}-of-\\d{5}(?=\\.gguf$)", ""))
                .collect(Collectors.toCollection(TreeSet::new));
        if (sets.size() > 1) {
            throw new HubException("%s: %d models in GGUF: choose with --include, for example %s; it has %s"
                    .formatted(
                            model,
                            sets.size(),
                            "'*%s'".formatted(sets.iterator().next()),
                            listed(all)));
        }
        if (sets.isEmpty()) {
            throw new HubException("%s: no weights in safetensors or GGUF; it has %s".formatted(model, listed(files)));
        }
        return all;
    }

    private static boolean hasModel(Path snapshot) throws IOException {
        if (!Files.isRegularFile(snapshot.resolve(CONFIG)) || !hasTokenizer(snapshot) || !hasModules(snapshot)) {
            return false;
        }
        if (Files.isRegularFile(snapshot.resolve(SINGLE))) {
            return true;
        }
        Path index = snapshot.resolve(INDEX);
        if (!Files.isRegularFile(index)) {
            return false;
        }
        Matcher shard = SHARD_NAME.matcher(Files.readString(index));
        boolean any = false;
        while (shard.find()) {
            if (!Files.isRegularFile(snapshot.resolve(shard.group(1)))) {
                return false;
            }
            any = true;
        }
        return any;
    }

    /// Whether an embedding model has its modules, which whoever wanted the text model alone has left out.
    private static boolean hasModules(Path snapshot) throws IOException {
        Path list = snapshot.resolve(MODULES);
        if (!Files.isRegularFile(list)) {
            return !SEES_BOTH_WAYS
                    .matcher(Files.readString(snapshot.resolve(CONFIG)))
                    .find();
        }
        try {
            for (JsonElement element :
                    JsonParser.parseString(Files.readString(list)).getAsJsonArray()) {
                JsonObject module = element.getAsJsonObject();
                String type = module.get("type").getAsString();
                Path folder = snapshot.resolve(module.get("path").getAsString());
                boolean dense = type.endsWith(".Dense");
                if (((dense || type.endsWith(".Pooling")) && !Files.isRegularFile(folder.resolve(CONFIG)))
                        || (dense && !Files.isRegularFile(folder.resolve(SINGLE)))) {
                    return false;
                }
            }
            return true;
        } catch (JsonParseException
                | IllegalStateException
                | UnsupportedOperationException
                | NullPointerException
                | InvalidPathException e) {
            return false; // not a list of modules: what the hub has instead will tell
        }
    }

    private static boolean hasTokenizer(Path snapshot) {
        return Stream.of("tokenizer.model", "tokenizer.json")
                .anyMatch(file -> Files.isRegularFile(snapshot.resolve(file)));
    }

    private static String listed(List<String> files) {
        String some = files.stream().limit(LISTED).collect(Collectors.joining(", "));
        if (files.isEmpty()) {
            return "nothing";
        }
        return files.size() <= LISTED ? some : "%s and %d more".formatted(some, files.size() - LISTED);
    }
}
