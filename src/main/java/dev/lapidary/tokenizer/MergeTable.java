package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Which two neighbouring symbols merge into which piece, and which merge goes first.
///
/// One hash table of longs, left, right and merged symbol in 21 bits each. It also knows the pairs of characters
/// that stand side by side in some piece: between two characters of any other pair nothing can ever merge, so a
/// text may be cut there.
final class MergeTable {
    /// No merge, but some piece spans the two characters.
    static final int SPANNED = -1;
    /// No merge and, for two characters, no piece that spans them.
    static final int APART = -2;

    private static final int BITS = 21;
    private static final int LOW = (1 << BITS) - 1;
    private static final long EMPTY = -1;

    private final int[] priorities;
    private long[] slots;
    private int used;
    private int shift;

    /// `priorities` by piece: the smallest merges first.
    private MergeTable(int[] priorities) {
        this.priorities = priorities;
        int slotBits = 33 - Integer.numberOfLeadingZeros(Math.max(priorities.length, 1 << 8));
        this.slots = emptySlots(slotBits);
        this.shift = Long.SIZE - slotBits;
    }

    /// The piece two neighbouring symbols merge into, or `SPANNED` or `APART`.
    int find(int left, int right) {
        long key = key(left, right);
        int mask = slots.length - 1;
        for (int slot = slot(key); ; slot = (slot + 1) & mask) {
            long entry = slots[slot];
            if (entry >>> BITS == key) {
                int merged = (int) entry & LOW;
                return merged == LOW ? SPANNED : merged;
            }
            if (entry == EMPTY) {
                return APART;
            }
        }
    }

    /// The priority of merging into a piece: smaller first, and of equal ones the leftmost.
    int priority(int merged) {
        return priorities[merged];
    }

    /// SentencePiece's rule: any two symbols whose texts together are a piece merge, the piece with the highest
    /// score first.
    static MergeTable ofScores(String source, Vocabulary vocabulary, Alphabet alphabet, float[] scores)
            throws TokenizerException {
        int[] priorities = new int[scores.length];
        for (int id = 0; id < scores.length; id++) {
            if (!Float.isFinite(scores[id])) {
                throw new TokenizerException(
                        "%s: piece %d: got score %s, need a finite one".formatted(source, id, scores[id]));
            }
            int bits = Float.floatToRawIntBits(scores[id] + 0f); // + 0 turns -0 into 0: equal scores, equal priorities
            priorities[id] = ~(bits ^ ((bits >> 31) & Integer.MAX_VALUE));
        }
        MergeTable table = create(source, alphabet, priorities);
        new PieceSplitter(source, vocabulary, alphabet).addSplits(table);
        return table;
    }

    /// The rule of a list of merges, which stand in the order of their ranks. Merges that give the same piece
    /// stand together, as they do in a list made from scores, and share the first one's rank.
    static MergeTable ofMerges(String source, Vocabulary vocabulary, Alphabet alphabet, MergeList merges)
            throws TokenizerException {
        int[] priorities = new int[vocabulary.pieces()];
        Arrays.fill(priorities, Integer.MAX_VALUE);
        MergeTable table = create(source, alphabet, priorities);
        merges.addTo(table, vocabulary, priorities);
        new PieceSplitter(source, vocabulary, alphabet).addSpans(table);
        return table;
    }

    private static MergeTable create(String source, Alphabet alphabet, int[] priorities) throws TokenizerException {
        if (alphabet.count() >= LOW) {
            throw new TokenizerException(
                    "%s: got %d pieces and characters, need fewer than %d".formatted(source, alphabet.count(), LOW));
        }
        return new MergeTable(priorities);
    }

    void addMerge(int left, int right, int merged) {
        put(key(left, right), merged);
    }

    /// Notes that the two characters stand side by side in a piece.
    void addSpan(int left, int right) {
        put(key(left, right), LOW);
    }

    private void put(long key, int merged) {
        int mask = slots.length - 1;
        int slot = slot(key);
        while (slots[slot] != EMPTY) {
            if (slots[slot] >>> BITS == key) {
                if (merged != LOW) {
                    slots[slot] = (key << BITS) | merged;
                }
                return;
            }
            slot = (slot + 1) & mask;
        }
        slots[slot] = (key << BITS) | merged;
        if (++used > slots.length / 2) {
            grow();
        }
    }

    private void grow() {
        long[] old = slots;
        slots = emptySlots(Long.SIZE - shift + 1);
        shift--;
        int mask = slots.length - 1;
        for (long entry : old) {
            if (entry != EMPTY) {
                int slot = slot(entry >>> BITS);
                while (slots[slot] != EMPTY) {
                    slot = (slot + 1) & mask;
                }
                slots[slot] = entry;
            }
        }
    }

    private static long[] emptySlots(int slotBits) {
        long[] slots = new long[1 << slotBits];
        Arrays.fill(slots, EMPTY);
        return slots;
    }

    private static long key(int left, int right) {
        return ((long) left << BITS) | right;
    }

    private int slot(long key) {
        return (int) ((key * 0x9E3779B97F4A7C15L) >>> shift);
    }
}
