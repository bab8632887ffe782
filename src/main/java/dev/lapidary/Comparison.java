package dev.lapidary;

import dev.lapidary.tokenizer.Tokenizer;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.function.IntConsumer;

/// How far a model's predictions are from those of a reference on the same tokens: the way to judge a weight format,
/// with the same checkpoint as it is stored for a reference.
///
/// ```java
/// try (Comparison comparison = Comparison.of(quantized, original, Capacity.tokens(512))) {
///     Windows windows = Windows.of(original.tokenizer(), text, 512, 256);
///     for (Windows.Window window = windows.next(); window != null; window = windows.next()) {
///         comparison.add(window);
///     }
///     System.out.println(comparison.meanDivergence());
/// }
/// ```
///
/// Divergences are those of Kullback and Leibler, in nats, of the reference's distribution from the model's:
/// the sum over the vocabulary of `p(reference) * log(p(reference) / p(model))`, as llama.cpp's `--kl-divergence`
/// has it with the reference as its base. Logits of both models exist for a few tokens at a time, so memory depends
/// neither on the window nor on the text, but for 8 bytes a token that percentiles need.
///
/// For one thread at a time. The models stay the caller's to close, after this.
public final class Comparison implements AutoCloseable {
    private final Gemma model;
    private final Gemma reference;
    private final Sequence sequence;
    private final Sequence referenceSequence;
    private final float[] logits;
    private final float[] referenceLogits;
    private final PredictionDifferences differences = new PredictionDifferences();
    private boolean closed;

    private Comparison(Gemma model, Gemma reference, Capacity window) {
        this.model = model;
        this.reference = reference;
        sequence = model.newSequence(window);
        try {
            referenceSequence = reference.newSequence(window);
        } catch (RuntimeException | Error e) {
            sequence.close();
            throw e;
        }
        logits = new float[model.vocab()];
        referenceLogits = new float[reference.vocab()];
    }

    /// A comparison of two open models, which may be the same.
    ///
    /// @param window room for the longest window
    /// @throws IllegalArgumentException if their vocabularies differ, a prompt of one sees itself in both
    ///                                  directions, or it has fewer positions
    /// @throws OutOfMemoryError         if keys and values of both do not fit the memory that is available, with
    ///                                  the plans
    public static Comparison of(Gemma model, Gemma reference, Capacity window) {
        requireSameVocabulary(model, reference);
        for (Gemma one : new Gemma[] {model, reference}) {
            if (one.hasBidirectionalPrompt()) {
                throw new IllegalArgumentException(
                        "%s: got a model whose prompt sees itself, need one that reads forward"
                                .formatted(one.source()));
            }
        }
        MemoryPlan plan = model.memoryPlan(window);
        MemoryPlan referencePlan = reference.memoryPlan(window);
        AvailableMemory.require(
                "comparison",
                plan.kvCacheBytes() + referencePlan.kvCacheBytes(),
                "%s for the model and %s for the reference".formatted(plan, referencePlan));
        return new Comparison(model, reference, window);
    }

    private static void requireSameVocabulary(Gemma model, Gemma reference) {
        if (model.vocab() != reference.vocab()) {
            throw new IllegalArgumentException("vocabulary: got %d tokens in %s and %d in %s, need the same"
                    .formatted(model.vocab(), model.source(), reference.vocab(), reference.source()));
        }
        if (!model.hasTokenizer() || !reference.hasTokenizer()) {
            return;
        }
        Tokenizer ours = model.tokenizer();
        Tokenizer theirs = reference.tokenizer();
        OptionalInt difference = ours.firstDifference(theirs);
        if (difference.isPresent()) {
            int id = difference.getAsInt();
            throw new IllegalArgumentException("tokenizer: got %s for token %d in %s and %s in %s, need the same"
                    .formatted(piece(ours, id), id, model.source(), piece(theirs, id), reference.source()));
        }
    }

    private static String piece(Tokenizer tokenizer, int id) {
        return id < tokenizer.vocabSize() ? "\"%s\"".formatted(tokenizer.piece(id)) : "none";
    }

    /// Computes a window's tokens with both models and adds the predictions of those that no window before had.
    ///
    /// @throws IllegalArgumentException if an id is outside the vocabulary
    /// @throws IllegalStateException    if the window is longer than the room for it, or this or a model is closed
    /// @throws CancellationException    after an interrupt
    public void add(Windows.Window window) {
        add(window, _ -> {});
    }

    /// As [#add(Windows.Window)], telling how many of the window's predictions are done after each.
    public void add(Windows.Window window, IntConsumer onPrediction) {
        if (closed) {
            throw new IllegalStateException("comparison: it is closed");
        }
        model.requireOpen();
        reference.requireOpen();
        begin(sequence, window);
        begin(referenceSequence, window);
        int index = window.first();
        while (index < window.length()) {
            int some = Math.min(window.length() - index, Math.min(sequence.chunk(), referenceSequence.chunk()));
            try (LogitRows rows = nextRows(sequence, some);
                    LogitRows referenceRows = nextRows(referenceSequence, some)) {
                for (int row = 0; row < some; row++) {
                    rows.read(row, logits);
                    referenceRows.read(row, referenceLogits);
                    differences.add(window.id(index), logits, referenceLogits);
                    index++;
                    onPrediction.accept(index - window.first());
                }
                sequence.advance(rows);
                referenceSequence.advance(referenceRows);
            }
        }
    }

    private static void begin(Sequence sequence, Windows.Window window) {
        sequence.rewind(0);
        sequence.append(window.context());
        sequence.evaluate(Comparison::isInterrupted, null, null);
        sequence.append(window.predicting());
    }

    private static LogitRows nextRows(Sequence sequence, int count) {
        return sequence.nextRows(count, Comparison::isInterrupted, null);
    }

    private static boolean isInterrupted() {
        return Thread.currentThread().isInterrupted();
    }

    /// Tokens predicted.
    public int tokens() {
        return differences.count();
    }

    /// How unlikely the text is under the model: e to the mean of its tokens' negative log-probabilities. NaN
    /// before the first token, as all that follows.
    public double perplexity() {
        return Math.exp(differences.natsPerToken());
    }

    /// The same under the reference.
    public double referencePerplexity() {
        return Math.exp(differences.referenceNatsPerToken());
    }

    /// The model's perplexity over the reference's: above 1 where the model is worse.
    public double perplexityRatio() {
        return Math.exp(differences.natsPerToken() - differences.referenceNatsPerToken());
    }

    /// Mean divergence, in nats; 0 for equal predictions.
    public double meanDivergence() {
        return differences.meanDivergence();
    }

    /// The divergence that a share of the tokens does not exceed, between two neighbours by linear interpolation:
    /// of 0.99 the 99th percentile, of 1 the largest.
    ///
    /// @throws IllegalArgumentException unless `share` is 0 to 1
    public double divergence(double share) {
        return differences.divergence(share);
    }

    /// Share of the tokens for which both models expect the same one most, 0 to 1.
    public double agreement() {
        return differences.agreement();
    }

    /// Frees the keys and values of both.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            sequence.close();
            referenceSequence.close();
        }
    }
}
