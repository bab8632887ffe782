package dev.lapidary.tokenizer;

import com.google.gson.Gson;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// What the reference tokenizer made of many texts, and the models it used.
final class Goldens {
    record Pair(String text, List<Integer> ids, String decoded) {}

    record Case(String text, List<Integer> prompt, List<Integer> continuation, String decoded) {}

    private record Pairs(List<Pair> pairs, List<Pair> decode_only) {}

    private record Cases(List<Case> cases) {}

    private static final Pairs PAIRS = json("golden.json", Pairs.class);

    private Goldens() {}

    static List<Pair> pairs() {
        return PAIRS.pairs();
    }

    static List<Pair> decodeOnly() {
        return PAIRS.decode_only();
    }

    static List<Case> demo() {
        return json("demo_golden.json", Cases.class).cases();
    }

    static int[] ints(List<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    static byte[] bytes(String name) {
        try (InputStream in = Objects.requireNonNull(Goldens.class.getResourceAsStream("/tokenizer/" + name), name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The tokenizer of a `tokenizer.model` in the resources.
    static Tokenizer sentencePiece(String name) {
        return new Tokenizer(sentencePieceModel(name));
    }

    /// The same made into a `tokenizer.json` and read from that.
    static Tokenizer huggingFace(String name) {
        try {
            String json = HuggingFaceJson.of(sentencePieceModel(name)).toString();
            return new Tokenizer(HuggingFaceFile.read(new StringReader(json), "tokenizer.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The same written into a GGUF file and read from that; `converted` as llama.cpp's converter does.
    static Tokenizer gguf(String name, boolean converted) {
        try {
            Path file = Files.createTempFile("tokenizer", ".gguf");
            try {
                List<TestPiece> pieces = GgufPieces.of(bytes(name));
                return Tokenizer.load(
                        GgufPieces.write(file, GgufPieces.keys(converted ? GgufPieces.converted(pieces) : pieces)));
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static TokenizerModel sentencePieceModel(String name) {
        try {
            return SentencePieceFile.read(bytes(name), name);
        } catch (TokenizerException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> T json(String name, Class<T> type) {
        InputStream in = Objects.requireNonNull(Goldens.class.getResourceAsStream("/tokenizer/" + name), name);
        return new Gson().fromJson(new InputStreamReader(in, StandardCharsets.UTF_8), type);
    }
}
