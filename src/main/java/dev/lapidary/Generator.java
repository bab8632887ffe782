package dev.lapidary;

import dev.lapidary.sampler.Sampler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A running generation: picks tokens, makes text of them, and knows when to stop.
final class Generator {
    private final Sequence sequence;
    private final Sampling sampling;
    private final BooleanSupplier cancelled;
    private final Sampler sampler;
    private final TextStream text;
    private final Set<Integer> stopTokens;
    private final List<Token> tokens = new ArrayList<>();
    private final StringBuilder allText = new StringBuilder();
    private final long startNanos = System.nanoTime();
    private long endNanos = startNanos;
    private int position;
    private int stopToken = -1;
    private @Nullable FinishReason finished;

    /// @param stopStrings those of `sampling`, or none where the caller looks at stop conditions
    Generator(Gemma gemma, Sequence sequence, Sampling sampling, List<String> stopStrings, BooleanSupplier cancelled) {
        this.sequence = sequence;
        this.sampling = sampling;
        this.cancelled = cancelled;
        sampler = new Sampler(sampling.picking());
        text = new TextStream(gemma.hasTokenizer() ? gemma.tokenizer() : null, stopStrings);
        stopTokens = new HashSet<>(sampling.stopTokens());
        if (!sampling.ignoreStopTokens()) {
            stopTokens.addAll(gemma.stopTokens());
        }
        position = sequence.length();
        for (int id : sequence.ids()) {
            sampler.accept(id);
        }
    }

    /// Whether this generates with `options` and nothing was appended by somebody else since its last token.
    boolean continues(Sampling options) {
        return sampling.equals(options) && position == sequence.length();
    }

    /// The next token, or null once a stop condition holds.
    @Nullable
    Token next() {
        if (finished != null) {
            return null;
        }
        try {
            if (tokens.size() >= sampling.maxTokens()) {
                return finish(FinishReason.MAX_TOKENS);
            }
            if (sequence.length() == sequence.capacity()) {
                return finish(FinishReason.CAPACITY);
            }
            int id = pick();
            if (stopTokens.contains(id)) {
                stopToken = id;
                return finish(FinishReason.STOP);
            }
            Token token = accept(id);
            if (text.stopped()) {
                finished = FinishReason.STOP;
            }
            return token;
        } catch (CancellationException e) {
            return finish(FinishReason.CANCELLED);
        }
    }

    /// The next token, whatever the stop conditions say.
    Token step() {
        return accept(pick());
    }

    /// What was generated; ends the generation if no stop condition has.
    Generation generation() {
        String tail = text.finish();
        return new Generation(
                tokens, allText + tail, tail, finishReason(), stopToken, Duration.ofNanos(endNanos - startNanos));
    }

    private FinishReason finishReason() {
        return finished == null ? FinishReason.CANCELLED : finished;
    }

    private @Nullable Token finish(FinishReason reason) {
        finished = reason;
        return null;
    }

    private int pick() {
        if (sequence.length() == 0) {
            throw new IllegalStateException("session: got nothing to continue, need a prompt appended first");
        }
        sequence.evaluate(cancelled, null, null);
        return sampler.sample(
                sampling.picking().repetitionPenalty() == 1
                        ? sequence.logits()
                        : sequence.logits().clone());
    }

    private Token accept(int id) {
        double logProbability =
                sampling.logProbabilities() ? Sampler.logProbability(sequence.logits(), id) : Double.NaN;
        Token token = new Token(id, text.append(id), position, logProbability);
        sequence.append(id);
        sampler.accept(id);
        position++;
        tokens.add(token);
        allText.append(token.text());
        endNanos = System.nanoTime();
        return token;
    }
}
