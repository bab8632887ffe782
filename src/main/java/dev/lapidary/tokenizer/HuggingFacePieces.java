package dev.lapidary.tokenizer;

import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Collects the pieces of a `tokenizer.json`, which stand in two places and in any order, and tells their types:
/// added tokens are matched in the text before any merging, except those that frame it.
final class HuggingFacePieces {
    static final String BOS = "<bos>";
    static final String EOS = "<eos>";
    static final String PAD = "<pad>";

    private static final Set<String> CONTROLS = Set.of(BOS, EOS, PAD);

    private final String source;
    private @Nullable String[] pieces = new @Nullable String[1 << 12]; // by id
    private boolean[] added = new boolean[1 << 12];
    private int count;
    private String unknown = "<unk>";

    /// `source` names the file in messages.
    HuggingFacePieces(String source) {
        this.source = source;
    }

    /// Adds a piece of `model.vocab`.
    void add(String piece, int id) throws TokenizerException {
        put(piece, id, "model.vocab");
    }

    /// Adds an added token; `path` is its place in the file.
    void addToken(String content, int id, String path) throws TokenizerException {
        put(content.replace(' ', TokenizerModel.SPACE), id, path);
        added[id] = true;
    }

    /// Names the piece that stands for unknown text.
    void unknown(String piece) {
        unknown = piece;
    }

    private void put(String piece, int id, String path) throws TokenizerException {
        if (id < 0 || id >= Vocabulary.MAX_PIECES) {
            throw new TokenizerException("%s: %s: \"%s\": got id %d, need 0 to %d"
                    .formatted(source, path, piece, id, Vocabulary.MAX_PIECES - 1));
        }
        if (id >= pieces.length) {
            int capacity = Math.max(id + 1, 2 * pieces.length);
            pieces = Arrays.copyOf(pieces, capacity);
            added = Arrays.copyOf(added, capacity);
        }
        String other = pieces[id];
        if (other != null && !other.equals(piece)) {
            throw new TokenizerException(
                    "%s: %s: id %d is both \"%s\" and \"%s\"".formatted(source, path, id, other, piece));
        }
        pieces[id] = piece;
        count = Math.max(count, id + 1);
    }

    Vocabulary vocabulary() throws TokenizerException {
        Vocabulary.Builder builder = new Vocabulary.Builder(source);
        for (int id = 0; id < count; id++) {
            String piece = pieces[id];
            if (piece == null) {
                throw new TokenizerException("%s: no piece has id %d, the last is %d".formatted(source, id, count - 1));
            }
            builder.add(piece, type(piece, added[id]));
        }
        return builder.build();
    }

    private PieceType type(String piece, boolean addedToken) {
        if (piece.equals(unknown)) {
            return PieceType.UNKNOWN;
        }
        if (CONTROLS.contains(piece)) {
            return PieceType.CONTROL;
        }
        if (addedToken) {
            return PieceType.USER_DEFINED;
        }
        return ByteIds.value(piece) == ByteIds.NOT_A_BYTE ? PieceType.NORMAL : PieceType.BYTE;
    }
}
