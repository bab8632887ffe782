package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Merges waiting for their turn: a binary heap of longs, rank in the high half, position in the low one.
final class MergeQueue {
    private long[] heap = new long[64];
    private int count;

    boolean isEmpty() {
        return count == 0;
    }

    void add(int rank, int position) {
        if (count == heap.length) {
            heap = Arrays.copyOf(heap, 2 * count);
        }
        long entry = ((long) rank << Integer.SIZE) | position;
        int at = count++;
        while (at > 0 && entry < heap[(at - 1) / 2]) {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = entry;
    }

    /// Removes the merge of the smallest rank, and of equal ones the leftmost.
    long remove() {
        long first = heap[0];
        long entry = heap[--count];
        int at = 0;
        for (int child = 1; child < count; child = 2 * at + 1) {
            if (child + 1 < count && heap[child + 1] < heap[child]) {
                child++;
            }
            if (entry <= heap[child]) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = entry;
        return first;
    }
}
