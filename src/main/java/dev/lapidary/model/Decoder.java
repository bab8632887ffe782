package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Kernels.RopeTable;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.ActivationObserver.Stage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The transformer that every model of the family is, run layer by layer as its traits say. Scoring a whole sequence,
/// prefill and decoding one token are the same code. Runs on the driver thread, one batch at a time.
public final class Decoder {
    private final GemmaConfig config;
    private final Weights weights;
    private final Kernels kernels;
    private final Workspace workspace;
    private final List<TokenMixing> mixings = new ArrayList<>();
    private final List<@Nullable CrossAttention> crossings = new ArrayList<>();
    private final List<FeedForward> feedForwards = new ArrayList<>();
    private final @Nullable PerLayerInputs perLayerInputs;
    private final @Nullable AlternatingUpdates altUp;

    Decoder(GemmaConfig config, Weights weights, Kernels kernels, Workspace workspace) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        this.workspace = workspace;
        for (int i = 0; i < config.layers().size(); i++) {
            LayerWeights layer = weights.layers().get(i);
            mixings.add(new TokenMixing(i, config, layer, kernels));
            CrossAttentionWeights crossing = layer.crossAttention();
            crossings.add(crossing == null ? null : new CrossAttention(i, config, crossing, kernels));
            feedForwards.add(new FeedForward(i, config, layer, kernels));
        }
        perLayerInputs = weights.perLayer() == null ? null : new PerLayerInputs(config, weights, kernels, workspace);
        altUp = weights.altUp() == null ? null : new AlternatingUpdates(config, weights, kernels, workspace.streams);
    }

    /// Runs the batch's tokens through every layer and extends their caches.
    ///
    /// @param cancelled asked before each layer
    /// @param observer  sees the activations on the way; null for none
    /// @return the residual stream after the last layer, `[seq, embedding]`, valid until the next batch
    /// @throws CancellationException    if `cancelled` says so; the caches then hold nothing new that counts
    /// @throws IllegalStateException    if a run does not begin where the recurrent states of its cache stand, or
    ///     layers attend to an encoded text and there is none
    /// @throws IllegalArgumentException if an id is outside the vocabulary or the batch has more rows than the
    ///     workspace
    public Matrix forward(Batch batch, BooleanSupplier cancelled, @Nullable ActivationObserver observer) {
        int seq = batch.rows();
        if (seq > workspace.maxRows()) {
            throw new IllegalArgumentException(
                    "batch: got %d rows, need at most %d".formatted(seq, workspace.maxRows()));
        }
        kernels.prepare();
        load(batch);
        Activations activations = workspace.activations(seq);
        for (int i = 0; i < activations.angles.size(); i++) {
            Workspace.Angles each = activations.angles.get(i);
            RopeTable table = each.table();
            kernels.ropeTable(each.inverseFrequencies(), workspace.positions, table.cos(), table.sin());
        }
        kernels.embed(weights.embedding(), workspace.ids, config.embeddingScale(), activations.residual);
        insertSoftTokens(batch, activations.residual);
        observe(observer, -1, Stage.RESIDUAL, activations.residual);
        if (perLayerInputs != null) {
            perLayerInputs.prepare(workspace.ids, activations);
        }
        if (altUp != null) {
            altUp.enter(activations);
        }
        for (int i = 0; i < mixings.size(); i++) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("cancelled before layer " + i);
            }
            forward(i, batch, activations, observer);
            observe(observer, i, Stage.RESIDUAL, activations.residual);
        }
        if (altUp != null) {
            altUp.leave(activations);
        }
        for (int i = 0; i < batch.runs(); i++) {
            Batch.Run run = batch.run(i);
            run.cache().commit(run.position() + run.rows());
        }
        return activations.residual;
    }

    /// A residual stream after the last layer through the norm behind it: what a token means.
    ///
    /// @param residual `[seq, embedding]`, of [#forward]
    /// @return `[seq, embedding]`, the caller's to write to, valid until the next batch
    public Matrix normed(Matrix residual) {
        kernels.prepare();
        Matrix normed = workspace.activations(residual.rows()).normed;
        kernels.rmsNorm(residual, weights.finalNorm(), config.normEpsilon(), normed);
        return normed;
    }

    private void forward(int layer, Batch batch, Activations activations, @Nullable ActivationObserver observer) {
        if (altUp != null) {
            altUp.predict(layer, activations);
        }
        mixings.get(layer).forward(batch, activations, workspace.attention, observer);
        CrossAttention crossing = crossings.get(layer);
        if (crossing != null) {
            crossing.forward(batch, activations, workspace.attention, observer);
        }
        feedForwards.get(layer).forward(activations, workspace.experts, observer);
        if (altUp != null) {
            altUp.correct(layer, activations);
        }
        if (perLayerInputs != null) {
            perLayerInputs.forward(layer, activations);
        }
        if (config.layers().get(layer).scaledOutput()) {
            kernels.scale(weights.layers().get(layer).outputScale(), activations.residual);
        }
    }

    /// Logits of up to [#maxLogitRows] rows of a residual stream after the last layer.
    ///
    /// @param residual `[count, embedding]`, of [#forward] or a copy of it
    /// @return `[count, vocab]`, valid until the next call
    public Matrix logits(Matrix residual) {
        int count = residual.rows();
        if (count > maxLogitRows()) {
            throw new IllegalArgumentException("logits: got %d rows, need at most %d".formatted(count, maxLogitRows()));
        }
        kernels.prepare();
        Workspace.Logits views = workspace.logits(count);
        kernels.rmsNorm(residual, weights.finalNorm(), config.normEpsilon(), views.normed());
        kernels.project(views.normed(), weights.head(), views.logits());
        if (config.finalSoftcap() > 0) {
            kernels.softcap(views.logits(), config.finalSoftcap());
        }
        return views.logits();
    }

    /// Most rows that [#logits] gives at once; 0 where tokens see those that follow, so that none is predicted.
    public int maxLogitRows() {
        return workspace.logits.rows();
    }

    private void load(Batch batch) {
        for (int j = 0; j < batch.runs(); j++) {
            Batch.Run run = batch.run(j);
            if (config.bidirectional() && run.position() != 0) {
                throw new IllegalArgumentException(
                        "batch: got tokens from position %d on, need the whole sequence, whose tokens all see one another"
                                .formatted(run.position()));
            }
            run.cache().begin(run.position());
            MemorySegment.copy(
                    run.ids(),
                    run.from(),
                    workspace.ids,
                    ValueLayout.JAVA_INT,
                    (long) run.row() * Integer.BYTES,
                    run.rows());
            for (int i = 0; i < run.rows(); i++) {
                workspace.positions.setAtIndex(ValueLayout.JAVA_INT, run.row() + (long) i, run.position() + i);
            }
        }
    }

    /// Puts soft tokens where image tokens were embedded: as they are, not scaled as those of the table.
    private static void insertSoftTokens(Batch batch, Matrix residual) {
        for (int j = 0; j < batch.runs(); j++) {
            Batch.Run run = batch.run(j);
            List<Inserts.SoftTokens> all = run.softTokens();
            for (int i = 0; i < all.size(); i++) {
                Inserts.SoftTokens soft = all.get(i);
                int begin = Math.max(soft.position(), run.position());
                int count = Math.min(soft.end(), run.position() + run.rows()) - begin;
                if (count > 0) {
                    int cols = residual.cols();
                    Matrix rows = residual.rows(run.row() + begin - run.position(), count);
                    int from = soft.from() + (begin - soft.position()) * cols;
                    MemorySegment.copy(soft.values(), from, rows.data(), ValueLayout.JAVA_FLOAT, 0, count * cols);
                }
            }
        }
    }

    static void observe(@Nullable ActivationObserver observer, int layer, Stage stage, Matrix activation) {
        if (observer != null) {
            observer.observe(layer, stage, activation);
        }
    }
}
