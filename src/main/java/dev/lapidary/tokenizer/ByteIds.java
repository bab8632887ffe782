package dev.lapidary.tokenizer;

import java.util.Arrays;

/// The pieces `<0x00>` to `<0xFF>`, which spell characters the vocabulary lacks. Either all are there or none.
final class ByteIds {
    static final int NOT_A_BYTE = -1;

    private static final String DIGITS = "0123456789ABCDEF";

    private final int[] ids; // by byte, empty if the vocabulary has none

    private ByteIds(int[] ids) {
        this.ids = ids;
    }

    static ByteIds find(String source, Vocabulary vocabulary) throws TokenizerException {
        int[] ids = new int[256];
        Arrays.fill(ids, -1);
        int found = 0;
        for (int id = 0; id < vocabulary.pieces(); id++) {
            if (vocabulary.is(id, PieceType.BYTE)) {
                int value = value(vocabulary.text(id));
                if (value == NOT_A_BYTE) {
                    throw new TokenizerException("%s: piece %d: got \"%s\" of type BYTE, need <0x00> to <0xFF>"
                            .formatted(source, id, vocabulary.text(id)));
                }
                ids[value] = id;
                found++;
            }
        }
        if (found != 0 && found != ids.length) {
            throw new TokenizerException("%s: got %d pieces of type BYTE, need 256 or none".formatted(source, found));
        }
        return new ByteIds(found == 0 ? new int[0] : ids);
    }

    /// The byte a piece like `<0x0A>` stands for, or `NOT_A_BYTE`.
    static int value(String piece) {
        if (piece.length() != 6 || !piece.startsWith("<0x") || !piece.endsWith(">")) {
            return NOT_A_BYTE;
        }
        int high = DIGITS.indexOf(piece.charAt(3));
        int low = DIGITS.indexOf(piece.charAt(4));
        return high < 0 || low < 0 ? NOT_A_BYTE : (high << 4) | low;
    }

    boolean none() {
        return ids.length == 0;
    }

    int id(byte value) {
        return ids[value & 0xFF];
    }
}
