package dev.lapidary.tokenizer;

import java.util.Arrays;

/// The merges of a `tokenizer.json` in the order of their ranks, kept until the vocabulary is known: both texts of
/// each, end to end in one array.
final class MergeList {
    private final String source;
    private char[] texts = new char[1 << 16];
    private int[] parts = new int[1 << 12]; // where each text starts, two for a merge, and the end of the last
    private int count; // of texts

    /// `source` names the file in messages.
    MergeList(String source) {
        this.source = source;
    }

    void add(CharSequence left, CharSequence right) {
        append(left);
        append(right);
    }

    private void append(CharSequence text) {
        int start = parts[count];
        while (start + text.length() > texts.length) {
            texts = Arrays.copyOf(texts, 2 * texts.length);
        }
        if (count + 1 == parts.length) {
            parts = Arrays.copyOf(parts, 2 * parts.length);
        }
        text.toString().getChars(0, text.length(), texts, start);
        parts[++count] = start + text.length();
    }

    /// Hugging Face's way: first come, first served. Merges of one piece that stand together share a rank, because
    /// such a list was made from one score.
    MergeTable table(Vocabulary vocabulary, Alphabet alphabet) throws TokenizerException {
        MergeTable table = new MergeTable(count / 2);
        int last = -1;
        int rank = -1;
        for (int part = 0; part < count; part += 2) {
            int left = piece(vocabulary, part, part + 1);
            int right = piece(vocabulary, part + 1, part + 2);
            int merged = piece(vocabulary, part, part + 2);
            if (!vocabulary.type(left).mergeable()
                    || !vocabulary.type(right).mergeable()
                    || !vocabulary.type(merged).mergeable()) {
                continue; // symbols of their own: matched in the text before any merging
            }
            if (merged != last) {
                last = merged;
                rank = nextRank(rank);
            }
            int leftEnd = alphabet.symbol(Character.codePointBefore(texts, parts[part + 1], parts[part]));
            int rightStart = alphabet.symbol(Character.codePointAt(texts, parts[part + 1], parts[part + 2]));
            table.add(left, right, rank, merged, leftEnd, rightStart);
        }
        return table;
    }

    private int nextRank(int rank) throws TokenizerException {
        if (rank + 1 >= MergeTable.MAX_SYMBOLS) {
            throw new TokenizerException(
                    "%s: model.merges: got more than %d ranks".formatted(source, MergeTable.MAX_SYMBOLS));
        }
        return rank + 1;
    }

    private int piece(Vocabulary vocabulary, int fromPart, int toPart) throws TokenizerException {
        int from = parts[fromPart];
        int to = parts[toPart];
        int id = to - from > Vocabulary.MAX_PIECE_CHARS
                ? -1
                : vocabulary.find(TextHash.of(texts, from, to), texts, from, to);
        if (id < 0) {
            throw new TokenizerException("%s: model.merges[%d]: got \"%s\", need a piece of model.vocab"
                    .formatted(source, fromPart / 2, new String(texts, from, Math.min(to - from, 80))));
        }
        return id;
    }
}
