package dev.lapidary.model;

import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels.RopeTable;
import dev.lapidary.kernels.Matrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a pass over `seq` rows reads and writes: views of the [Workspace], made once per `seq` so that a step makes
/// none.
final class Activations {
    /// `[seq, embedding]`, the residual stream.
    final Matrix residual;

    /// `[seq, embedding]`, a norm of the residual stream.
    final Matrix normed;

    /// `[seq, embedding]`, the output of attention or feed-forward.
    final Matrix branch;

    /// Angles of the batch's positions, to be computed once for every rope of the model.
    final List<Workspace.Angles> angles;

    private final List<Layer> layers = new ArrayList<>();

    Activations(GemmaConfig config, Workspace workspace, int seq) {
        residual = workspace.residual.rows(0, seq);
        normed = workspace.normed.rows(0, seq);
        branch = workspace.branch.rows(0, seq);
        angles = workspace.angles(seq);
        Map<LayerConfig, Layer> distinct = new HashMap<>();
        for (LayerConfig layer : config.layers()) {
            layers.add(distinct.computeIfAbsent(layer, traits -> of(traits, workspace, seq)));
        }
    }

    Layer layer(int index) {
        return layers.get(index);
    }

    /// Those of a layer of attention.
    AttentionLayer attention(int index) {
        return (AttentionLayer) layers.get(index);
    }

    /// Those of a RECURRENT layer.
    RecurrentLayer recurrence(int index) {
        return (RecurrentLayer) layers.get(index);
    }

    private static Layer of(LayerConfig traits, Workspace workspace, int seq) {
        return traits.attention() == AttentionType.RECURRENT
                ? new RecurrentLayer(traits, workspace, seq)
                : new AttentionLayer(traits, workspace, seq);
    }

    private static Matrix dense(Matrix widest, int rows, int cols) {
        return Matrix.dense(widest.data(), widest.type(), rows, cols);
    }

    /// The views whose width depends on the layer.
    abstract static sealed class Layer {
        /// `[seq, inputCols]`: what the input projection gives, its parts side by side.
        final Matrix projected;

        /// `[seq, queryCols]`, what goes into the output projection.
        final Matrix mixed;

        /// `[min(seq, rows computed at once), neurons]`.
        final Matrix gated;

        private Layer(LayerConfig traits, Workspace workspace, int seq) {
            projected = dense(workspace.projected, seq, traits.inputCols());
            mixed = dense(workspace.mixed, seq, traits.queryCols());
            gated = dense(workspace.gated, Math.min(seq, workspace.gated.rows()), traits.neurons());
        }
    }

    /// The views of a recurrent block, all `[seq, width]`.
    static final class RecurrentLayer extends Layer {
        /// Of `projected`.
        final Matrix x;

        /// Of `projected`.
        final Matrix y;

        final Matrix convolved;
        final Matrix inputGate;
        final Matrix recurrenceGate;

        private RecurrentLayer(LayerConfig traits, Workspace workspace, int seq) {
            super(traits, workspace, seq);
            int width = traits.queryCols();
            x = projected.cols(0, width);
            y = projected.cols(width, width);
            Matrix recurrent = dense(workspace.recurrent, seq, 3 * width);
            convolved = recurrent.cols(0, width);
            inputGate = recurrent.cols(width, width);
            recurrenceGate = recurrent.cols(2 * width, width);
        }
    }

    /// The views of attention.
    static final class AttentionLayer extends Layer {
        /// `[seq, heads * headDim]`, the queries among `projected`.
        final Matrix queryRows;

        final Heads queries;
        final Heads keys;
        final Heads values;

        /// `[seq, heads * headDim]`, the queries to an encoded text, in the place of `projected`.
        final Matrix crossQueryRows;

        final Heads crossQueries;

        /// Angles of the rows' positions.
        final RopeTable rope;

        private final @Nullable Matrix[] queryRow;
        private final @Nullable Matrix[] mixedRow;
        private final @Nullable Matrix[] crossQueryRow;

        private AttentionLayer(LayerConfig traits, Workspace workspace, int seq) {
            super(traits, workspace, seq);
            int queryCols = traits.queryCols();
            int kvCols = traits.kvCols();
            queryRows = projected.cols(0, queryCols);
            queries = Heads.of(queryRows, traits.headDim());
            keys = Heads.of(projected.cols(queryCols, kvCols), traits.headDim());
            values = Heads.of(projected.cols(queryCols + kvCols, kvCols), traits.headDim());
            rope = workspace.angles(traits.rope()).rows(0, seq);
            queryRow = new @Nullable Matrix[seq];
            mixedRow = new @Nullable Matrix[seq];
            crossQueryRows = dense(workspace.projected, seq, queryCols);
            crossQueries = Heads.of(crossQueryRows, traits.headDim());
            crossQueryRow = new @Nullable Matrix[traits.encoderWidth() == 0 ? 0 : seq];
        }

        /// Row `row` of `crossQueryRows`, made on first use and kept.
        Matrix crossQueryRow(int row) {
            return kept(crossQueryRow, crossQueryRows, row);
        }

        /// Row `row` of `queryRows`, made on first use and kept.
        Matrix queryRow(int row) {
            return kept(queryRow, queryRows, row);
        }

        /// Row `row` of `mixed`, made on first use and kept.
        Matrix mixedRow(int row) {
            return kept(mixedRow, mixed, row);
        }

        private static Matrix kept(@Nullable Matrix[] rows, Matrix all, int row) {
            Matrix view = rows[row];
            if (view == null) {
                view = all.row(row);
                rows[row] = view;
            }
            return view;
        }
    }
}
