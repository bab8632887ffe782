package dev.lapidary.tokenizer;

import java.util.Arrays;
import java.util.OptionalInt;

/// The pieces of a tokenizer by id: text and type.
///
/// The texts lie end to end in one array: 262 144 pieces are a handful of objects.
final class Vocabulary {
    static final int MAX_PIECES = 1 << 20;
    static final int MAX_PIECE_CHARS = 1024;

    private static final int LOW_BITS = 21;
    private static final long LOW = (1L << LOW_BITS) - 1;
    private static final long EMPTY = 0;

    private final char[] texts;
    private final int[] starts; // [pieces + 1]
    private final PieceType[] types;
    private final long[] slots; // the hash, with id + 1 for its low bits; open addressing, at most half full
    private final int shift;

    private Vocabulary(Builder builder) {
        this.texts = Arrays.copyOf(builder.texts, builder.starts[builder.count]);
        this.starts = Arrays.copyOf(builder.starts, builder.count + 1);
        this.types = Arrays.copyOf(builder.types, builder.count);
        int slotBits = 33 - Integer.numberOfLeadingZeros(Math.max(builder.count - 1, 1));
        this.slots = new long[1 << slotBits];
        this.shift = Long.SIZE - slotBits;
    }

    int pieces() {
        return types.length;
    }

    PieceType type(int id) {
        return types[id];
    }

    boolean is(int id, PieceType type) {
        return types[id] == type;
    }

    String text(int id) {
        return new String(texts, starts[id], starts[id + 1] - starts[id]);
    }

    /// All texts, piece after piece; read only.
    char[] texts() {
        return texts;
    }

    int start(int id) {
        return starts[id];
    }

    int end(int id) {
        return starts[id + 1];
    }

    /// The first id whose text differs, or that only one of the two has.
    OptionalInt firstDifference(Vocabulary other) {
        int common = Math.min(pieces(), other.pieces());
        for (int id = 0; id < common; id++) {
            if (!Arrays.equals(texts, start(id), end(id), other.texts, other.start(id), other.end(id))) {
                return OptionalInt.of(id);
            }
        }
        return pieces() == other.pieces() ? OptionalInt.empty() : OptionalInt.of(common);
    }

    /// The id of a piece, or -1.
    int find(CharSequence text) {
        if (text.length() > MAX_PIECE_CHARS) {
            return -1;
        }
        char[] chars = text.toString().toCharArray();
        return find(TextHash.of(chars, 0, chars.length), chars, 0, chars.length);
    }

    /// The id of the piece `text[from, to)`, whose hash is given, or -1.
    int find(long hash, char[] text, int from, int to) {
        int mask = slots.length - 1;
        for (int slot = slot(hash); ; slot = (slot + 1) & mask) {
            long entry = slots[slot];
            if (entry == EMPTY) {
                return -1;
            }
            int id = (int) (entry & LOW) - 1;
            if ((entry ^ hash) >>> LOW_BITS == 0 && Arrays.equals(texts, starts[id], starts[id + 1], text, from, to)) {
                return id;
            }
        }
    }

    private int slot(long hash) {
        return (int) ((hash * 0xD6E8FEB86659FD93L) >>> shift);
    }

    private void index(String source) throws TokenizerException {
        int mask = slots.length - 1;
        for (int id = 0; id < types.length; id++) {
            long hash = TextHash.of(texts, starts[id], starts[id + 1]);
            int same = find(hash, texts, starts[id], starts[id + 1]);
            if (same >= 0) {
                throw new TokenizerException(
                        "%s: pieces %d and %d are both \"%s\"".formatted(source, same, id, text(id)));
            }
            int slot = slot(hash);
            while (slots[slot] != EMPTY) {
                slot = (slot + 1) & mask;
            }
            slots[slot] = (hash & ~LOW) | (id + 1);
        }
    }

    /// Takes pieces in the order of their ids.
    static final class Builder {
        private final String source;
        private char[] texts = new char[1 << 16];
        private int[] starts = new int[1 << 12];
        private PieceType[] types = new PieceType[1 << 12];
        private int count;

        /// `source` names the file in messages.
        Builder(String source) {
            this.source = source;
        }

        Builder add(String text, PieceType type) throws TokenizerException {
            return add(text.toCharArray(), text.length(), type);
        }

        /// Adds the piece `text[0, chars)`.
        Builder add(char[] text, int chars, PieceType type) throws TokenizerException {
            if (chars == 0 || chars > MAX_PIECE_CHARS) {
                throw new TokenizerException("%s: piece %d: got %d characters, need 1 to %d"
                        .formatted(source, count, chars, MAX_PIECE_CHARS));
            }
            if (count == MAX_PIECES) {
                throw new TokenizerException("%s: got more than %d pieces".formatted(source, MAX_PIECES));
            }
            if (count + 1 == starts.length) {
                starts = Arrays.copyOf(starts, 2 * starts.length);
                types = Arrays.copyOf(types, 2 * types.length);
            }
            int start = starts[count];
            if (start + chars > texts.length) {
                texts = Arrays.copyOf(texts, 2 * texts.length);
            }
            System.arraycopy(text, 0, texts, start, chars);
            types[count] = type;
            starts[++count] = start + chars;
            return this;
        }

        int count() {
            return count;
        }

        Vocabulary build() throws TokenizerException {
            if (count == 0) {
                throw new TokenizerException("%s: got no pieces".formatted(source));
            }
            Vocabulary vocabulary = new Vocabulary(this);
            vocabulary.index(source);
            return vocabulary;
        }
    }
}
