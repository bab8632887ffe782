package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// A tensor of a model and what it becomes in another file.
///
/// @param stored what there is
/// @param name   its name there
/// @param norm   whether it is a norm's weight and no matrix
/// @param asked  the type somebody wants it in
record RewrittenTensor(Tensor stored, String name, boolean norm, GgmlType asked) {

    /// The type it gets: F16 where its columns are no whole blocks, as with llama.cpp.
    GgmlType type() {
        return stored.shape().getLast() % asked.blockElements() == 0 ? asked : GgmlType.F16;
    }

    /// All tensors of a model whose config and weights fit together.
    static List<RewrittenTensor> all(
            Checkpoint checkpoint, GemmaConfig config, TensorNames target, GgmlType matrices, GgmlType head) {
        TensorNames names = TensorNames.of(checkpoint, config);
        boolean kept = target instanceof HuggingFaceNames && names instanceof HuggingFaceNames;
        List<RewrittenTensor> tensors = new ArrayList<>();
        tensors.add(matrix(checkpoint, names.embedding(), target.embedding(), head));
        for (int i = 0; i < config.layers().size(); i++) {
            LayerConfig layer = config.layers().get(i);
            for (LayerTensor tensor : LayerTensor.values()) {
                if (has(layer, tensor)) {
                    String from = names.layer(i, tensor, layer.postNorms());
                    String to = target.layer(i, tensor, layer.postNorms());
                    tensors.add(
                            isNorm(tensor) ? norm(checkpoint, from, to, kept) : matrix(checkpoint, from, to, matrices));
                }
            }
        }
        tensors.add(norm(checkpoint, names.finalNorm(), target.finalNorm(), kept));
        if (checkpoint.tensors().containsKey(names.head())) {
            tensors.add(matrix(checkpoint, names.head(), target.head(), head));
        }
        return tensors;
    }

    /// What people may not expect of them: blocks rounded again, and matrices that cannot have the type.
    static List<String> notes(List<RewrittenTensor> tensors) {
        Map<String, Integer> again = new TreeMap<>();
        Map<String, Integer> uneven = new TreeMap<>();
        for (RewrittenTensor tensor : tensors) {
            GgmlType from = GgmlType.valueOf(tensor.stored.storedType());
            GgmlType to = tensor.type();
            if (from.blockElements() > 1 && from != to && to != GgmlType.F32) {
                again.merge("%s to %s".formatted(from, to), 1, Integer::sum);
            }
            if (to != tensor.asked) {
                long cols = tensor.stored.shape().getLast();
                uneven.merge("%d columns are no whole %s blocks".formatted(cols, tensor.asked), 1, Integer::sum);
            }
        }
        List<String> notes = new ArrayList<>();
        again.forEach((change, count) ->
                notes.add("rounded twice, since quantized already: %d matrices, %s".formatted(count, change)));
        uneven.forEach((why, count) -> notes.add("written as F16: %d matrices, whose %s".formatted(count, why)));
        return notes;
    }

    private static RewrittenTensor matrix(Checkpoint checkpoint, String from, String to, GgmlType type) {
        return new RewrittenTensor(stored(checkpoint, from), to, false, type);
    }

    private static RewrittenTensor norm(Checkpoint checkpoint, String from, String to, boolean kept) {
        Tensor stored = stored(checkpoint, from);
        return new RewrittenTensor(stored, to, true, kept ? GgmlType.valueOf(stored.storedType()) : GgmlType.F32);
    }

    private static Tensor stored(Checkpoint checkpoint, String name) {
        return Objects.requireNonNull(checkpoint.tensors().get(name), name);
    }

    private static boolean has(LayerConfig layer, LayerTensor tensor) {
        return switch (tensor) {
            case QUERY_NORM, KEY_NORM -> layer.queryKeyNorm();
            case POST_ATTENTION_NORM, POST_FEED_FORWARD_NORM -> layer.postNorms();
            case PRE_ATTENTION_NORM, PRE_FEED_FORWARD_NORM -> true;
            case QUERY, KEY, VALUE, ATTENTION_OUTPUT, GATE, UP, DOWN -> true;
            default -> false; // biases and recurrent blocks, which no model has that can be written
        };
    }

    private static boolean isNorm(LayerTensor tensor) {
        return switch (tensor) {
            case PRE_ATTENTION_NORM,
                    QUERY_NORM,
                    KEY_NORM,
                    POST_ATTENTION_NORM,
                    PRE_FEED_FORWARD_NORM,
                    POST_FEED_FORWARD_NORM -> true;
            default -> false;
        };
    }
}
