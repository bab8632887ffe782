package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Which two neighbouring symbols merge into which piece, and which merge goes first.
///
/// A hash table in two arrays, so that asking for a pair touches one place in memory: left symbol, right symbol
/// and rank of the merge, 21 bits each, and apart from that the piece. It also knows the pairs of characters that
/// meet inside some piece: between two characters of any other pair nothing can ever merge, so a text may be cut
/// there.
final class MergeTable {
    /// The largest number of symbols, and of ranks.
    static final int MAX_SYMBOLS = (1 << 21) - 2;

    /// The rank of two symbols that do not merge: after all others.
    static final int NEVER = MAX_SYMBOLS + 1;

    /// No such pair: two characters that meet in no piece, or any other symbols that do not merge.
    static final int APART = -1;

    private static final int BITS = 21;
    private static final int LOW = (1 << BITS) - 1;
    private static final long EMPTY = -1;

    private long[] slots;
    private int[] results; // piece by slot
    private int used;
    private int shift;

    /// A table that `expectedMerges` fit in; it grows if there are more.
    MergeTable(int expectedMerges) {
        int slotBits = 33 - Integer.numberOfLeadingZeros(Math.max(expectedMerges - 1, 1));
        this.slots = emptySlots(slotBits);
        this.results = new int[slots.length];
        this.shift = Long.SIZE - slotBits;
    }

    /// Where the table has two neighbouring symbols, or `APART`.
    int find(int left, int right) {
        long key = key(left, right);
        int mask = slots.length - 1;
        for (int slot = slot(key); ; slot = (slot + 1) & mask) {
            long entry = slots[slot];
            if (entry >>> BITS == key) {
                return slot;
            }
            if (entry == EMPTY) {
                return APART;
            }
        }
    }

    /// When a pair has its turn: smaller first, and of equal ones the leftmost. `NEVER` if it only meets in a
    /// piece.
    int rank(int slot) {
        return (int) slots[slot] & LOW;
    }

    /// The piece a pair merges into.
    int result(int slot) {
        return results[slot];
    }

    /// Adds a merge. `leftEnd` and `rightStart` are the symbols of the characters that meet in its middle. That is
    /// enough to know where a text may be cut: whatever is merged has nothing but such middles inside.
    void add(int left, int right, int rank, int result, int leftEnd, int rightStart) {
        put(key(left, right), rank, result);
        put(key(leftEnd, rightStart), NEVER, 0);
    }

    private void put(long key, int rank, int result) {
        int mask = slots.length - 1;
        int slot = slot(key);
        while (slots[slot] != EMPTY) {
            if (slots[slot] >>> BITS == key) {
                if (rank != NEVER) {
                    set(slot, key, rank, result);
                }
                return;
            }
            slot = (slot + 1) & mask;
        }
        set(slot, key, rank, result);
        if (++used > slots.length / 8 * 5) {
            grow();
        }
    }

    private void set(int slot, long key, int rank, int result) {
        slots[slot] = (key << BITS) | rank;
        results[slot] = result;
    }

    private void grow() {
        long[] oldSlots = slots;
        int[] oldResults = results;
        slots = emptySlots(Long.SIZE - shift + 1);
        results = new int[slots.length];
        shift--;
        used = 0;
        for (int slot = 0; slot < oldSlots.length; slot++) {
            if (oldSlots[slot] != EMPTY) {
                put(oldSlots[slot] >>> BITS, (int) oldSlots[slot] & LOW, oldResults[slot]);
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
