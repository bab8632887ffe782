package dev.lapidary.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// Reads `tokenizer.model`: SentencePiece's `ModelProto`. Anything but the plain BPE that the Gemma family uses is
/// refused by name.
final class SentencePieceFile {
    private static final long MAX_BYTES = 64L << 20;
    private static final long BPE = 2;

    private final String source;
    private final Vocabulary.Builder pieces;
    private final char[] text = new char[Vocabulary.MAX_PIECE_CHARS];
    private float[] scores = new float[1 << 12];

    // trainer_spec and normalizer_spec, with the defaults of sentencepiece_model.proto
    private long modelType = 1;
    private boolean byteFallback;
    private boolean spaceAsSuffix;
    private String unknownSurface = TokenizerModel.UNKNOWN_SURFACE;
    private String bos = "<s>";
    private String eos = "</s>";
    private String pad = "<pad>";
    private boolean addDummyPrefix = true;
    private boolean removeExtraSpaces = true;
    private boolean escapeSpaces = true;

    private SentencePieceFile(String source) {
        this.source = source;
        this.pieces = new Vocabulary.Builder(source);
    }

    static TokenizerModel read(Path file) throws IOException {
        return pieces(file).model();
    }

    /// A file with its scores.
    static ScoredPieces pieces(Path file) throws IOException {
        long bytes = Files.size(file);
        if (bytes > MAX_BYTES) {
            throw new TokenizerException("%s: got %d bytes, need %d at most".formatted(file, bytes, MAX_BYTES));
        }
        return pieces(Files.readAllBytes(file), file.toString());
    }

    static TokenizerModel read(byte[] file, String source) throws TokenizerException {
        return pieces(file, source).model();
    }

    private static ScoredPieces pieces(byte[] file, String source) throws TokenizerException {
        SentencePieceFile reader = new SentencePieceFile(source);
        reader.readModel(new ProtoReader(file, source));
        return reader.model();
    }

    private ScoredPieces model() throws TokenizerException {
        require("trainer_spec.model_type", modelType, BPE);
        require("trainer_spec.treat_whitespace_as_suffix", spaceAsSuffix, false);
        require("normalizer_spec.add_dummy_prefix", addDummyPrefix, false);
        require("normalizer_spec.remove_extra_whitespaces", removeExtraSpaces, false);
        require("normalizer_spec.escape_whitespaces", escapeSpaces, true);
        Vocabulary vocabulary = pieces.build();
        SpecialIds special = SpecialIds.find(source, vocabulary, bos, eos, pad);
        float[] pieceScores = Arrays.copyOf(scores, vocabulary.pieces());
        TokenizerModel model = TokenizerModel.ofScores(source, vocabulary, pieceScores, special, unknownSurface);
        require("trainer_spec.byte_fallback", byteFallback, !model.bytes().none());
        return new ScoredPieces(model, pieceScores);
    }

    private void require(String field, Object got, Object need) throws TokenizerException {
        if (!got.equals(need)) {
            throw new TokenizerException("%s: %s: got %s, need %s".formatted(source, field, got, need));
        }
    }

    private void readModel(ProtoReader model) throws TokenizerException {
        for (int field = model.nextField(); field != 0; field = model.nextField()) {
            switch (field) {
                case 1 -> readPiece(model.message("pieces", pieces.count()));
                case 2 -> readTrainer(model.message("trainer_spec", -1));
                case 3 -> readNormalizer(model.message("normalizer_spec", -1));
                case 5 -> readDenormalizer(model.message("denormalizer_spec", -1));
                default -> model.skip();
            }
        }
    }

    private void readPiece(ProtoReader piece) throws TokenizerException {
        int chars = 0;
        float score = 0;
        long type = 1;
        for (int field = piece.nextField(); field != 0; field = piece.nextField()) {
            switch (field) {
                case 1 -> chars = piece.text("piece", text);
                case 2 -> score = piece.float32("score");
                case 3 -> type = piece.varint("type");
                default -> piece.skip();
            }
        }
        if (pieces.count() == scores.length) {
            scores = Arrays.copyOf(scores, 2 * scores.length);
        }
        scores[pieces.count()] = score;
        PieceType pieceType = PieceType.ofNumber(type);
        if (pieceType == null) {
            throw piece.broken("type", "got %d, need 1 to 6".formatted(type));
        }
        pieces.add(text, chars, pieceType);
    }

    private void readTrainer(ProtoReader trainer) throws TokenizerException {
        for (int field = trainer.nextField(); field != 0; field = trainer.nextField()) {
            switch (field) {
                case 3 -> modelType = trainer.varint("model_type");
                case 24 -> spaceAsSuffix = trainer.bool("treat_whitespace_as_suffix");
                case 35 -> byteFallback = trainer.bool("byte_fallback");
                case 44 -> unknownSurface = trainer.text("unk_surface");
                case 46 -> bos = trainer.text("bos_piece");
                case 47 -> eos = trainer.text("eos_piece");
                case 48 -> pad = trainer.text("pad_piece");
                default -> trainer.skip();
            }
        }
    }

    private void readNormalizer(ProtoReader normalizer) throws TokenizerException {
        for (int field = normalizer.nextField(); field != 0; field = normalizer.nextField()) {
            switch (field) {
                case 2 -> requireEmpty(normalizer, "precompiled_charsmap");
                case 3 -> addDummyPrefix = normalizer.bool("add_dummy_prefix");
                case 4 -> removeExtraSpaces = normalizer.bool("remove_extra_whitespaces");
                case 5 -> escapeSpaces = normalizer.bool("escape_whitespaces");
                case 6 -> requireEmpty(normalizer, "normalization_rule_tsv");
                default -> normalizer.skip();
            }
        }
    }

    private static void readDenormalizer(ProtoReader denormalizer) throws TokenizerException {
        for (int field = denormalizer.nextField(); field != 0; field = denormalizer.nextField()) {
            if (field == 2) {
                requireEmpty(denormalizer, "precompiled_charsmap");
            } else {
                denormalizer.skip();
            }
        }
    }

    private static void requireEmpty(ProtoReader message, String field) throws TokenizerException {
        int bytes = message.skipBytes(field);
        if (bytes != 0) {
            throw message.broken(
                    field, "got %d bytes, need none: a Gemma tokenizer leaves text as it is".formatted(bytes));
        }
    }
}
