package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Encodes one text: takes out the user-defined symbols, cuts what lies between them where nothing can merge, and
/// merges each run. The text may come in parts, cut anywhere.
final class Encoder {
    /// Up to this many symbols, looking for the next merge in all of them beats keeping them in a heap.
    private static final int SHORT_RUN = 16;

    private final Vocabulary vocabulary;
    private final Alphabet alphabet;
    private final MergeTable merges;
    private final ByteIds bytes;
    private final int unknown;
    private final SymbolTrie userDefined;
    private final IntList ids = new IntList();
    private final byte[] utf8 = new byte[4];
    private final MergeQueue queue = new MergeQueue();
    private String rest = ""; // of the parts that came: not looked at yet

    // the run: symbols that may merge with each other
    private int count;
    private int[] symbols = new int[SHORT_RUN];
    private int[] places = new int[SHORT_RUN]; // of a symbol and its right neighbour in the merge table
    private int[] ranks = new int[SHORT_RUN]; // of their merge, NEVER if they do not merge
    private int[] spans = new int[0]; // in a long run: places a symbol covers, at its first and at its last place

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
        add(chars, chars.length);
        endRun();
        return ids.toArray();
    }

    /// The ids that are certain once `part` has come: those of all but the run at its end.
    int[] append(String part) {
        String text = rest.concat(part);
        // A symbol that begins further on may end in what is still to come, and so may a character of two chars
        int end = text.length() - Math.max(1, userDefined.longest());
        if (end <= 0) {
            rest = text;
        } else {
            rest = text.substring(add(normalized(text), end));
        }
        return ids.take();
    }

    /// The other ids. The encoder is then as new.
    int[] finish() {
        char[] chars = normalized(rest);
        rest = "";
        add(chars, chars.length);
        endRun();
        int[] last = ids.toArray();
        ids.clear();
        return last;
    }

    /// Characters at the end that may merge with what is still to come.
    int openRun() {
        return count;
    }

    /// Takes symbols and characters that begin before `end`; gives the place behind them.
    private int add(char[] chars, int end) {
        int at = 0;
        while (at < end) {
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
        return at;
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
            int place = merges.find(symbols[count - 1], symbol);
            if (place == MergeTable.APART) {
                endRun();
            } else {
                setMerge(count - 1, place);
            }
        }
        if (count == symbols.length) {
            symbols = Arrays.copyOf(symbols, 2 * count);
            places = Arrays.copyOf(places, 2 * count);
            ranks = Arrays.copyOf(ranks, 2 * count);
        }
        symbols[count++] = symbol;
    }

    private void setMerge(int at, int place) {
        places[at] = place;
        ranks[at] = place == MergeTable.APART ? MergeTable.NEVER : merges.rank(place);
    }

    private void endRun() {
        if (count == 0) {
            return;
        }
        ranks[count - 1] = MergeTable.NEVER;
        if (count <= SHORT_RUN) {
            mergeShort();
        } else {
            mergeLong();
        }
        count = 0;
    }

    private void mergeShort() {
        int left = count;
        for (int at = first(left); ranks[at] != MergeTable.NEVER; at = first(left)) {
            left--;
            symbols[at] = merges.result(places[at]);
            for (int i = at + 1; i < left; i++) {
                symbols[i] = symbols[i + 1];
                places[i] = places[i + 1];
                ranks[i] = ranks[i + 1];
            }
            if (at + 1 < left) {
                setMerge(at, merges.find(symbols[at], symbols[at + 1]));
            } else {
                ranks[at] = MergeTable.NEVER;
            }
            if (at > 0) {
                setMerge(at - 1, merges.find(symbols[at - 1], symbols[at]));
            }
        }
        for (int i = 0; i < left; i++) {
            emit(symbols[i]);
        }
    }

    /// Where the next merge of a short run is: the smallest rank, and of equal ones the leftmost.
    private int first(int left) {
        int first = 0;
        for (int i = 1; i < left; i++) {
            if (ranks[i] < ranks[first]) {
                first = i;
            }
        }
        return first;
    }

    private void mergeLong() {
        if (spans.length < count) {
            spans = new int[symbols.length];
        }
        for (int at = 0; at < count; at++) {
            spans[at] = 1;
            enqueue(at);
        }
        while (!queue.isEmpty()) {
            long next = queue.remove();
            int at = (int) next;
            // a merge that has become impossible meanwhile, or a different one, was not taken out of the queue
            if (ranks[at] == (int) (next >>> Integer.SIZE)) {
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
        symbols[at] = merges.result(places[at]);
        ranks[right] = MergeTable.NEVER;
        spans[at] = span;
        spans[at + span - 1] = span;
        int next = at + span;
        if (next < count) {
            setMerge(at, merges.find(symbols[at], symbols[next]));
            enqueue(at);
        } else {
            ranks[at] = MergeTable.NEVER;
        }
        if (at > 0) {
            int previous = at - spans[at - 1];
            setMerge(previous, merges.find(symbols[previous], symbols[at]));
            enqueue(previous);
        }
    }

    private void enqueue(int at) {
        if (ranks[at] != MergeTable.NEVER) {
            queue.add(ranks[at], at);
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
