package dev.lapidary.cli;

import dev.lapidary.ModelDescription;
import java.util.ArrayList;
import java.util.List;

/// Layers in a row that have the same traits.
///
/// @param first index of the first of them
/// @param count how many
/// @param layer what each of them is
record LayerRun(int first, int count, ModelDescription.Layer layer) {
    /// `0-4`, or `5` alone.
    String name() {
        return count == 1 ? Integer.toString(first) : first + "-" + (first + count - 1);
    }

    static List<LayerRun> of(List<ModelDescription.Layer> layers) {
        List<LayerRun> runs = new ArrayList<>();
        for (int first = 0; first < layers.size(); ) {
            int next = first + 1;
            while (next < layers.size() && layers.get(next).equals(layers.get(first))) {
                next++;
            }
            runs.add(new LayerRun(first, next - first, layers.get(first)));
            first = next;
        }
        return runs;
    }
}
