package dev.lapidary.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Makes a `tokenizer.json` out of a SentencePiece model the way Hugging Face's converter does: every split of
/// every piece into two pieces is a merge, ordered by score, then by the length of the left part and of the right
/// one.
final class HuggingFaceJson {
    private record Merge(int rank, String left, String right) {}

    private HuggingFaceJson() {}

    static JsonObject of(TokenizerModel model) {
        JsonObject file = JsonParser.parseString("""
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
            "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false},
            "post_processor": {"type": "TemplateProcessing",
              "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "pair": [], "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}}},
            "decoder": {"type": "Sequence", "decoders": [
              {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
            "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
              "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false}}
            """).getAsJsonObject();
        file.add("added_tokens", addedTokens(model.vocabulary()));
        file.getAsJsonObject("model").add("vocab", vocabulary(model.vocabulary()));
        file.getAsJsonObject("model").add("merges", merges(model));
        return file;
    }

    /// The older form of merges: `"a b"` instead of `["a", "b"]`.
    static JsonObject withMergesAsStrings(JsonObject file) {
        JsonObject copy = file.deepCopy();
        JsonArray merges = new JsonArray();
        for (JsonElement pair : copy.getAsJsonObject("model").getAsJsonArray("merges")) {
            merges.add(pair.getAsJsonArray().get(0).getAsString() + " "
                    + pair.getAsJsonArray().get(1).getAsString());
        }
        copy.getAsJsonObject("model").add("merges", merges);
        return copy;
    }

    private static JsonArray addedTokens(Vocabulary vocabulary) {
        JsonArray tokens = new JsonArray();
        for (int id = 0; id < vocabulary.pieces(); id++) {
            PieceType type = vocabulary.type(id);
            if (type != PieceType.NORMAL && type != PieceType.BYTE) {
                JsonObject token = JsonParser.parseString("""
                    {"single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}\
                    """).getAsJsonObject();
                token.addProperty("id", id);
                token.addProperty("content", vocabulary.text(id));
                tokens.add(token);
            }
        }
        return tokens;
    }

    private static JsonObject vocabulary(Vocabulary vocabulary) {
        JsonObject ids = new JsonObject();
        for (int id = 0; id < vocabulary.pieces(); id++) {
            ids.addProperty(vocabulary.text(id), id);
        }
        return ids;
    }

    private static JsonArray merges(TokenizerModel model) {
        Vocabulary vocabulary = model.vocabulary();
        List<Merge> merges = new ArrayList<>();
        for (int id = 0; id < vocabulary.pieces(); id++) {
            String piece = vocabulary.text(id);
            int rank = rank(model, piece);
            for (int at = 1; at < piece.length(); at++) {
                String left = piece.substring(0, at);
                String right = piece.substring(at);
                if (vocabulary.find(left) >= 0 && vocabulary.find(right) >= 0) {
                    merges.add(new Merge(rank, left, right));
                }
            }
        }
        merges.sort(Comparator.comparingInt(Merge::rank)
                .thenComparingInt(merge -> -merge.left().length())
                .thenComparingInt(merge -> -merge.right().length()));
        JsonArray pairs = new JsonArray();
        for (Merge merge : merges) {
            JsonArray pair = new JsonArray();
            pair.add(merge.left());
            pair.add(merge.right());
            pairs.add(pair);
        }
        return pairs;
    }

    /// The rank of a piece in a model, -1 if it cannot be reached by merging: symbols have the highest score.
    private static int rank(TokenizerModel model, String piece) {
        for (int at = 1; at < piece.length(); at++) {
            int left = model.vocabulary().find(piece.substring(0, at));
            int right = model.vocabulary().find(piece.substring(at));
            int place =
                    left < 0 || right < 0 ? MergeTable.APART : model.merges().find(left, right);
            if (place != MergeTable.APART && model.merges().rank(place) != MergeTable.NEVER) {
                return model.merges().rank(place);
            }
        }
        return -1;
    }
}
