package dev.lapidary.model;

import dev.lapidary.kernels.WeightMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A model's modules as people know them from `print(model)`: names, shapes, parameters and bytes.
///
/// @param name       what the parent calls it
/// @param shape      `BF16 [out, in]` of a matrix, empty for an inner node
/// @param parameters weights in it and below it; a tied head counts 0
/// @param bytes      bytes of those weights as they are stored
/// @param children   in the order of the forward pass
public record ModuleTree(String name, String shape, long parameters, long bytes, List<ModuleTree> children) {
    static ModuleTree of(GemmaConfig config, Weights weights) {
        List<ModuleTree> layers = new ArrayList<>();
        for (int i = 0; i < weights.layers().size(); i++) {
            layers.add(layer(i, weights.layers().get(i)));
        }
        WeightMatrix head = weights.head().parts().getFirst();
        ModuleTree headNode = weights.tiedHead()
                ? new ModuleTree("head", head.shape() + " tied to embedding", 0, 0, List.of())
                : leaf("head", head);
        return inner(
                config.architecture(),
                present(
                        leaf("embedding", weights.embedding()),
                        weights.perLayer() == null ? null : perLayer(weights.perLayer()),
                        weights.altUp() == null ? null : altUp(weights.altUp()),
                        inner("layers", layers),
                        leaf("finalNorm", weights.finalNorm()),
                        config.bidirectional() ? null : headNode));
    }

    private static ModuleTree altUp(AltUpProjections altUp) {
        return inner(
                "streams",
                List.of(
                        leaves("enter", altUp.enter(), each -> each.parts().getFirst()),
                        leaves("leave", altUp.leave(), each -> each.parts().getFirst())));
    }

    private static ModuleTree perLayer(PerLayerTable perLayer) {
        return inner(
                "perLayerEmbedding",
                List.of(
                        leaf("table", perLayer.table()),
                        leaf("projection", perLayer.projection().parts().getFirst()),
                        leaf("projectionNorm", perLayer.norm())));
    }

    /// Of a model that encodes texts for another.
    static ModuleTree ofEncoder(GemmaConfig config, Weights weights) {
        ModuleTree all = of(config, weights);
        List<ModuleTree> children = new ArrayList<>();
        for (ModuleTree child : all.children) {
            children.add(child.name.equals("layers") ? inner("encoder", child.children) : child);
        }
        return inner("textEncoder", children);
    }

    /// This with another module at the end.
    public ModuleTree plus(ModuleTree child) {
        List<ModuleTree> all = new ArrayList<>(children);
        all.add(child);
        return inner(name, all);
    }

