package dev.lapidary.model;

import static dev.lapidary.kernels.ReferenceKernels.get;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.lapidary.kernels.Matrix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Texts as ids, and their embeddings of length 1.
///
/// @param texts      ids, bos and eos included
/// @param embeddings of each text
public record EmbeddingGolden(List<int[]> texts, List<float[]> embeddings) {
    /// The oracle's checkpoint.
    public static final Path FOLDER = Path.of("src/test/resources/oracle/embeddinggemma");

    /// Computed by the official code: 30, 5 and 17 tokens.
    public static EmbeddingGolden official() {
        List<int[]> texts = new ArrayList<>();
        List<float[]> embeddings = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            Golden golden = new Golden(FOLDER, new int[0], new int[0]);
            for (JsonElement ids : json("golden.json").getAsJsonObject().getAsJsonArray("inputs")) {
                Matrix expected = golden.tensor("embedding_" + texts.size(), arena);
                float[] embedding = new float[expected.cols()];
                for (int i = 0; i < embedding.length; i++) {
                    embedding[i] = (float) get(expected, 0, i);
                }
                texts.add(ints(ids.getAsJsonArray()));
                embeddings.add(embedding);
            }
        }
        return new EmbeddingGolden(texts, embeddings);
    }

    /// One to four tokens, and several blocks of queries, computed by `src/test/python/embedding_lengths.py`, which
    /// agrees with the official code.
    public static EmbeddingGolden ofOtherLengths() {
        List<int[]> texts = new ArrayList<>();
        List<float[]> embeddings = new ArrayList<>();
        for (JsonElement element : json("lengths.json").getAsJsonArray()) {
            JsonObject text = element.getAsJsonObject();
            texts.add(ints(text.getAsJsonArray("ids")));
            JsonArray values = text.getAsJsonArray("embedding");
            float[] embedding = new float[values.size()];
            for (int i = 0; i < embedding.length; i++) {
                embedding[i] = values.get(i).getAsFloat();
            }
            embeddings.add(embedding);
        }
        return new EmbeddingGolden(texts, embeddings);
    }

    /// These and others behind them.
    public EmbeddingGolden plus(EmbeddingGolden more) {
        List<int[]> allTexts = new ArrayList<>(texts);
        allTexts.addAll(more.texts);
        List<float[]> all = new ArrayList<>(embeddings);
        all.addAll(more.embeddings);
        return new EmbeddingGolden(allTexts, all);
    }

    /// Largest difference of `got` from these, as a fraction of the largest of them.
    public double difference(List<float[]> got) {
        if (got.size() != embeddings.size()) {
            throw new AssertionError("got %d embeddings, need %d".formatted(got.size(), embeddings.size()));
        }
        double worst = 0;
        double largest = 0;
        for (int text = 0; text < got.size(); text++) {
            float[] expected = embeddings.get(text);
            if (got.get(text).length != expected.length) {
                throw new AssertionError("got %d dimensions, need %d".formatted(got.get(text).length, expected.length));
            }
            for (int i = 0; i < expected.length; i++) {
                double difference = Math.abs(got.get(text)[i] - expected[i]);
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
                largest = Math.max(largest, Math.abs(expected[i]));
            }
        }
        return worst / largest;
    }

    private static JsonElement json(String file) {
        try {
            return JsonParser.parseString(Files.readString(FOLDER.resolve(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int[] ints(JsonArray array) {
        return array.asList().stream().mapToInt(JsonElement::getAsInt).toArray();
    }
}
