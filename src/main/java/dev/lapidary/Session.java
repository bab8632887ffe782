package dev.lapidary;

import dev.lapidary.model.ActivationObserver;
import dev.lapidary.tokenizer.Chat;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// One sequence being extended: its tokens, and the keys and values computed for them.
///
/// For one thread at a time, not always the same: a second thread that calls while one is inside gets an
/// `IllegalStateException`, and so does a callback that calls its own session; only [#cancel] may be called from
/// anywhere. Different sessions may be used from many threads, virtual ones included; their work is computed in turns.
public final class Session implements AutoCloseable {
    private final Gemma gemma;
    private final Sequence sequence;
    private final AtomicReference<@Nullable Thread> user = new AtomicReference<>();
    private volatile boolean cancelled;
    private boolean closed;
    private @Nullable Generator stepping;

    Session(Gemma gemma, Sequence sequence) {
        this.gemma = gemma;
        this.sequence = sequence;
    }

    /// Encodes the text that the session's tokens attend to, in the place of one before, with bos in front unless the
    /// checkpoint's `tokenizer_config.json` says otherwise. The session then takes the decoder's tokens, of which
    /// [Gemma#bosToken] is the first.
    ///
    /// @throws IllegalStateException if the checkpoint has no tokenizer, and as for [#encode(int...)]
    /// @throws UncheckedIOException  if `tokenizer_config.json` cannot be read
    /// @throws CancellationException as for [#encode(int...)]
    public void encode(String text) {
        encode(gemma.encoderIds(text));
    }

    /// As [#encode(String)], of a text given as ids, which are taken exactly as they are.
    ///
    /// @throws IllegalArgumentException if there is no id, one is outside the vocabulary, or there are more than
    ///                                  positions in the encoder
    /// @throws IllegalStateException    if the model has no encoder, or the session holds tokens already, is closed
    ///                                  or in use
    /// @throws OutOfMemoryError         if the encoded text does not fit the memory that is available
    /// @throws CancellationException    after [#cancel] or an interrupt; the session is as before
    public void encode(int... ids) {
        use(() -> sequence.encode(gemma.requireEncoder(), ids, this::stopRequested));
    }

    /// Appends text and computes it. The first text of a session gets the bos token in front.
    ///
    /// @throws IllegalStateException if the checkpoint has no tokenizer, or the session is full, closed or in use
    /// @throws CancellationException after [#cancel] or an interrupt; the tokens are appended, and computed by the
    ///     next call
    public void append(String text) {
        append(
                position() == 0 || gemma.areImages(ids())
                        ? gemma.tokenizer().encodePrompt(text)
                        : gemma.tokenizer().encode(text));
    }

    /// Appends tokens exactly as given and computes them. Where a model's prompt sees itself in both directions, as
    /// PaliGemma's, all that is appended before the first token generated is the prompt, and read again as it
    /// grows.
    ///
    /// @throws IllegalArgumentException if an id is outside the vocabulary
    /// @throws IllegalStateException    if they do not fit (with the numbers), or the session is closed or in use
    /// @throws CancellationException    after [#cancel] or an interrupt; the tokens are appended, and computed by
    ///                                  the next call
    public void append(int... ids) {
        append(ids, null, null, null);
    }

    /// Appends a picture as the reference's processor would write it into the prompt, and computes it.
    ///
    /// @throws IllegalStateException if the checkpoint has no vision tower or no tokenizer, and as for
    ///     [#append(int...)]
    /// @throws CancellationException as for [#append(int...)]
    public void append(Image image) {
        SoftTokens soft = gemma.softTokens(gemma.pixels(List.of(image)));
        append(gemma.imageIds(position() == 0, image), soft);
    }

    /// Appends tokens exactly as given, soft tokens in the place of the image tokens among them, and computes them.
    ///
    /// @throws IllegalArgumentException if an id is outside the vocabulary, or the image tokens are not as many as
    ///                                  those of `images`
    /// @throws IllegalStateException    as for [#append(int...)]
    /// @throws CancellationException    as for [#append(int...)]
    public void append(int[] ids, SoftTokens images) {
        append(ids, images, null, null);
    }

    /// As [#append(int[], SoftTokens)], and shows `consumer` the logits of every token computed, on the calling
    /// thread.
    public void append(int[] ids, SoftTokens images, LogitsConsumer consumer) {
        append(ids, images, consumer, null);
    }

    private void append(
            int[] ids,
            @Nullable SoftTokens images,
            @Nullable LogitsConsumer consumer,
            @Nullable ActivationObserver observer) {
        use(() -> {
            sequence.appendPrompt(ids, images);
            sequence.evaluate(this::stopRequested, consumer, observer);
        });
    }

    /// Appends what the session does not hold yet of a conversation: the first time all of it, later the new turns.
    ///
    /// @throws IllegalArgumentException if the conversation does not begin with what the session holds
    /// @throws IllegalStateException    if it does not end with the user's turn, or as for [#append(int...)]
    public void append(Chat chat) {
        append(chat.idsAfter(ids()));
    }

    /// As [#append(Chat)], with the images of the turns that the session does not hold yet.
    ///
    /// @throws IllegalArgumentException also if the images are not those that the turns were told of
    public void append(Chat chat, List<Image> images) {
        append(chat.idsAfter(ids()), gemma.softTokens(gemma.pixels(images)));
    }

    /// As [#append(int...)], and shows `consumer` the logits of every token computed, on the calling thread.
    public void append(int[] ids, LogitsConsumer consumer) {
        append(ids, null, consumer, null);
    }

