package dev.lapidary.tokenizer;

import dev.lapidary.checkpoint.GgufKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Writes a tokenizer as metadata of a GGUF file, the way llama.cpp's converter does for a checkpoint whose
/// `tokenizer_config.json` lists its special pieces: symbols that steer the model are control pieces, other
/// user-defined ones have spaces for U+2581, and rows of the embedding without a piece get one that no text becomes.
public final class GgufTokenizerKeys {
    private static final String END_OF_TURN = "<end_of_turn>";
    private static final float SYMBOL_SCORE = -1000;
    private static final float NO_PIECE_SCORE = -10_000;

    private GgufTokenizerKeys() {}

    /// Appends the keys for the `tokenizer.model` in a folder in Hugging Face layout, and its chat template.
    ///
    /// @param rows of the embedding table
    /// @return whether there is a tokenizer
    /// @throws TokenizerException for a broken file, more pieces than rows, or a tokenizer without scores
    @SuppressWarnings("exports") // for the other rooms of this module
    public static boolean put(Path folder, int rows, GgufKeys keys) throws IOException {
        Path file = folder.resolve("tokenizer.model");
        if (!Files.exists(file)) {
            if (Files.exists(folder.resolve("tokenizer.json"))) {
                throw new TokenizerException(
                        "%s: got tokenizer.json alone, need tokenizer.model: GGUF wants the scores of its pieces"
                                .formatted(folder));
            }
            return false;
        }
        put(SentencePieceFile.pieces(file), rows, keys);
        Optional<String> template = ChatTemplate.text(folder);
        if (template.isPresent()) {
            keys.putString("tokenizer.chat_template", template.get());
        }
        return true;
    }

    private static void put(ScoredPieces pieces, int rows, GgufKeys keys) throws TokenizerException {
        TokenizerModel model = pieces.model();
        Vocabulary vocabulary = model.vocabulary();
        int count = vocabulary.pieces();
        if (count > rows) {
            throw new TokenizerException("%s: got %d pieces, need at most the %d that the embedding has rows for"
                    .formatted(model.source(), count, rows));
        }
        Tokenizer tokenizer = new Tokenizer(model);
        List<String> tokens = new ArrayList<>(rows);
        float[] scores = new float[rows];
        int[] types = new int[rows];
        for (int id = 0; id < rows; id++) {
            PieceType type = id < count ? vocabulary.type(id) : PieceType.UNUSED;
            String token = id < count ? vocabulary.text(id) : "[PAD%d]".formatted(id);
            scores[id] = id < count ? pieces.scores()[id] : NO_PIECE_SCORE;
            if (type == PieceType.USER_DEFINED) {
                scores[id] = SYMBOL_SCORE;
                if (tokenizer.isSteering(id)) {
                    type = PieceType.CONTROL;
                } else {
                    token = token.replace(TokenizerModel.SPACE, ' ');
                }
            }
            tokens.add(token);
            types[id] = type.number();
        }
        put(tokens, scores, types, model.special(), keys);
        tokenizer.idOf(END_OF_TURN).ifPresent(id -> keys.putUint32("tokenizer.ggml.eot_token_id", id));
    }

    /// All keys that the converter writes for a tokenizer without turns.
    static void put(List<String> tokens, float[] scores, int[] types, SpecialIds special, GgufKeys keys) {
        keys.putString("tokenizer.ggml.model", "llama")
                .putString("tokenizer.ggml.pre", "default")
                .putStrings("tokenizer.ggml.tokens", tokens)
                .putFloats("tokenizer.ggml.scores", scores)
                .putInts("tokenizer.ggml.token_type", types)
                .putUint32("tokenizer.ggml.bos_token_id", special.bos())
                .putUint32("tokenizer.ggml.eos_token_id", special.eos())
                .putUint32("tokenizer.ggml.unknown_token_id", special.unknown())
                .putUint32("tokenizer.ggml.padding_token_id", special.pad())
                .putBoolean("tokenizer.ggml.add_bos_token", true)
                .putBoolean("tokenizer.ggml.add_eos_token", false)
                .putBoolean("tokenizer.ggml.add_space_prefix", false);
    }
}
