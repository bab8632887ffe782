package dev.lapidary.tokenizer;

import org.jspecify.annotations.Nullable;

/// What a piece is for. The numbers are those of SentencePiece's `ModelProto`, which GGUF shares.
enum PieceType {
    /// Ordinary text, reached by merging.
    NORMAL(1),
    /// Stands for characters the vocabulary lacks.
    UNKNOWN(2),
    /// Steers the model and is never text: `<bos>`, `<eos>`, `<pad>`.
    CONTROL(3),
    /// Matched in the text before any merging, longest first: `<start_of_turn>`, runs of spaces and newlines.
    USER_DEFINED(4),
    /// A number without a meaning.
    UNUSED(5),
    /// One byte of a character the vocabulary lacks.
    BYTE(6);

    private static final PieceType[] VALUES = values();

    private final int number;

    PieceType(int number) {
        this.number = number;
    }

    /// The type of this number, or null if there is none.
    static @Nullable PieceType ofNumber(long number) {
        for (PieceType type : VALUES) {
            if (type.number == number) {
                return type;
            }
        }
        return null;
    }

    int number() {
        return number;
    }

    /// Whether text can become this piece by merging characters.
    boolean mergeable() {
        return this == NORMAL || this == UNUSED;
    }
}
