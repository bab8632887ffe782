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
            layers.add(distinct.computeIfAbsent(layer, traits -> new Layer(traits, workspace, seq)));
        }
    }

    Layer layer(int index) {
        return layers.get(index);
    }

    /// The views whose width depends on the layer.
    static final class Layer {
        /// `[seq, (heads + 2 kvHeads) * headDim]`: queries, keys and values side by side.
        final Matrix projected;

        /// `[seq, heads * headDim]`, the queries among `projected`.
        final Matrix queryRows;

        final Heads queries;
        final Heads keys;
        final Heads values;

        /// `[seq, heads * headDim]`, the attention's output.
        final Matrix attended;

        /// `[seq, neurons]`.
        final Matrix gated;

        /// `[seq, neurons]`.
        final Matrix up;

        /// Angles of the rows' positions.
        final RopeTable rope;

        private final @Nullable Matrix[] queryRow;
        private final @Nullable Matrix[] attendedRow;

        Layer(LayerConfig traits, Workspace workspace, int seq) {
            int queryCols = traits.queryCols();
            int kvCols = traits.kvCols();
            projected = dense(workspace.projected, seq, queryCols + 2 * kvCols);
            queryRows = projected.cols(0, queryCols);
            queries = Heads.of(queryRows, traits.headDim());
            keys = Heads.of(projected.cols(queryCols, kvCols), traits.headDim());
            values = Heads.of(projected.cols(queryCols + kvCols, kvCols), traits.headDim());
            attended = dense(workspace.attended, seq, queryCols);
            gated = dense(workspace.gated, seq, traits.neurons());
            up = dense(workspace.up, seq, traits.neurons());
            rope = workspace.angles(traits.rope()).rows(0, seq);
            queryRow = new @Nullable Matrix[seq];
            attendedRow = new @Nullable Matrix[seq];
        }

        /// Row `row` of `queryRows`, made on first use and kept.
        Matrix queryRow(int row) {
            return kept(queryRow, queryRows, row);
        }

        /// Row `row` of `attended`, made on first use and kept.
        Matrix attendedRow(int row) {
            return kept(attendedRow, attended, row);
        }

        private static Matrix kept(@Nullable Matrix[] rows, Matrix all, int row) {
            Matrix view = rows[row];
            if (view == null) {
                view = all.row(row);
                rows[row] = view;
            }
            return view;
        }

        private static Matrix dense(Matrix widest, int rows, int cols) {
            return Matrix.dense(widest.data(), widest.type(), rows, cols);
        }
    }
}
