package dev.lapidary.checkpoint;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SequencedMap;

/// Small files beside a model's weights, each complete when it appears, in place of what was there.
public final class WholeFile {
    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private WholeFile() {}

    /// Writes these bytes.
    public static void write(Path file, byte[] bytes) throws IOException {
        try (ReplacedFile replaced = ReplacedFile.create(file)) {
            replaced.append(bytes);
            replaced.finish();
        }
    }

    /// Writes one JSON object, in this order. Values are strings, numbers, booleans, null, lists and maps of them.
    public static void writeJson(Path file, SequencedMap<String, ?> object) throws IOException {
        write(file, (GSON.toJson(object) + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