    /// The child of that name.
    ModuleTree child(String wanted) {
        return children.stream()
                .filter(child -> child.name.equals(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("%s: no module %s".formatted(name, wanted)));
    }

    private static ModuleTree layer(int index, LayerWeights layer) {
        RecurrenceWeights recurrence = layer.recurrence();
        FeedForwardBiases biases = layer.biases();
        CrossAttentionWeights crossing = layer.crossAttention();
        ModuleTree feedForward = inner(
                "feedForward",
                present(
                        leaf("gate", layer.gate()),
                        optional("gateBias", biases == null ? null : biases.gate()),
                        leaf("up", layer.up()),
                        optional("upBias", biases == null ? null : biases.up()),
                        leaf("down", layer.down().parts().getFirst()),
                        optional("downBias", biases == null ? null : biases.down())));
        return inner(
                Integer.toString(index),
                present(
                        layer.altUp() == null ? null : altUp(layer.altUp()),
                        leaf("preAttentionNorm", layer.preAttentionNorm()),
                        recurrence == null ? attention(layer) : recurrence(layer, recurrence),
                        optional("postAttentionNorm", layer.postAttentionNorm()),
                        layer.laurel() == null ? null : laurel(layer.laurel()),
                        optional("preCrossAttentionNorm", crossing == null ? null : crossing.preNorm()),
                        crossing == null ? null : crossAttention(crossing),
                        optional("postCrossAttentionNorm", crossing == null ? null : crossing.postNorm()),
                        leaf("preFeedForwardNorm", layer.preFeedForwardNorm()),
                        feedForward,
                        layer.experts() == null ? null : mixture(layer.experts()),
                        optional("postFeedForwardNorm", layer.postFeedForwardNorm()),
                        layer.perLayer() == null ? null : perLayer(layer.perLayer())));
    }

    private static ModuleTree altUp(AltUpWeights altUp) {
        return inner(
                "streams",
                present(
                        leaf("routerNorm", altUp.routerNorm()),
                        leaf("router", altUp.router().parts().getFirst()),
                        leaf("prediction", altUp.prediction()),
                        leaf("correction", altUp.correction()),
                        optional("outputScale", altUp.outputScale())));
    }

    private static ModuleTree laurel(LaurelWeights laurel) {
        return inner(
                "laurel",
                List.of(
                        leaf("left", laurel.left().parts().getFirst()),
                        leaf("right", laurel.right().parts().getFirst()),
                        leaf("outputNorm", laurel.norm())));
    }

    private static ModuleTree mixture(ExpertWeights mixture) {
        List<ExpertWeights.Expert> experts = mixture.experts();
        return inner(
                "mixture",
                List.of(
                        leaf("routerNorm", mixture.routerNorm()),
                        leaf("router", mixture.router().parts().getFirst()),
                        leaf("shares", mixture.shares()),
                        leaf("feedForwardNorm", mixture.denseNorm()),
                        leaf("inputNorm", mixture.inputNorm()),
                        inner(
                                "experts",
                                List.of(
                                        leaves("gate", experts, ExpertWeights.Expert::gate),
                                        leaves("up", experts, ExpertWeights.Expert::up),
                                        leaves(
                                                "down",
                                                experts,
                                                expert -> expert.down().parts().getFirst()))),
                        leaf("outputNorm", mixture.outputNorm())));
    }

    private static ModuleTree perLayer(PerLayerWeights perLayer) {
        return inner(
                "perLayerEmbedding",
                List.of(
                        leaf("gate", perLayer.gate().parts().getFirst()),
                        leaf("projection", perLayer.projection().parts().getFirst()),
                        leaf("outputNorm", perLayer.norm())));
    }

    private static ModuleTree attention(LayerWeights layer) {
        List<WeightMatrix> queryKeyValue = layer.inputProjection().parts();
        return inner(
                "attention",
                present(
                        leaf("queryProjection", queryKeyValue.get(0)),
                        optional("keyProjection", queryKeyValue.size() > 1 ? queryKeyValue.get(1) : null),
                        optional("valueProjection", queryKeyValue.size() > 2 ? queryKeyValue.get(2) : null),
                        optional("queryNorm", layer.queryNorm()),
                        optional("keyNorm", layer.keyNorm()),
                        leaf(
                                "outputProjection",
                                layer.outputProjection().parts().getFirst()),
                        optional("outputBias", layer.outputBias())));
    }

    private static ModuleTree crossAttention(CrossAttentionWeights weights) {
        return inner(
                "crossAttention",
                List.of(
                        leaf("queryProjection", weights.query().parts().getFirst()),
                        leaf("keyProjection", weights.keyValue().parts().get(0)),
                        leaf("valueProjection", weights.keyValue().parts().get(1)),
                        leaf("outputProjection", weights.output().parts().getFirst())));
    }

    private static ModuleTree recurrence(LayerWeights layer, RecurrenceWeights recurrence) {
        List<WeightMatrix> branches = layer.inputProjection().parts();
        return inner(
                "recurrence",
                present(
                        leaf("xProjection", branches.get(0)),
                        leaf("yProjection", branches.get(1)),
                        optional("inputBias", recurrence.inputBias()),
                        leaf("convolution", recurrence.taps()),
                        leaf("convolutionBias", recurrence.tapBias()),
                        leaf("inputGate", recurrence.inputGate()),
                        leaf("inputGateBias", recurrence.inputGateBias()),
                        leaf("recurrenceGate", recurrence.recurrenceGate()),
                        leaf("recurrenceGateBias", recurrence.recurrenceGateBias()),
                        leaf("rate", recurrence.rate()),
                        leaf(
                                "outputProjection",
                                layer.outputProjection().parts().getFirst()),
                        optional("outputBias", layer.outputBias())));
    }

    /// A module of modules.
    public static ModuleTree inner(String name, List<ModuleTree> children) {
        long parameters = children.stream().mapToLong(ModuleTree::parameters).sum();
        long bytes = children.stream().mapToLong(ModuleTree::bytes).sum();
        return new ModuleTree(name, "", parameters, bytes, List.copyOf(children));
    }

    /// A weight.
    public static ModuleTree leaf(String name, WeightMatrix matrix) {
        return new ModuleTree(
                name, matrix.shape(), (long) matrix.rows() * matrix.cols(), matrix.elementBytes(), List.of());
    }

    /// The same matrix of each of `all`.
    private static <T> ModuleTree leaves(String name, List<T> all, Function<T, WeightMatrix> of) {
        List<ModuleTree> each =
                all.stream().map(one -> leaf(name, of.apply(one))).toList();
        ModuleTree sum = inner(name, each);
        String shape = "%d x %s".formatted(each.size(), each.getFirst().shape);
        return new ModuleTree(name, shape, sum.parameters, sum.bytes, List.of());
    }

    private static @Nullable ModuleTree optional(String name, @Nullable WeightMatrix matrix) {
        return matrix == null ? null : leaf(name, matrix);
    }

    private static List<ModuleTree> present(@Nullable ModuleTree... nodes) {
        List<ModuleTree> present = new ArrayList<>();
        for (ModuleTree node : nodes) {
            if (node != null) {
                present.add(node);
            }
        }
        return present;
    }
}
