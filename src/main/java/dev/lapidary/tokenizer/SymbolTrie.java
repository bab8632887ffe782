package dev.lapidary.tokenizer;

import java.util.Arrays;

/// The user-defined symbols, which are taken out of the text before any merging.
final class SymbolTrie {
    static final long NO_MATCH = -1;

    private static final long EMPTY = -1;

    private final long[] first =
            new long[(Character.MAX_VALUE + 1) / Long.SIZE]; // one bit for each char a symbol starts with
    private int[] ids = new int[64]; // by node, -1 inside a symbol
    private int nodes = 1;
    private int longest;
    private long[] edges; // parent node and char; open addressing, at most half full
    private int[] children; // the node at the end of each edge
    private int shift;

    SymbolTrie() {
        edges = new long[1 << 8];
        Arrays.fill(edges, EMPTY);
        children = new int[edges.length];
        shift = Long.SIZE - 8;
        ids[0] = -1;
    }

    void add(char[] texts, int start, int end, int id) {
        first[texts[start] >>> 6] |= 1L << texts[start];
        longest = Math.max(longest, end - start);
        int node = 0;
        for (int at = start; at < end; at++) {
            int child = child(node, texts[at]);
            node = child < 0 ? addChild(node, texts[at]) : child;
        }
        ids[node] = id;
    }

    /// Chars of the longest symbol.
    int longest() {
        return longest;
    }

    boolean startsWith(char character) {
        return ((first[character >>> 6] >>> character) & 1) != 0;
    }

    /// The longest symbol at `at` in `text[0, end)`: its length in the high half and its id in the low one, or
    /// `NO_MATCH`.
    long longestMatch(char[] text, int at, int end) {
        long match = NO_MATCH;
        int node = 0;
        for (int i = at; i < end; i++) {
            node = child(node, text[i]);
            if (node < 0) {
                break;
            }
            if (ids[node] >= 0) {
                match = ((long) (i + 1 - at) << Integer.SIZE) | ids[node];
            }
        }
        return match;
    }

    private int child(int node, char character) {
        long edge = edge(node, character);
        int mask = edges.length - 1;
        for (int slot = slot(edge); ; slot = (slot + 1) & mask) {
            if (edges[slot] == edge) {
                return children[slot];
            }
            if (edges[slot] == EMPTY) {
                return -1;
            }
        }
    }

    private int addChild(int node, char character) {
        if (nodes == ids.length) {
            ids = Arrays.copyOf(ids, 2 * nodes);
        }
        ids[nodes] = -1;
        if (nodes > edges.length / 2) {
            grow();
        }
        put(edge(node, character), nodes);
        return nodes++;
    }

    private void put(long edge, int child) {
        int mask = edges.length - 1;
        int slot = slot(edge);
        while (edges[slot] != EMPTY) {
            slot = (slot + 1) & mask;
        }
        edges[slot] = edge;
        children[slot] = child;
    }

    private void grow() {
        long[] oldEdges = edges;
        int[] oldChildren = children;
        edges = new long[2 * oldEdges.length];
        Arrays.fill(edges, EMPTY);
        children = new int[edges.length];
        shift--;
        for (int slot = 0; slot < oldEdges.length; slot++) {
            if (oldEdges[slot] != EMPTY) {
                put(oldEdges[slot], oldChildren[slot]);
            }
        }
    }

    private static long edge(int node, char character) {
        return ((long) node << Character.SIZE) | character;
    }

    private int slot(long edge) {
        return (int) ((edge * 0x9E3779B97F4A7C15L) >>> shift);
    }
}
