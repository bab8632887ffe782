package dev.lapidary;

import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.PageMemory;
import dev.lapidary.model.ActivationObserver;
import dev.lapidary.model.Batch;
import dev.lapidary.model.EncodedText;
import dev.lapidary.model.Inserts;
import dev.lapidary.model.KvCache;
import dev.lapidary.model.TextEncoder;
import dev.lapidary.model.TextModel;
import dev.lapidary.vision.VisionConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The tokens of a session, the keys and values computed for them, and the logits after the last one. What is appended
/// is computed by [#evaluate], which may be cut short and goes on where it was.
final class Sequence implements AutoCloseable {
    private final TextModel model;
    private final @Nullable VisionConfig vision;
    private final int chunk;
    private final Arena arena = Arena.ofShared();
    private final KvCache cache;
    private final float[] logits;
    private final Batch batch = new Batch();
    private final Step step = new Step();
    private int[] ids = new int[64];
    private int length;
    private int evaluated;
    private Inserts inserts = Inserts.NONE;
    private @Nullable EncodedText encoded;

    /// One past the newest position ever stored: what a ring has overwritten follows from it.
    private int newest;

    /// @param vision the image side of the model; null where it has none
    /// @param chunk  most tokens computed at once, but for those that must be
    Sequence(TextModel model, @Nullable VisionConfig vision, int chunk, int capacity) {
        this.model = model;
        this.vision = vision;
        this.chunk = chunk;
        cache = model.newCache(capacity, new PageMemory(arena));
        logits = new float[model.config().vocab()];
    }

    /// Encodes the text that the sequence attends to, in the place of one before; its first token is still to come.
    void encode(TextEncoder encoder, int[] text, BooleanSupplier cancelled) {
        if (length > 0) {
            throw new IllegalStateException(
                    "session: got a text to encode at position %d, need it before the first token".formatted(length));
        }
        encoder.requireText(text);
        long bytes = Math.addExact(encoder.encodedBytes(text.length), encoder.passBytes(text.length));
        AvailableMemory.require(
                "text of %d tokens to encode".formatted(text.length), bytes, MemoryPlan.mebibytes(bytes));
        onDriver(cancelled, stop -> attendTo(encoder.encode(text, stop)));
    }

    private void attendTo(EncodedText text) {
        EncodedText before = encoded;
        encoded = text;
        cache.attendTo(text);
        if (before != null) {
            before.release();
        }
    }

    int length() {
        return length;
    }

    int capacity() {
        return cache.capacity();
    }

    /// Most tokens computed at once.
    int chunk() {
        return chunk;
    }

    int[] ids() {
        return Arrays.copyOf(ids, length);
    }

    /// Logits after the last token, which is evaluated; reused by the next evaluation.
    float[] logits() {
        return logits;
    }

    /// Appends what the model is to read, not what it has said: where prompts see themselves in both directions, up
    /// to the first token of an answer, what was read before is computed again with it.
    ///
    /// @param images in the place of the image tokens; null for none
    void appendPrompt(int[] tokens, @Nullable SoftTokens images) {
        if (model.config().encoderWidth() > 0 && encoded == null) {
            throw new IllegalStateException("session: got tokens, need a text encoded first: the model attends to it");
        }
        Inserts next = inserts;
        if (images != null) {
            next = ImagePlaces.insert(inserts, requireVision(), length, tokens, images);
        }
        boolean grows = vision != null && vision.prefix() && prefixEnd() == length;
        if (grows) {
            int prefix = length + tokens.length;
            if (prefix > model.chunk()) {
                throw new IllegalArgumentException(
                        "prompt: got %d tokens that see one another, need at most %d, an image and a chunk"
                                .formatted(prefix, model.chunk()));
            }
            next = next.withPrefix(prefix);
        }
        append(tokens);
        inserts = next;
        if (grows) {
            restart();
        }
    }

    private VisionConfig requireVision() {
        if (vision == null) {
            throw new IllegalArgumentException("images: got some, need a model with a vision tower");
        }
        return vision;
    }

    /// One past the last token that sees the whole prompt; 0 where there is none.
    private int prefixEnd() {
        return length == 0 || inserts.spans().isEmpty() ? 0 : inserts.end(0);
    }

    private void restart() {
        evaluated = 0;
        newest = 0;
    }

