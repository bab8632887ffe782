package dev.lapidary.model;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a sequence has beside its ids: soft tokens in the place of some of them, and spans of positions that see one
/// another in both directions, where all else is causal. A span is computed in one pass, never in parts. Immutable.
///
/// @param softTokens in the order of their positions
/// @param spans      in the order of their positions, none within another
public record Inserts(List<SoftTokens> softTokens, List<Span> spans) {
    /// Nothing.
    public static final Inserts NONE = new Inserts(List.of(), List.of());

    /// Copies the lists.
    public Inserts {
        softTokens = List.copyOf(softTokens);
        spans = List.copyOf(spans);
    }

    /// Embeddings that stand, as they are, where the table's would: an image's.
    ///
    /// @param position of the first
    /// @param values   holds them from element `from` on, `[count, embedding]`
    /// @param from     index in `values`
    /// @param count    how many
    @SuppressWarnings("ArrayRecordComponent") // shared, never changed, never compared
    public record SoftTokens(int position, float[] values, int from, int count) {
        /// One past the last position.
        public int end() {
            return position + count;
        }
    }

    /// Positions `begin` to `end - 1`.
    public record Span(int begin, int end) {
        private boolean contains(int position) {
            return begin <= position && position < end;
        }
    }

    /// These and others behind them.
    public Inserts plus(List<SoftTokens> moreTokens, List<Span> moreSpans) {
        List<SoftTokens> tokens = new ArrayList<>(softTokens);
        tokens.addAll(moreTokens);
        List<Span> all = new ArrayList<>(spans);
        all.addAll(moreSpans);
        return new Inserts(tokens, all);
    }

    /// The same soft tokens, with one span from the beginning to `end`; none if that is 0.
    public Inserts withPrefix(int end) {
        return new Inserts(softTokens, end == 0 ? List.of() : List.of(new Span(0, end)));
    }

    /// What is left of a sequence cut to `length`.
    ///
    /// @throws IllegalArgumentException if that is among the soft tokens of an image
    public Inserts cut(int length) {
        List<SoftTokens> tokens = new ArrayList<>();
        for (SoftTokens each : softTokens) {
            if (each.position() < length && length < each.end()) {
                throw new IllegalArgumentException(
                        "rewind: got position %d within the image at %d to %d, need one of these"
                                .formatted(length, each.position(), each.end()));
            }
            if (each.position() < length) {
                tokens.add(each);
            }
        }
        List<Span> left = new ArrayList<>();
        for (Span span : spans) {
            if (span.begin() < length) {
                left.add(new Span(span.begin(), Math.min(span.end(), length)));
            }
        }
        return new Inserts(tokens, left);
    }

    /// One past the last position that a token at `position` sees.
    public int end(int position) {
        Span span = span(position);
        return span == null ? position + 1 : span.end();
    }

    /// The first position that is computed in one pass with `position`.
    public int begin(int position) {
        Span span = span(position);
        return span == null ? position : span.begin();
    }

    /// Where a pass from `begin` on, itself no position inside of a span, ends so that no span is cut: at `end`, or
    /// before the span that it is in, or behind it where the pass begins with it.
    public int passEnd(int begin, int end) {
        int spanBegin = begin(end);
        if (spanBegin == end) {
            return end;
        }
        return spanBegin > begin ? spanBegin : end(end);
    }

    /// The span that a position is in. By index, since an iterator would be made anew for every token.
    private @Nullable Span span(int position) {
        for (int i = 0; i < spans.size(); i++) {
            if (spans.get(i).contains(position)) {
                return spans.get(i);
            }
        }
        return null;
    }
}
