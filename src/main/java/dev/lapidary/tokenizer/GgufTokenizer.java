package dev.lapidary.tokenizer;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.GgufMetadata;

/// Reads the tokenizer that a GGUF file carries in its metadata: the pieces of a SentencePiece model with scores and
/// types. Anything but the plain BPE that the Gemma family uses is refused by name.
///
/// Converters change two things, which are changed back here, so that ids are those of the original: pieces that the
/// Hugging Face files call special become control pieces, though SentencePiece matches them in text; and spaces in
/// user-defined pieces are spelled as spaces.
///
/// Source: `_create_vocab_sentencepiece` of llama.cpp's `conversion/base.py`.
final class GgufTokenizer {
    private static final String MODEL = "tokenizer.ggml.model";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final String BOS = "tokenizer.ggml.bos_token_id";
    private static final String EOS = "tokenizer.ggml.eos_token_id";
    private static final String PAD = "tokenizer.ggml.padding_token_id";
    private static final String UNKNOWN = "tokenizer.ggml.unknown_token_id";

    private final GgufMetadata metadata;

    private GgufTokenizer(GgufMetadata metadata) {
        this.metadata = metadata;
    }

    /// Whether the file carries a tokenizer of any kind.
    static boolean isIn(GgufMetadata metadata) {
        return metadata.has(TOKENS) || metadata.has(MODEL);
    }

    static TokenizerModel read(GgufMetadata metadata) throws TokenizerException {
        return pieces(metadata).model();
    }

    /// The tokenizer with its scores.
    static ScoredPieces pieces(GgufMetadata metadata) throws TokenizerException {
        try {
            return new GgufTokenizer(metadata).model();
        } catch (CheckpointException e) {
            throw new TokenizerException(String.valueOf(e.getMessage()), e);
        }
    }

    private ScoredPieces model() throws CheckpointException, TokenizerException {
        if (!metadata.string(MODEL).equals("llama")) {
            throw metadata.problem(MODEL, "\"llama\": a SentencePiece model with scores");
        }
        if (metadata.booleanValue("tokenizer.ggml.add_space_prefix", false)) {
            throw metadata.problem("tokenizer.ggml.add_space_prefix", "false: a Gemma tokenizer leaves text as it is");
        }
        String[] tokens = metadata.strings(TOKENS, Vocabulary.MAX_PIECES);
        float[] scores = metadata.floats(SCORES, Vocabulary.MAX_PIECES);
        long[] types = metadata.integers(TYPES, Vocabulary.MAX_PIECES);
        requireOneEach(SCORES, scores.length, tokens.length);
        requireOneEach(TYPES, types.length, tokens.length);
        SpecialIds special = new SpecialIds(
                id(BOS, 2, tokens.length),
                id(EOS, 1, tokens.length),
                id(PAD, 0, tokens.length),
                id(UNKNOWN, 3, tokens.length));
        Vocabulary.Builder pieces = new Vocabulary.Builder(metadata.source());
        for (int id = 0; id < tokens.length; id++) {
            PieceType type = type(id, types[id], special);
            pieces.add(
                    type == PieceType.USER_DEFINED ? tokens[id].replace(' ', TokenizerModel.SPACE) : tokens[id], type);
        }
        TokenizerModel model = TokenizerModel.ofScores(
                metadata.source(), pieces.build(), scores, special, TokenizerModel.UNKNOWN_SURFACE);
        return new ScoredPieces(model, scores);
    }

    private PieceType type(int id, long number, SpecialIds special) throws CheckpointException {
        PieceType type = PieceType.ofNumber(number);
        if (type == null) {
            throw metadata.problem(TYPES, "1 to 6 for piece %d, not %d".formatted(id, number));
        }
        if (id == special.unknown()) {
            return PieceType.UNKNOWN;
        }
        if (id == special.bos() || id == special.eos() || id == special.pad()) {
            return PieceType.CONTROL;
        }
        return type == PieceType.CONTROL || type == PieceType.UNKNOWN ? PieceType.USER_DEFINED : type;
    }

    private int id(String key, int absent, int pieces) throws CheckpointException {
        int id = metadata.intValue(key, absent);
        if (id < 0 || id >= pieces) {
            throw metadata.problem(key, "0 to %d".formatted(pieces - 1));
        }
        return id;
    }

    private void requireOneEach(String key, int got, int need) throws CheckpointException {
        if (got != need) {
            throw metadata.problem(key, "one for each of %d pieces".formatted(need));
        }
    }
}
