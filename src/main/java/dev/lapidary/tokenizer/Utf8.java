package dev.lapidary.tokenizer;

/// UTF-8, one character at a time, judged as SentencePiece judges it: shortest form only, no surrogates.
final class Utf8 {
    static final int MALFORMED = -1;

    private Utf8() {}

    /// How many bytes the character that starts with this byte has, or 0 if none starts so.
    static int bytes(byte first) {
        if (first >= 0) {
            return 1;
        }
        if ((first & 0xE0) == 0xC0) {
            return 2;
        }
        if ((first & 0xF0) == 0xE0) {
            return 3;
        }
        return (first & 0xF8) == 0xF0 ? 4 : 0;
    }

    static boolean continues(byte next) {
        return (next & 0xC0) == 0x80;
    }

    /// The code point of the character at `from` in `bytes[0, to)`, or `MALFORMED`.
    static int codePoint(byte[] bytes, int from, int to) {
        int length = bytes(bytes[from]);
        if (length == 1) {
            return bytes[from];
        }
        if (length == 0 || from + length > to) {
            return MALFORMED;
        }
        int codePoint = bytes[from] & (0x7F >> length);
        for (int i = from + 1; i < from + length; i++) {
            if (!continues(bytes[i])) {
                return MALFORMED;
            }
            codePoint = (codePoint << 6) | (bytes[i] & 0x3F);
        }
        int smallest = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
        boolean surrogate = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        return codePoint < smallest || codePoint > Character.MAX_CODE_POINT || surrogate ? MALFORMED : codePoint;
    }

    /// Writes the bytes of a code point to `out` from 0 and returns their number.
    static int encode(int codePoint, byte[] out) {
        if (codePoint < 0x80) {
            out[0] = (byte) codePoint;
            return 1;
        }
        int length = codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        int rest = codePoint;
        for (int i = length - 1; i > 0; i--) {
            out[i] = (byte) (0x80 | (rest & 0x3F));
            rest >>>= 6;
        }
        out[0] = (byte) ((0xF00 >> length) | rest);
        return length;
    }
}
