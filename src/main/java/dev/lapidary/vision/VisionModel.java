package dev.lapidary.vision;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.WeightConversion;
import dev.lapidary.kernels.WeightMatrix;
import dev.lapidary.model.ConversionObserver;
import dev.lapidary.model.Cost;
import dev.lapidary.model.ModuleTree;
import dev.lapidary.model.PublishedShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A checkpoint's image side, ready to run: tower and projector. Runs on the driver thread, one image at a time.
public final class VisionModel {
    private final VisionConfig config;
    private final VisionWeights weights;
    private final long convertedBytes;
    private final Kernels kernels;
    private final VisionWorkspace space;
    private final VisionTower tower;
    private final SoftTokenProjector projector;

    private VisionModel(
            VisionConfig config, VisionWeights weights, long convertedBytes, Kernels kernels, VisionWorkspace space) {
        this.config = config;
        this.weights = weights;
        this.convertedBytes = convertedBytes;
        this.kernels = kernels;
        this.space = space;
        tower = new VisionTower(config, weights, kernels, space);
        projector = new SoftTokenProjector(config, weights, kernels, space);
    }

    /// The image side of `checkpoint`, whose text side has been read; empty where it has none that is implemented.
    ///
    /// @param embedding width of the text model
    /// @throws CheckpointException naming the file and the key that is unknown or not implemented
    public static Optional<VisionConfig> config(Checkpoint checkpoint, int embedding) throws CheckpointException {
        if (checkpoint.configuration() instanceof Configuration.HuggingFace(ConfigKeys keys, var _)
                && VisionConfigReader.reads(keys.string("model_type"))
                && keys.has("vision_config")
                && VisionWeightsReader.present(checkpoint)) {
            return Optional.of(VisionConfigReader.read(keys, embedding));
        }
        return Optional.empty();
    }

    /// The image side of a published shape; empty where it has none.
    ///
    /// @param embedding width of the text model
    public static Optional<VisionConfig> config(PublishedShape shape, int embedding) {
        ConfigKeys keys = shape.keys();
        try {
            return keys.has("vision_config") ? Optional.of(VisionConfigReader.read(keys, embedding)) : Optional.empty();
        } catch (CheckpointException e) {
            throw new IllegalStateException(shape.shapeName(), e);
        }
    }

    /// Reads the weights, which stay in the checkpoint's mapping unless they are converted.
    ///
    /// @param conversion what becomes of matrices that have whole blocks; null: they stay as stored
    /// @param observer   sees how matrices are converted, if any are
    /// @param arena      owns norms, biases and what is transposed
    /// @param memory     gives the memory of converted matrices and of the workspace
    /// @throws CheckpointException naming the tensor that is missing, left over or of another shape or type
    public static VisionModel read(
            Checkpoint checkpoint,
            VisionConfig config,
            @Nullable WeightConversion conversion,
            ConversionObserver observer,
            Kernels kernels,
            Arena arena,
            SegmentAllocator memory)
            throws CheckpointException {
        VisionWeights stored = VisionWeightsReader.read(checkpoint, config, arena);
        return converted(config, stored, conversion, observer, kernels, arena, memory);
    }

    /// A tower of random weights: drawn in BF16, [#randomWeightBytes] in all, and converted.
    public static VisionModel random(
            VisionConfig config,
            @Nullable WeightConversion conversion,
            ConversionObserver observer,
            Kernels kernels,
            Arena arena,
            SegmentAllocator memory) {
        VisionWeights drawn = RandomVisionWeights.of(config, arena, memory);
        return converted(config, drawn, conversion, observer, kernels, arena, memory);
    }

    /// Bytes of the matrices of [#random].
    public static long randomWeightBytes(VisionConfig config) {
        return RandomVisionWeights.elements(config) * DataType.BF16.bytes();
    }

    private static VisionModel converted(
            VisionConfig config,
            VisionWeights stored,
            @Nullable WeightConversion conversion,
            ConversionObserver observer,
            Kernels kernels,
            Arena arena,
            SegmentAllocator memory) {
        VisionWeights weights = stored;
        long bytes = 0;
        if (conversion != null) {
            List<WeightMatrix> changing =
                    stored.matrices().filter(conversion::changes).toList();
            bytes = changing.stream().mapToLong(conversion::bytes).sum();
            if (!changing.isEmpty()) {
                observer.begin(
                        bytes,
                        changing.stream().mapToLong(WeightMatrix::elementBytes).sum());
            }
            weights = stored.withMatrices(
                    arena,
                    matrix -> conversion.changes(matrix) ? conversion.convert(matrix, memory, observer::read) : matrix);
        }
        return new VisionModel(config, weights, bytes, kernels, new VisionWorkspace(config, memory));
    }

    /// The same weights in the same workspace, on other kernels: one of them at a time.
    public VisionModel with(Kernels others) {
        return new VisionModel(config, weights, convertedBytes, others, space);
    }

    /// What one image cannot do without.
    public Cost cost() {
        double width = config.width();
        double patches = config.patches();
        double layer = patches * (4 * width * width + 2 * width * config.neurons()) + 2 * patches * patches * width;
        double operations = patches * width * config.patchElements()
                + config.layers() * layer
                + (double) config.tokensPerImage() * width * config.embedding();
        return new Cost(2 * operations, moduleTree().bytes(), 0);
    }

    /// Every matrix but the positions.
    public List<WeightMatrix> matrices() {
        return weights.matrices().toList();
    }

    /// Bytes of the matrices that were converted, which no file backs.
    public long convertedBytes() {
        return convertedBytes;
    }

    /// Extents and traits.
    public VisionConfig config() {
        return config;
    }

    /// Bytes of the workspace.
    public static long workspaceBytes(VisionConfig config) {
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
