package dev.lapidary.tokenizer;

/// Turns ids into text as they come. A character spelled in bytes appears once its last byte is there; all texts
/// returned, put together, are what [Tokenizer#decode(int...)] gives for all ids.
///
/// Made by [Tokenizer#streamingDecoder()]; for one thread at a time.
public final class StreamingDecoder {
    private final Tokenizer tokenizer;
    private final StringBuilder text = new StringBuilder();
    private final byte[] pending = new byte[4]; // the beginning of a character
    private int pendingBytes;

    StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /// The text that is certain now that `id` has come: empty while a character is incomplete.
    /// Throws `IllegalArgumentException` if there is no such id.
    public String append(int id) {
        add(id);
        return take();
    }

    /// The rest: one U+FFFD for each byte of a character that was left incomplete. The decoder is then as new.
    public String finish() {
        flush();
        return take();
    }

    void add(int id) {
        int value = tokenizer.byteValue(id);
        if (value == ByteIds.NOT_A_BYTE) {
            flush();
            tokenizer.appendText(id, text);
        } else {
            pending[pendingBytes++] = (byte) value;
            decodePending(false);
        }
    }

    private void flush() {
        decodePending(true);
    }

    private String take() {
        String taken = text.toString();
        text.setLength(0);
        return taken;
    }

    /// Moves the characters in `pending` to `text`; an incomplete one stays unless this is the end of the bytes.
    private void decodePending(boolean end) {
        int at = 0;
        while (at < pendingBytes && (end || !incomplete(at))) {
            int codePoint = Utf8.codePoint(pending, at, pendingBytes);
            if (codePoint == Utf8.MALFORMED) {
                text.append('\uFFFD');
                at++;
            } else {
                text.appendCodePoint(codePoint);
                at += Utf8.bytes(pending[at]);
            }
        }
        System.arraycopy(pending, at, pending, 0, pendingBytes - at);
        pendingBytes -= at;
    }

    /// Whether the bytes from `at` on are the beginning of a longer character.
    private boolean incomplete(int at) {
        if (at + Utf8.bytes(pending[at]) <= pendingBytes) {
            return false;
        }
        for (int i = at + 1; i < pendingBytes; i++) {
            if (!Utf8.continues(pending[i])) {
                return false;
            }
        }
        return true;
    }
}
