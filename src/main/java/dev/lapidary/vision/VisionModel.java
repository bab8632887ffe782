package dev.lapidary.vision;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.ModuleTree;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/// A checkpoint's image side, ready to run: tower and projector. Runs on the driver thread, one image at a time.
public final class VisionModel {
    /// Whose towers are SigLIP's.
    private static final Set<String> TOWERS = Set.of("gemma3", "paligemma");

    private final VisionConfig config;
    private final VisionWeights weights;
    private final Kernels kernels;
    private final VisionTower tower;
    private final SoftTokenProjector projector;

    private VisionModel(VisionConfig config, VisionWeights weights, Kernels kernels, VisionWorkspace space) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        tower = new VisionTower(config, weights, kernels, space);
        projector = new SoftTokenProjector(config, weights, kernels, space);
    }

    /// The image side of `checkpoint`, whose text side has been read; empty where it has none that is implemented.
    ///
    /// @param embedding width of the text model
    /// @throws CheckpointException naming the file and the key that is unknown or not implemented
    public static Optional<VisionConfig> config(Checkpoint checkpoint, int embedding) throws CheckpointException {
        if (checkpoint.configuration() instanceof Configuration.HuggingFace(ConfigKeys keys, var _)
                && TOWERS.contains(keys.string("model_type"))
                && keys.has("vision_config")
                && VisionWeightsReader.present(checkpoint)) {
            return Optional.of(VisionConfigReader.read(keys, embedding));
        }
        return Optional.empty();
    }

    /// Reads the weights, which stay in the checkpoint's mapping.
    ///
    /// @param arena  owns norms, biases and what is transposed
    /// @param memory gives the memory of the workspace
    /// @throws CheckpointException naming the tensor that is missing, left over or of another shape or type
    public static VisionModel read(
            Checkpoint checkpoint, VisionConfig config, Kernels kernels, Arena arena, SegmentAllocator memory)
            throws CheckpointException {
        VisionWeights weights = VisionWeightsReader.read(checkpoint, config, arena);
        return new VisionModel(config, weights, kernels, new VisionWorkspace(config, memory));
    }

    /// Extents and traits.
    public VisionConfig config() {
        return config;
    }

    /// Bytes of the workspace.
    public long workspaceBytes() {
        return VisionWorkspace.bytes(config);
    }

    /// What the text model sees of images.
    ///
    /// @param pixels    normalised, `[images, channels, imageSize, imageSize]`
    /// @param cancelled asked before each layer; if it says so, `CancellationException`
    /// @return `[images, tokensPerImage, embedding]`
    public float[] softTokens(float[] pixels, BooleanSupplier cancelled) {
        int images = pixels.length / config.imageElements();
        int each = config.tokensPerImage() * config.embedding();
        float[] soft = new float[Math.multiplyExact(images, each)];
        kernels.prepare();
        for (int image = 0; image < images; image++) {
            Matrix tokens = projector.forward(tower.forward(pixels, image, cancelled));
            MemorySegment.copy(tokens.data(), ValueLayout.JAVA_FLOAT, 0, soft, image * each, each);
        }
        return soft;
    }

    /// The tree of modules with their shapes.
    public ModuleTree moduleTree() {
        List<ModuleTree> layers = new ArrayList<>();
        for (VisionLayer layer : weights.layers()) {
            layers.add(ModuleTree.inner(Integer.toString(layers.size()), layer(layer)));
        }
        List<ModuleTree> modules = new ArrayList<>(List.of(
                ModuleTree.leaf("patchEmbedding", weights.patches().parts().getFirst()),
                ModuleTree.leaf("patchBias", weights.patchBias()),
                ModuleTree.leaf("positionEmbedding", weights.positions()),
                ModuleTree.inner("encoder", layers),
                norm("postNorm", weights.postNorm())));
        if (weights.projectorNorm() != null) {
            modules.add(ModuleTree.leaf("projectorNorm", weights.projectorNorm()));
        }
        modules.add(ModuleTree.leaf("projector", weights.projector().parts().getFirst()));
        if (weights.projectorBias() != null) {
            modules.add(ModuleTree.leaf("projectorBias", weights.projectorBias()));
        }
        return ModuleTree.inner("vision", modules);
    }

    private static List<ModuleTree> layer(VisionLayer layer) {
        List<ModuleTree> attention = new ArrayList<>();
        List<String> names = List.of("queryProjection", "keyProjection", "valueProjection");
        for (String name : names) {
            attention.add(ModuleTree.leaf(name, layer.queryKeyValue().parts().get(attention.size())));
        }
        attention.add(ModuleTree.leaf("queryKeyValueBias", layer.queryKeyValueBias()));
        attention.add(ModuleTree.leaf("outputProjection", layer.output().parts().getFirst()));
        attention.add(ModuleTree.leaf("outputBias", layer.outputBias()));
        List<ModuleTree> feedForward = List.of(
                ModuleTree.leaf("up", layer.up().parts().getFirst()),
                ModuleTree.leaf("upBias", layer.upBias()),
                ModuleTree.leaf("down", layer.down().parts().getFirst()),
                ModuleTree.leaf("downBias", layer.downBias()));
        return List.of(
                norm("attentionNorm", layer.attentionNorm()),
                ModuleTree.inner("attention", attention),
                norm("feedForwardNorm", layer.feedForwardNorm()),
                ModuleTree.inner("feedForward", feedForward));
    }

    private static ModuleTree norm(String name, VisionLayer.Norm norm) {
        return ModuleTree.inner(
                name, List.of(ModuleTree.leaf("weight", norm.weight()), ModuleTree.leaf("bias", norm.bias())));
    }
}
