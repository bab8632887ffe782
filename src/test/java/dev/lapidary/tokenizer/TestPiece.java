package dev.lapidary.tokenizer;

import java.util.ArrayList;
import java.util.List;

/// One piece of a tokenizer made for a test.
record TestPiece(String text, float score, PieceType type) {
    static TestPiece normal(String text, double score) {
        return new TestPiece(text, (float) score, PieceType.NORMAL);
    }

    static TestPiece userDefined(String text) {
        return new TestPiece(text, 0, PieceType.USER_DEFINED);
    }

    /// `<pad>`, `<eos>`, `<bos>`, `<unk>`: ids 0 to 3, as the family has them.
    static List<TestPiece> special() {
        List<TestPiece> pieces = new ArrayList<>();
        for (String control : List.of("<pad>", "<eos>", "<bos>")) {
            pieces.add(new TestPiece(control, 0, PieceType.CONTROL));
        }
        pieces.add(new TestPiece("<unk>", 0, PieceType.UNKNOWN));
        return pieces;
    }

    /// The special ones and all 256 bytes.
    static List<TestPiece> specialAndBytes() {
        List<TestPiece> pieces = special();
        for (int value = 0; value < 256; value++) {
            pieces.add(new TestPiece("<0x%02X>".formatted(value), 0, PieceType.BYTE));
        }
        return pieces;
    }

    static Tokenizer tokenizer(List<TestPiece> pieces) throws TokenizerException {
        return new Tokenizer(SentencePieceFile.read(ModelWriter.write(pieces), "test.model"));
    }
}
