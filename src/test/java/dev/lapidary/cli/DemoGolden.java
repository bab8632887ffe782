package dev.lapidary.cli;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What the official code continues the demo model's prompts with, greedily, in F32.
record DemoGolden(String text, List<Integer> prompt, List<Integer> continuation, String decoded) {
    static List<DemoGolden> all() {
        try {
            JsonObject json = JsonParser.parseString(Files.readString(Path.of("src/test/resources/demo/golden.json")))
                    .getAsJsonObject();
            return json.getAsJsonArray("cases").asList().stream()
                    .map(one -> new Gson().fromJson(one, DemoGolden.class))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// As text arguments show where a parameter is tried.
    @Override
    public String toString() {
        return text.length() < 40 ? text : text.substring(0, 40);
    }
}
