package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Which two neighbouring symbols merge into which piece, and which merge goes first.
///
/// One hash table of longs: left symbol, right symbol and the rule that merges them, 21 bits each. It also knows
/// the pairs of characters that meet inside some piece: between two characters of any other pair nothing can ever
/// merge, so a text may be cut there.
final class MergeTable {
    /// No rule, but some piece spans the two characters.
    static final int SPANNED = -1;
    /// No rule and, for two characters, no piece that spans them.
    static final int APART = -2;

    /// The priority of no merge: after all others.
    static final int NEVER = Integer.MAX_VALUE;

    private static final int BITS = 21;
    private static final int LOW = (1 << BITS) - 1;
    private static final long EMPTY = -1;

    private final int[] results; // piece by rule
    private final int[] priorities; // by rule
    private long[] slots;
    private int used;
    private int shift;

    private MergeTable(int[] results, int[] priorities, int expectedMerges) {
        this.results = results;
        this.priorities = priorities;
        int slotBits = 33 - Integer.numberOfLeadingZeros(Math.max(expectedMerges - 1, 1));
        this.slots = emptySlots(slotBits);
        this.shift = Long.SIZE - slotBits;
    }

    /// The rule for two neighbouring symbols, or `SPANNED` or `APART`.
    int find(int left, int right) {
        long key = key(left, right);
        int mask = slots.length - 1;
        for (int slot = slot(key); ; slot = (slot + 1) & mask) {
            long entry = slots[slot];
            if (entry >>> BITS == key) {
                int rule = (int) entry & LOW;
                return rule == LOW ? SPANNED : rule;
            }
            if (entry == EMPTY) {
                return APART;
            }
        }
    }

    /// The piece a rule merges two symbols into.
    int result(int rule) {
        return results[rule];
    }

    /// When a rule has its turn: smaller first, and of equal ones the leftmost.
    int priority(int rule) {
        return priorities[rule];
    }

    /// SentencePiece's way: any two symbols whose texts together are a piece merge, the piece with the highest
    /// score first. There is one rule for each piece.
    static MergeTable ofScores(String source, Vocabulary vocabulary, Alphabet alphabet, float[] scores)
            throws TokenizerException {
        int[] results = new int[scores.length];
        int[] priorities = new int[scores.length];
        for (int id = 0; id < scores.length; id++) {
            if (!Float.isFinite(scores[id])) {
                throw new TokenizerException(
                        "%s: piece %d: got score %s, need a finite one".formatted(source, id, scores[id]));
            }
            int bits = Float.floatToRawIntBits(scores[id] + 0f); // + 0 turns -0 into 0: equal scores, equal priorities
            priorities[id] = ~(bits ^ ((bits >> 31) & Integer.MAX_VALUE));
            results[id] = id;
        }
        checkSymbols(source, alphabet.count());
        MergeTable table = new MergeTable(results, priorities, 2 * scores.length); // so many Gemma's have
        new PieceSplitter(source, vocabulary, alphabet).addSplits(table);
        return table;
    }

    /// Hugging Face's way: a list of merges, first come, first served. Those of one piece that stand together are
    /// one rule, because such a list was made from one score.
    static MergeTable ofMerges(String source, Vocabulary vocabulary, Alphabet alphabet, MergeList merges)
            throws TokenizerException {
        checkSymbols(source, alphabet.count());
        checkSymbols(source, merges.count());
        int[] results = new int[merges.count()];
        int[] priorities = new int[merges.count()];
        Arrays.setAll(priorities, rule -> rule);
        MergeTable table = new MergeTable(results, priorities, merges.count());
        merges.addTo(table, vocabulary, alphabet, results);
        return table;
    }

    private static void checkSymbols(String source, int count) throws TokenizerException {
        if (count >= LOW) {
            throw new TokenizerException(
                    "%s: got %d pieces and characters or merges, need fewer than %d".formatted(source, count, LOW));
        }
    }

    /// Adds a pair that a rule merges. `leftEnd` and `rightStart` are the symbols of the characters that meet in
    /// its middle. That is enough to know where a text may be cut: whatever is merged has nothing but such middles
    /// inside.
    void addMerge(int left, int right, int rule, int leftEnd, int rightStart) {
        put(key(left, right), rule);
        put(key(leftEnd, rightStart), LOW);
    }

    private void put(long key, int rule) {
        int mask = slots.length - 1;
        int slot = slot(key);
        while (slots[slot] != EMPTY) {
            if (slots[slot] >>> BITS == key) {
                if (rule != LOW) {
                    slots[slot] = (key << BITS) | rule;
                }
                return;
            }
            slot = (slot + 1) & mask;
        }
        slots[slot] = (key << BITS) | rule;
        if (++used > slots.length / 8 * 5) {
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
