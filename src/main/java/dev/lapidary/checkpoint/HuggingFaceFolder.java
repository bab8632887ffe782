package dev.lapidary.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A checkpoint in the layout of Hugging Face's transformers. Links are followed: its download cache is made of them.
final class HuggingFaceFolder {
    static final String CONFIG = "config.json";
    private static final String GENERATION_CONFIG = "generation_config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final int LISTED_FILES = 10;

    private final Path folder;

    HuggingFaceFolder(Path folder) {
        this.folder = folder;
    }

    /// Maps everything into `arena`, which the checkpoint then owns.
    Checkpoint open(Arena arena) throws CheckpointException {
        requireContents();
        ConfigKeys config = ConfigKeys.read(folder.resolve(CONFIG));
        Path generation = folder.resolve(GENERATION_CONFIG);
        Configuration configuration =
                new Configuration.HuggingFace(config, isThere(generation) ? ConfigKeys.read(generation) : null);
        return new Checkpoint(folder, configuration, tensors(arena), arena);
    }

    /// With both a single file and an index, the single file counts: as in transformers.
    private SequencedMap<String, Tensor> tensors(Arena arena) throws CheckpointException {
        Path single = folder.resolve(WEIGHTS);
        return isThere(single) ? SafetensorsFile.map(single, arena).tensors() : shards(folder.resolve(INDEX), arena);
    }

    /// Index and shards must tell the same story: each tensor in exactly the shard where the index places it.
    private SequencedMap<String, Tensor> shards(Path index, Arena arena) throws CheckpointException {
        Map<String, Path> places = places(index);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        AlignedCopies copies = new AlignedCopies(arena);
        for (Path shard : new TreeSet<>(places.values())) {
            for (Tensor tensor :
                    SafetensorsFile.map(shard, arena, copies).tensors().values()) {
                Tensor other = tensors.putIfAbsent(tensor.name(), tensor);
                if (other != null) {
                    throw new CheckpointException(
                            "%s: %s: got it in %s too, need it once".formatted(shard, tensor.name(), other.file()));
                }
                if (!places.containsKey(tensor.name())) {
                    throw new CheckpointException(
                            "%s: %s: got a tensor that %s does not list".formatted(shard, tensor.name(), index));
                }
            }
        }
        for (Map.Entry<String, Path> place : places.entrySet()) {
            Tensor tensor = tensors.get(place.getKey());
            if (tensor == null || !tensor.file().equals(place.getValue())) {
                throw new CheckpointException("%s: %s: got no such tensor here%s, need the one that %s places here"
                        .formatted(
                                place.getValue(),
                                place.getKey(),
                                tensor == null ? "" : " (it is in %s)".formatted(tensor.file()),
                                index));
            }
        }
        return tensors;
    }

    private Map<String, Path> places(Path index) throws CheckpointException {
        ConfigKeys map = ConfigKeys.read(index).object("weight_map");
        Map<String, Path> places = new LinkedHashMap<>();
        for (String tensor : map.keys()) {
            places.put(tensor, inside(map, tensor));
        }
        return places;
    }

    /// The shard of a tensor; an index must not make us read files elsewhere.
    private Path inside(ConfigKeys map, String tensor) throws CheckpointException {
        try {
            Path shard = Path.of(map.string(tensor)).normalize();
            if (shard.getRoot() == null
                    && !shard.startsWith("..")
                    && !shard.toString().isEmpty()) {
                return folder.resolve(shard);
            }
        } catch (InvalidPathException e) {
            throw map.problem(tensor, "the name of a file: " + e.getReason());
        }
        throw map.problem(tensor, "the name of a file inside the folder");
    }

    private void requireContents() throws CheckpointException {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException("%s: got %s, need a .gguf file or a folder with %s and %s or %s"
                    .formatted(folder, Files.exists(folder) ? "a file" : "nothing there", CONFIG, WEIGHTS, INDEX));
        }
        boolean weights = isThere(folder.resolve(WEIGHTS)) || isThere(folder.resolve(INDEX));
        if (!weights || !isThere(folder.resolve(CONFIG))) {
            List<String> names = names();
            String listed = names.isEmpty()
                    ? "an empty folder"
                    : names.stream().limit(LISTED_FILES).collect(Collectors.joining(", "));
            throw new CheckpointException("%s: got %s%s, need %s"
                    .formatted(
                            folder,
                            listed,
                            names.size() > LISTED_FILES ? " and %d more".formatted(names.size() - LISTED_FILES) : "",
                            weights
                                    ? CONFIG
                                    : "%s and %s or %s, or one model in GGUF".formatted(CONFIG, WEIGHTS, INDEX)));
        }
    }

    private List<String> names() throws CheckpointException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw RegularFile.unreadable(folder, e);
        }
    }

    /// Also for a link that leads nowhere: opening it then explains.
    private static boolean isThere(Path file) {
        return Files.exists(file) || Files.isSymbolicLink(file);
    }
}
