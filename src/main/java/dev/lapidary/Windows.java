package dev.lapidary;

import dev.lapidary.tokenizer.StreamingEncoder;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.Reader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The tokens of a text in windows that a session takes one after the other, so that each token is predicted once.
///
/// Every window begins with bos. The next one begins `stride` tokens of the text later; what it has in common with the
/// one before gives context and is not predicted again. So a stride of a whole window, less bos, cuts the text in
/// parts that do not know each other, and a shorter one computes more for predictions that know more.
///
/// The text is read as windows are asked for: memory does not grow with it. For one thread at a time.
public final class Windows {
    private static final int READ_CHARS = 1 << 13;

    private final int bos;
    private final int stride;
    private final @Nullable Ids source;

    /// The text's ids in the window at hand: `count` of them, of which the first `context` are in the one before.
    private final int[] held;

    private int count;
    private int context;
    private boolean begun;

    private Windows(@Nullable Ids source, int bos, int textTokens, int stride) {
        this.source = source;
        this.bos = bos;
        this.stride = stride;
        held = new int[textTokens];
    }

    /// One window of ids, exactly as given; the first is not predicted.
    ///
    /// @throws IllegalArgumentException if there are fewer than two
    public static Windows of(int... ids) {
        if (ids.length < 2) {
            throw new IllegalArgumentException(
                    "text: got no token to score, need at least one, and one before it: got %d".formatted(ids.length));
        }
        Windows windows = new Windows(null, ids[0], ids.length - 1, ids.length - 1);
        System.arraycopy(ids, 1, windows.held, 0, ids.length - 1);
        windows.count = ids.length - 1;
        return windows;
    }

    /// Windows of a text.
    ///
    /// @param text   read up to its end, and not closed
    /// @param window tokens of a window, bos included; 2 or more
    /// @param stride tokens from the beginning of one to that of the next; 1 to `window` - 1
    /// @throws IllegalArgumentException naming the number that is out of range
    public static Windows of(Tokenizer tokenizer, Reader text, int window, int stride) {
        if (window < 2) {
            throw new IllegalArgumentException("window: got %d, need 2 or more: bos and a token".formatted(window));
        }
        if (stride < 1 || stride > window - 1) {
            throw new IllegalArgumentException("stride: got %d, need 1 to %d, the tokens of a window of %d beside bos"
                    .formatted(stride, window - 1, window));
        }
        return new Windows(new Ids(tokenizer.streamingEncoder(), text), tokenizer.bosId(), window - 1, stride);
    }

    /// The next window; null where no token is left to predict.
    ///
    /// @throws IOException              if the text cannot be read
    /// @throws IllegalArgumentException if a text has millions of characters without a place to cut
    public @Nullable Window next() throws IOException {
        if (begun) {
            context = Math.max(0, count - stride);
            System.arraycopy(held, count - context, held, 0, context);
            count = context;
        }
        begun = true;
        if (source != null) {
            count += source.read(held, count);
        }
        if (count == context) {
            return null;
        }
        int[] ids = new int[count + 1];
        ids[0] = bos;
        System.arraycopy(held, 0, ids, 1, count);
        return new Window(ids, context + 1);
    }

    /// Tokens for a session to take at once.
    public static final class Window {
        private final int[] ids;
        private final int first;

        private Window(int[] ids, int first) {
            this.ids = ids;
            this.first = first;
        }

        /// All tokens, bos included; a copy.
        public int[] ids() {
            return ids.clone();
        }

        /// How many they are.
        public int length() {
            return ids.length;
        }

        /// One of them.
        public int id(int index) {
            return ids[index];
        }

        /// The index of the first token that no window before has; 1 or more. It is predicted by the logits after the
        /// token before it.
        public int first() {
            return first;
        }

        /// Tokens that no window before has.
        public int predicted() {
            return ids.length - first;
        }

        /// The tokens whose logits predict nothing that counts; often none.
        public int[] context() {
            return Arrays.copyOf(ids, first - 1);
        }

        /// The tokens behind these whose logits predict: all others but the last.
        public int[] predicting() {
            return Arrays.copyOfRange(ids, first - 1, ids.length - 1);
        }
    }

    /// The ids of a text as it is read.
    private static final class Ids {
        private final StreamingEncoder encoder;
        private final Reader text;
        private final char[] chars = new char[READ_CHARS];
        private int[] ready = {};
        private int taken;
        private boolean ended;

        Ids(StreamingEncoder encoder, Reader text) {
            this.encoder = encoder;
            this.text = text;
        }

        /// Fills `ids` from `from` on; gives how many it had.
        int read(int[] ids, int from) throws IOException {
            int at = from;
            while (at < ids.length && hasNext()) {
                int some = Math.min(ids.length - at, ready.length - taken);
                System.arraycopy(ready, taken, ids, at, some);
                taken += some;
                at += some;
            }
            return at - from;
        }

        private boolean hasNext() throws IOException {
            while (taken == ready.length && !ended) {
                int read = text.read(chars);
                ended = read < 0;
                ready = ended ? encoder.finish() : encoder.append(chars, read);
                taken = 0;
            }
            return taken < ready.length;
        }
    }
}
