package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Encodes one text: takes out the user-defined symbols, cuts what lies between them where nothing can merge, and
/// merges each run.
final class Encoder {
    /// Up to this many symbols, looking for the next merge in all of them beats keeping them in a heap.
    private static final int SHORT_RUN = 24;

    private final Vocabulary vocabulary;
    private final Alphabet alphabet;
    private final MergeTable merges;
    private final ByteIds bytes;
    private final int unknown;
    private final SymbolTrie userDefined;
    private final IntList ids = new IntList();
    private final byte[] utf8 = new byte[4];
    private final MergeQueue queue = new MergeQueue();

    // the run: symbols that may merge with each other
    private int count;
    private int[] symbols = new int[SHORT_RUN];
    private int[] merged = new int[SHORT_RUN]; // what a symbol and its right neighbour merge into, or negative
    private int[] spans = new int[SHORT_RUN]; // places a symbol covers, at its first and at its last place

    Encoder(TokenizerModel model, SymbolTrie userDefined) {
        this.vocabulary = model.vocabulary();
        this.alphabet = model.alphabet();
        this.merges = model.merges();
        this.bytes = model.bytes();
        this.unknown = model.special().unknown();
        this.userDefined = userDefined;
    }

    int[] encode(String text) {
        char[] chars = normalized(text);
        for (int at = 0; at < chars.length; ) {
            char first = chars[at];
            if (userDefined.startsWith(first)) {
                long match = userDefined.longestMatch(chars, at, chars.length);
                if (match != SymbolTrie.NO_MATCH) {
                    endRun();
                    ids.add((int) match);
                    at += (int) (match >>> Integer.SIZE);
                    continue;
                }
            }
            int codePoint = Character.codePointAt(chars, at);
            add(codePoint);
            at += Character.charCount(codePoint);
        }
        endRun();
        return ids.toArray();
    }

    /// The text with spaces as pieces spell them, and U+FFFD for surrogates without a partner, which are no
    /// characters.
    private static char[] normalized(String text) {
        char[] chars = text.toCharArray();
        for (int i = 0; i < chars.length; i++) {
            char character = chars[i];
            if (character == ' ') {
                chars[i] = TokenizerModel.SPACE;
            } else if (Character.isSurrogate(character)) {
                if (Character.isHighSurrogate(character)
                        && i + 1 < chars.length
                        && Character.isLowSurrogate(chars[i + 1])) {
                    i++;
                } else {
                    chars[i] = '\uFFFD';
                }
            }
        }
        return chars;
    }

    private void add(int codePoint) {
        int symbol = alphabet.symbol(codePoint);
        if (symbol == Alphabet.NONE) {
            endRun();
            emitUnknown(codePoint);
            return;
        }
        if (count > 0) {
            int with = merges.find(symbols[count - 1], symbol);
            if (with == MergeTable.APART) {
                endRun();
            } else {
                merged[count - 1] = with;
            }
        }
        if (count == symbols.length) {
            symbols = Arrays.copyOf(symbols, 2 * count);
            merged = Arrays.copyOf(merged, 2 * count);
            spans = Arrays.copyOf(spans, 2 * count);
        }
        symbols[count++] = symbol;
    }

    private void endRun() {
        if (count == 0) {
            return;
        }
        merged[count - 1] = MergeTable.APART;
        if (count <= SHORT_RUN) {
            mergeShort();
        } else {
            mergeLong();
        }
        count = 0;
    }

    private void mergeShort() {
        int left = count;
        while (true) {
            int best = nextMerge(left);
            if (best < 0) {
                break;
            }
            left--;
            symbols[best] = merged[best];
            for (int i = best + 1; i < left; i++) {
                symbols[i] = symbols[i + 1];
                merged[i] = merged[i + 1];
            }
            merged[best] = best + 1 < left ? merges.find(symbols[best], symbols[best + 1]) : MergeTable.APART;
            if (best > 0) {
                merged[best - 1] = merges.find(symbols[best - 1], symbols[best]);
            }
        }
        for (int i = 0; i < left; i++) {
            emit(symbols[i]);
        }
    }

    private int nextMerge(int left) {
        int best = -1;
        int bestPriority = Integer.MAX_VALUE;
        for (int i = 0; i < left - 1; i++) {
            if (merged[i] >= 0) {
                int priority = merges.priority(merged[i]);
                if (best < 0 || priority < bestPriority) {
                    best = i;
                    bestPriority = priority;
                }
            }
        }
        return best;
    }

    private void mergeLong() {
        for (int at = 0; at < count; at++) {
            spans[at] = 1;
            enqueue(at);
        }
        while (!queue.isEmpty()) {
            long next = queue.remove();
            int at = (int) next;
            // a merge that has become impossible meanwhile, or a different one, was not taken out of the queue
            if (merged[at] >= 0 && merges.priority(merged[at]) == (int) (next >>> Integer.SIZE)) {
                mergeAt(at);
            }
        }
        for (int at = 0; at < count; at += spans[at]) {
            emit(symbols[at]);
        }
    }

    private void mergeAt(int at) {
        int right = at + spans[at];
        int span = spans[at] + spans[right];
        symbols[at] = merged[at];
        merged[right] = MergeTable.APART;
        spans[at] = span;
        spans[at + span - 1] = span;
        int next = at + span;
        merged[at] = next < count ? merges.find(symbols[at], symbols[next]) : MergeTable.APART;
        enqueue(at);
        if (at > 0) {
            int previous = at - spans[at - 1];
            merged[previous] = merges.find(symbols[previous], symbols[at]);
            enqueue(previous);
        }
    }

    private void enqueue(int at) {
        if (merged[at] >= 0) {
            queue.add(merges.priority(merged[at]), at);
        }
    }

    private void emit(int symbol) {
        if (symbol < vocabulary.pieces()) {
            ids.add(symbol);
        } else {
            emitUnknown(alphabet.codePoint(symbol));
        }
    }

    private void emitUnknown(int codePoint) {
        if (bytes.none()) {
            if (!ids.endsWith(unknown)) { // neighbours share one
                ids.add(unknown);
            }
            return;
        }
        int length = Utf8.encode(codePoint, utf8);
        for (int i = 0; i < length; i++) {
            ids.add(bytes.id(utf8[i]));
        }
    }
}
