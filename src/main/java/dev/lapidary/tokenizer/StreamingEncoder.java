package dev.lapidary.tokenizer;

/// Turns a text that comes in parts, cut anywhere, into ids. All ids given, put together, are what
/// [Tokenizer#encode(String)] gives for the whole text; in memory is only what may still merge with what comes.
///
/// Made by [Tokenizer#streamingEncoder()]; for one thread at a time.
public final class StreamingEncoder {
    /// Far more than any text has between two characters that can never be in one piece.
    static final int LONGEST_RUN = 1 << 22;

    private final Encoder encoder;

    StreamingEncoder(Encoder encoder) {
        this.encoder = encoder;
    }

    /// The ids that are certain now that `part` has come; often none.
    ///
    /// @throws IllegalArgumentException if the text has a run of millions of characters that might all be one
    ///                                  piece, as the same letter over and over
    public int[] append(String part) {
        int[] ids = encoder.append(part);
        if (encoder.openRun() > LONGEST_RUN) {
            throw new IllegalArgumentException(
                    "text: got more than %d characters without a place to cut, need a text in words"
                            .formatted(LONGEST_RUN));
        }
        return ids;
    }

    /// As [#append(String)], for `text[0, chars)`.
    public int[] append(char[] text, int chars) {
        return append(new String(text, 0, chars));
    }

    /// The ids of what was left. The encoder is then as new.
    public int[] finish() {
        return encoder.finish();
    }
}
