package dev.lapidary.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Where the GGUF file of a model is, by the names that people and tools give such files.
public final class GgufPlace {
    private static final String SUFFIX = ".gguf";

    /// A part of a split file. Source: `llama_split_path` of llama.cpp, `%s-%05d-of-%05d.gguf`.
    private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.DOTALL);

    /// Vision towers lie beside their model in a file of their own, named like this.
    private static final String VISION_PREFIX = "mmproj";

    private GgufPlace() {}

    /// The file that `path` stands for: itself, or the only model in a folder without `config.json`. Empty for
    /// anything else, which is then no GGUF.
    ///
    /// @throws CheckpointException for a folder with several
    public static Optional<Path> of(Path path) throws CheckpointException {
        if (!Files.isDirectory(path)) {
            return isGguf(path) ? Optional.of(path) : Optional.empty();
        }
        if (Files.exists(path.resolve(HuggingFaceFolder.CONFIG))) {
            return Optional.empty();
        }
        List<Path> models;
        try (Stream<Path> files = Files.list(path)) {
            models = files.filter(GgufPlace::isModel).sorted().toList();
        } catch (IOException e) {
            throw RegularFile.unreadable(path, e);
        }
        if (models.size() > 1) {
            throw new CheckpointException("%s: got %d models (%s), need the name of one of them"
                    .formatted(
                            path,
                            models.size(),
                            models.stream().limit(5).map(GgufPlace::name).collect(Collectors.joining(", "))
                                    + (models.size() > 5 ? ", ..." : "")));
        }
        return models.stream().findFirst();
    }

    /// Part `number` (from 1) of a file split into `parts`.
    ///
    /// @throws CheckpointException if `first` is not named as the first of so many
    static Path part(Path first, int number, int parts) throws CheckpointException {
        Matcher matcher = PART.matcher(name(first));
        if (!matcher.matches() || partNumber(first) != 1 || Integer.parseInt(matcher.group(3)) != parts) {
            throw new CheckpointException("%s: got the first of %d parts, need its name to end in -00001-of-%05d%s"
                    .formatted(first, parts, parts, SUFFIX));
        }
        return first.resolveSibling("%s-%05d-of-%05d%s".formatted(matcher.group(1), number, parts, SUFFIX));
    }

    private static boolean isModel(Path file) {
        return isGguf(file) && !name(file).toLowerCase(Locale.ROOT).startsWith(VISION_PREFIX) && partNumber(file) == 1;
    }

    private static boolean isGguf(Path file) {
        return name(file).endsWith(SUFFIX);
    }

    /// From 1; 1 for a whole file.
    private static int partNumber(Path file) {
        Matcher matcher = PART.matcher(name(file));
        return matcher.matches() ? Integer.parseInt(matcher.group(2)) : 1;
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
