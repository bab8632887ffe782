package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.Pixels;
import dev.lapidary.SoftTokens;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Images as a tower takes them, for prompts of ids that hold the image tokens.
final class ImageOptions {
    private static final String TENSOR = "pixel_values";

    @Option(
            names = "--pixels",
            paramLabel = "FILE",
            description = "Images in a safetensors file, tensor \"" + TENSOR + "\", F32 [images, 3, height, width],"
                    + " normalised. They take the places of the image tokens in --ids.")
    private @Nullable Path pixels;

    boolean given() {
        return pixels != null;
    }

    /// What the model sees of the images; null where none were given.
    @Nullable
    SoftTokens softTokens(Gemma gemma) throws IOException {
        return pixels == null ? null : gemma.softTokens(read(pixels));
    }

    private static Pixels read(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = SafetensorsFile.map(file, arena).tensors().get(TENSOR);
            if (tensor == null) {
                throw new CheckpointException(
                        "%s: tensor %s is missing, need it as F32 [images, 3, height, width]".formatted(file, TENSOR));
            }
            List<Long> shape = tensor.shape();
            boolean fits = tensor.storedType().equals(DataType.F32.name())
                    && shape.size() == 4
                    && shape.get(1) == 3
                    && shape.stream().allMatch(extent -> extent > 0 && extent <= 1 << 16)
                    && tensor.data().byteSize() <= Integer.MAX_VALUE;
            if (!fits) {
                throw new CheckpointException("%s: %s is %s %s, need F32 [images, 3, height, width] of at most 2 GiB"
                        .formatted(file, TENSOR, tensor.storedType(), shape));
            }
            return new Pixels(
                    Math.toIntExact(shape.get(0)),
                    Math.toIntExact(shape.get(2)),
                    Math.toIntExact(shape.get(3)),
                    tensor.data().toArray(ValueLayout.JAVA_FLOAT));
        }
    }
}