    /// As [#append(int...)], with activations shown to `observer`.
    void append(int[] ids, ActivationObserver observer) {
        append(ids, null, null, observer);
    }

    /// As [#append(int...)] on an empty session, in no time: all but the last are not computed, and what they leave
    /// for the tokens after them means nothing.
    void assume(int... ids) {
        use(() -> sequence.assume(ids));
    }

    /// Generates one token. Calls with an equal `sampling` continue one stream of random numbers;
    /// [Sampling#maxTokens] and stop conditions are for the caller to look at: the text has stop strings as any
    /// other.
    ///
    /// @throws IllegalStateException if nothing was appended yet, or the session is full, closed or in use
    public Token next(Sampling sampling) {
        return useFor(() -> {
            Generator generator = stepping;
            if (generator == null || !generator.continues(sampling)) {
                generator = new Generator(gemma, sequence, sampling, List.of(), this::stopRequested);
                stepping = generator;
            }
            return generator.step();
        });
    }

    /// Generates until a stop condition holds, and hands each token to `onToken` as soon as it is known.
    ///
    /// [#cancel] from another thread, or an interrupt of this one, ends it after the token at hand.
    ///
    /// @throws IllegalStateException if nothing was appended yet, or the session is closed or in use
    public Generation generate(Sampling sampling, Consumer<Token> onToken) {
        return useFor(() -> {
            Generator generator = generator(sampling);
            for (Token token = generator.next(); token != null; token = generator.next()) {
                onToken.accept(token);
            }
            return generator.generation();
        });
    }

    /// As [#generate(Sampling, Consumer)], without watching.
    public Generation generate(Sampling sampling) {
        return generate(sampling, token -> {});
    }

    /// Generates lazily: each token is computed when the stream is asked for it. Closing the stream, or no longer
    /// asking, leaves the session after the last token taken.
    public Stream<Token> stream(Sampling sampling) {
        Generator generator = useFor(() -> generator(sampling));
        Spliterator<Token> tokens =
                new Spliterators.AbstractSpliterator<>(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL) {
                    @Override
                    public boolean tryAdvance(Consumer<? super Token> action) {
                        Token token = useFor(generator::next);
                        if (token != null) {
                            action.accept(token);
                        }
                        return token != null;
                    }
                };
        return StreamSupport.stream(tokens, false);
    }

    /// Ends the call that is running in another thread, if one is: a generation after the token at hand, a prompt
    /// before the layer at hand.
    public void cancel() {
        cancelled = true;
    }

    /// Logits `[vocab]` after the last token, a copy.
    ///
    /// @throws IllegalStateException if nothing was appended yet, or the session is closed or in use
    public float[] logits() {
        return useFor(() -> {
            if (sequence.length() == 0) {
                throw new IllegalStateException("session: got no token, need a prompt appended first");
            }
            sequence.evaluate(this::stopRequested, null, null);
            return sequence.logits().clone();
        });
    }

    /// Goes back to `position`: forgets every token from there on. What was computed for the tokens before is kept,
    /// unless the session has gone so far beyond that a sliding window has overwritten it; then they are computed
    /// again.
    ///
    /// @throws IllegalArgumentException if `position` is negative or beyond [#position]
    public void rewind(int position) {
        use(() -> {
            sequence.rewind(position);
            stepping = null;
        });
    }

    /// An independent session with the same tokens, keys and values: a shared prompt is computed once.
    ///
    /// @throws OutOfMemoryError if there is no memory for a second cache
    public Session fork() {
        return useFor(() -> {
            gemma.requireMemory(Capacity.tokens(capacity()));
            return new Session(gemma, sequence.fork());
        });
    }

    /// Tokens in the session.
    public int position() {
        return sequence.length();
    }

    /// Tokens the session can hold.
    public int capacity() {
        return sequence.capacity();
    }

    /// The tokens, a copy.
    public int[] ids() {
        return useFor(sequence::ids);
    }

    /// Frees keys and values. Further calls throw `IllegalStateException`, but for this one, which then does
    /// nothing.
    ///
    /// @throws IllegalStateException if another thread is inside the session: cancel and await it first
    @Override
    public void close() {
        exclusively(() -> {
            if (!closed) {
                sequence.close();
                closed = true;
            }
            return closed;
        });
    }

    private Generator generator(Sampling sampling) {
        return new Generator(gemma, sequence, sampling, sampling.stopStrings(), this::stopRequested);
    }

    private boolean stopRequested() {
        Thread thread = user.get();
        return cancelled || (thread != null && thread.isInterrupted());
    }

    private void use(Runnable work) {
        useFor(() -> {
            work.run();
            return Boolean.TRUE;
        });
    }

    /// Runs `work` on an open session of an open model while no other thread is inside.
    private <T extends @Nullable Object> T useFor(Supplier<T> work) {
        return exclusively(() -> {
            if (closed) {
                throw new IllegalStateException("session: it is closed");
            }
            gemma.requireOpen();
            cancelled = false;
            return work.get();
        });
    }

    private <T extends @Nullable Object> T exclusively(Supplier<T> work) {
        if (!user.compareAndSet(null, Thread.currentThread())) {
            throw new IllegalStateException(
                    "session: got a call from %s while another is running, need one thread at a time"
                            .formatted(Thread.currentThread().getName()));
        }
        try {
            return work.get();
        } finally {
            user.set(null);
        }
    }
}
