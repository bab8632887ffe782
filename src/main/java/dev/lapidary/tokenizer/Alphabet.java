package dev.lapidary.tokenizer;

import java.util.Arrays;

/// The symbol that merging starts from for each code point.
///
/// A symbol is a piece's id, or a number past the last id for a character that occurs inside pieces without being
/// one: it can be merged, and becomes bytes where it is not.
final class Alphabet {
    static final int NONE = -1;

    private static final int PAGE_BITS = 8;
    private static final int PAGE = 1 << PAGE_BITS;

    private final int[] pages =
            new int[(Character.MAX_CODE_POINT + 1) / PAGE]; // where each page starts; 0: the empty page
    private int[] symbols = new int[PAGE];
    private int used = PAGE;
    private final int pieces;
    private int[] strangers = new int[16]; // code points of the symbols past the last id
    private int strangerCount;

    /// `source` names the file in messages.
    Alphabet(String source, Vocabulary vocabulary) throws TokenizerException {
        this.pieces = vocabulary.pieces();
        Arrays.fill(symbols, NONE);
        addSingleCharacters(vocabulary);
        addStrangers(vocabulary);
        if (count() > MergeTable.MAX_SYMBOLS) {
            throw new TokenizerException("%s: got %d pieces and characters, need %d at most"
                    .formatted(source, count(), MergeTable.MAX_SYMBOLS));
        }
    }

    /// The symbol of a code point, or `NONE` if no piece holds it.
    int symbol(int codePoint) {
        return symbols[pages[codePoint >>> PAGE_BITS] + (codePoint & (PAGE - 1))];
    }

    /// One more than the largest symbol.
    int count() {
        return pieces + strangerCount;
    }

    /// The code point of a symbol past the last id.
    int codePoint(int symbol) {
        return strangers[symbol - pieces];
    }

    private void addSingleCharacters(Vocabulary vocabulary) {
        char[] texts = vocabulary.texts();
        for (int id = 0; id < pieces; id++) {
            int start = vocabulary.start(id);
            int codePoint = Character.codePointAt(texts, start, vocabulary.end(id));
            if (start + Character.charCount(codePoint) == vocabulary.end(id)
                    && vocabulary.type(id).mergeable()) {
                put(codePoint, id);
            }
        }
    }

    private void addStrangers(Vocabulary vocabulary) {
        char[] texts = vocabulary.texts();
        for (int id = 0; id < pieces; id++) {
            if (!vocabulary.type(id).mergeable()) {
                continue;
            }
            int end = vocabulary.end(id);
            int codePoint;
            for (int at = vocabulary.start(id); at < end; at += Character.charCount(codePoint)) {
                codePoint = Character.codePointAt(texts, at, end);
                if (symbol(codePoint) == NONE) {
                    put(codePoint, pieces + strangerCount);
                    if (strangerCount == strangers.length) {
                        strangers = Arrays.copyOf(strangers, 2 * strangerCount);
                    }
                    strangers[strangerCount++] = codePoint;
                }
            }
        }
    }

    private void put(int codePoint, int symbol) {
        int page = codePoint >>> PAGE_BITS;
        if (pages[page] == 0) {
            if (used == symbols.length) {
                symbols = Arrays.copyOf(symbols, 2 * used);
                Arrays.fill(symbols, used, symbols.length, NONE);
            }
            pages[page] = used;
            used += PAGE;
        }
        symbols[pages[page] + (codePoint & (PAGE - 1))] = symbol;
    }
}
