package dev.lapidary.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.kernels.Matrix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// One case of the reference's results: `golden.json` and `golden.safetensors` beside the tiny checkpoint they were
/// computed on, in float32, by the official code.
///
/// @param folder       the checkpoint
/// @param prompt       ids whose logits are known
/// @param continuation greedy ids after the prompt
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Golden(Path folder, int[] prompt, int[] continuation) {
    /// Cases whose whole prompt is text.
    public static final List<String> TEXT_CASES = List.of(
            "gemma1-mqa",
            "gemma1-mha",
            "gemma2",
            "gemma3-text",
            "gemma3-text-ropescale",
            "recurrentgemma",
            "gemma4-text-dense",
            "gemma4-text-ple",
            "gemma4-text-moe",
            "gemma3n-text");

    /// Those of them that GGUF knows how to say.
    public static final List<String> GGUF_CASES = TEXT_CASES.subList(0, 5);

    /// Largest difference from the reference's logits, as a fraction of the largest of them.
    public static final double F32_TOLERANCE = 2e-4;

    /// Reads a case of `src/test/resources/oracle`.
    public static Golden of(String name) {
        Path folder = Path.of("src/test/resources/oracle", name);
        try {
            JsonObject json = JsonParser.parseString(Files.readString(folder.resolve("golden.json")))
                    .getAsJsonObject();
            return new Golden(folder, ints(json.getAsJsonArray("prompt")), ints(json.getAsJsonArray("continuation")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Prompt, then continuation without its last token: the tokens whose successors the reference chose.
    public int[] sequence() {
        int[] ids = java.util.Arrays.copyOf(prompt, prompt.length + continuation.length - 1);
        System.arraycopy(continuation, 0, ids, prompt.length, continuation.length - 1);
        return ids;
    }

    /// `logits` `[prompt, vocab]` or `decode_logits` `[continuation, vocab]`.
    public Matrix tensor(String name, Arena arena) {
        try {
            var tensor = SafetensorsFile.map(folder.resolve("golden.safetensors"), arena)
                    .tensors()
                    .get(name);
            if (tensor == null) {
                throw new IllegalArgumentException("%s: no tensor %s".formatted(folder, name));
            }
            List<Long> shape = tensor.shape();
            int cols = Math.toIntExact(shape.getLast());
            long elements = shape.stream().reduce(1L, Math::multiplyExact);
            return Matrix.dense(tensor.data(), tensor.type(), Math.toIntExact(elements / cols), cols);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int[] ints(JsonArray array) {
        return array.asList().stream().mapToInt(element -> element.getAsInt()).toArray();
    }
}
