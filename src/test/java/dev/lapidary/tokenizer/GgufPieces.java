package dev.lapidary.tokenizer;

import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Writes tokenizers into GGUF files, metadata alone.
public final class GgufPieces {
    private GgufPieces() {}

    /// The pieces of a `tokenizer.model`, read by hand.
    static List<TestPiece> of(byte[] model) throws TokenizerException {
        List<TestPiece> pieces = new ArrayList<>();
        ProtoReader file = new ProtoReader(model, "test.model");
        for (int field = file.nextField(); field != 0; field = file.nextField()) {
            if (field == 1) {
                pieces.add(piece(file.message("pieces", pieces.size())));
            } else {
                file.skip();
            }
        }
        return pieces;
    }

    private static TestPiece piece(ProtoReader message) throws TokenizerException {
        String text = "";
        float score = 0;
        PieceType type = PieceType.NORMAL;
        for (int field = message.nextField(); field != 0; field = message.nextField()) {
            switch (field) {
                case 1 -> text = message.text("piece");
                case 2 -> score = message.float32("score");
                case 3 -> type = Objects.requireNonNull(PieceType.ofNumber(message.varint("type")));
                default -> message.skip();
            }
        }
        return new TestPiece(text, score, type);
    }

    /// As llama.cpp's converter writes a Gemma model whose `tokenizer_config.json` lists its special pieces: those
    /// become control pieces, other user-defined ones get spaces for U+2581.
    static List<TestPiece> converted(List<TestPiece> pieces) {
        return pieces.stream()
                .map(piece -> {
                    if (piece.type() != PieceType.USER_DEFINED) {
                        return piece;
                    }
                    boolean special =
                            piece.text().startsWith("<") && piece.text().endsWith(">");
                    return special
                            ? new TestPiece(piece.text(), -1000, PieceType.CONTROL)
                            : new TestPiece(piece.text().replace('\u2581', ' '), -1000, PieceType.USER_DEFINED);
                })
                .toList();
    }

    /// The converter's keys for a `tokenizer.model`.
    public static GgufKeys keys(Path model) throws IOException {
        return keys(converted(of(Files.readAllBytes(model))));
    }

    /// All keys that the converter writes for a tokenizer.
    static GgufKeys keys(List<TestPiece> pieces) {
        float[] scores = new float[pieces.size()];
        int[] types = new int[pieces.size()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = pieces.get(id).score();
            types[id] = pieces.get(id).type().number();
        }
        GgufKeys keys = new GgufKeys();
        List<String> texts = pieces.stream().map(TestPiece::text).toList();
        GgufTokenizerKeys.put(texts, scores, types, new SpecialIds(2, 1, 0, 3), keys);
        return keys;
    }

    static Path write(Path file, GgufKeys keys) throws IOException {
        try (GgufWriter writer = GgufWriter.create(file, keys, List.of())) {
            writer.finish();
        }
        return file;
    }
}