    void append(int... tokens) {
        if (tokens.length > capacity() - length) {
            throw new IllegalStateException(
                    "KV cache: %d tokens at position %d, capacity %d".formatted(tokens.length, length, capacity()));
        }
        int vocab = model.config().vocab();
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= vocab) {
                throw new IllegalArgumentException("ids[%d]: got %d, need 0 to %d".formatted(i, tokens[i], vocab - 1));
            }
        }
        if (ids.length < length + tokens.length) {
            ids = Arrays.copyOf(ids, Math.max(length + tokens.length, Math.min(2 * ids.length, capacity())));
        }
        System.arraycopy(tokens, 0, ids, length, tokens.length);
        length += tokens.length;
    }

    /// Appends one token.
    void append(int token) {
        if (length == capacity() || token < 0 || token >= model.config().vocab() || ids.length == length) {
            append(new int[] {token}); // which refuses it, or makes room
        } else {
            ids[length] = token;
            length++;
        }
    }

    /// Appends `tokens` to an empty sequence as if all but the last were computed: their keys and values are
    /// stand-ins.
    void assume(int... tokens) {
        append(tokens);
        cache.fill(length);
        evaluated = length - 1;
        newest = length;
    }

    /// Computes what has been appended and not computed yet.
    ///
    /// @param cancelled asked before each layer; if it says so, `CancellationException`
    /// @param consumer  sees the logits of every token computed, on the calling thread; null for none
    /// @param observer  sees activations, on the driver thread; null for none
    void evaluate(BooleanSupplier cancelled, @Nullable LogitsConsumer consumer, @Nullable ActivationObserver observer) {
        while (evaluated < length) {
            if (consumer == null) {
                int count = inserts.passEnd(evaluated, Math.min(evaluated + chunk, length)) - evaluated;
                newest = Math.max(newest, evaluated + count);
                step.run(count, cancelled, observer);
                evaluated += count;
            } else {
                evaluateShowing(cancelled, consumer, observer);
            }
        }
    }

    /// Forgets the tokens from `position` on. Evaluates from further back, at worst from the beginning, where a
    /// ring has overwritten what is needed.
    void rewind(int position) {
        if (position < 0 || position > length) {
            throw new IllegalArgumentException("rewind: got position %d, need 0 to %d".formatted(position, length));
        }
        if (position == length) {
            return;
        }
        inserts = inserts.cut(position);
        length = position;
        // The last token is evaluated again, for its logits.
        int reusable = inserts.begin(Math.min(evaluated, Math.max(0, position - 1)));
        if (cache.canRewind(model.config(), newest, reusable)) {
            evaluated = reusable;
        } else {
            restart();
        }
    }

    /// An independent copy.
    Sequence fork() {
        Sequence fork = new Sequence(model, vision, chunk, capacity());
        fork.cache.copyFrom(cache, evaluated);
        if (encoded != null) {
            fork.attendTo(encoded.share());
        }
        fork.ids = ids.clone();
        fork.length = length;
        fork.inserts = inserts;
        fork.evaluated = evaluated;
        fork.newest = newest;
        System.arraycopy(logits, 0, fork.logits, 0, logits.length);
        return fork;
    }

    @Override
    public void close() {
        arena.close();
        if (encoded != null) {
            encoded.release();
            encoded = null;
        }
    }

    /// Runs `work` on the driver thread and stops it for an interrupt of this thread too.
    private static void onDriver(BooleanSupplier cancelled, Consumer<BooleanSupplier> work) {
        AtomicBoolean interrupted = new AtomicBoolean();
        DriverThread.run(
                () -> work.accept(() -> interrupted.get() || cancelled.getAsBoolean()), () -> interrupted.set(true));
    }

    private Matrix forward(int count, BooleanSupplier cancelled, @Nullable ActivationObserver observer) {
        batch.clear().add(cache, evaluated, ids, evaluated, count, inserts);
        return model.decoder().forward(batch, cancelled, observer);
    }

    private void lastLogits(Matrix residual) {
        Matrix last = model.decoder().logits(residual.row(residual.rows() - 1));
        MemorySegment.copy(last.data(), ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
    }

    /// Computes the next tokens appended, at most `most` and a chunk of them, for logits that are read row by row.
    /// Once they were, [#advance] goes on behind these tokens.
    LogitRows nextRows(int most, BooleanSupplier cancelled, @Nullable ActivationObserver observer) {
        int count = inserts.passEnd(evaluated, Math.min(evaluated + Math.min(most, chunk), length)) - evaluated;
        newest = Math.max(newest, evaluated + count);
        LogitRows rows = new LogitRows(model, count);
        try {
            onDriver(cancelled, stop -> rows.take(forward(count, stop, observer)));
        } catch (RuntimeException | Error e) {
            rows.close();
            throw e;
        }
        return rows;
    }

    /// Goes on behind the rows that were read.
    void advance(LogitRows rows) {
        evaluated += rows.count();
    }

    /// As without a consumer, which runs on this thread with other sequences' batches in between.
    private void evaluateShowing(
            BooleanSupplier cancelled, LogitsConsumer consumer, @Nullable ActivationObserver observer) {
        try (LogitRows rows = nextRows(chunk, cancelled, observer)) {
            for (int row = 0; row < rows.count(); row++) {
                rows.read(row, logits);
                consumer.accept(evaluated + row, logits);
            }
            advance(rows);
        }
    }

    /// Computes a chunk and the logits of its last token, allocating nothing.
    private final class Step implements Runnable, BooleanSupplier {
        @SuppressWarnings("UnnecessaryLambda") // a method reference would be made anew for every token
        private final Runnable onInterrupt = () -> interrupted = true;

        private int count;
        private @Nullable BooleanSupplier cancelled;
        private @Nullable ActivationObserver observer;
        private volatile boolean interrupted;

        /// Hands the next `tokens` over to the driver thread, and stops for an interrupt of this thread too.
        void run(int tokens, BooleanSupplier stop, @Nullable ActivationObserver watching) {
            count = tokens;
            cancelled = stop;
            observer = watching;
            interrupted = false;
            DriverThread.run(this, onInterrupt);
        }

        @Override
        public void run() {
            lastLogits(forward(count, this, observer));
        }

        /// Whether to stop.
        @Override
        public boolean getAsBoolean() {
            return interrupted || (cancelled != null && cancelled.getAsBoolean());
        }
    }
}
