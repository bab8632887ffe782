package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.ReferenceKernels;
import java.lang.foreign.Arena;

/// Models on the reference kernels, weights as they are stored.
final class Models {
    private static final ConversionObserver NOTHING_TO_SEE = new ConversionObserver() {
        @Override
        public void begin(long newBytes, long storedBytes) {
            throw new AssertionError("converted %d bytes".formatted(storedBytes));
        }

        @Override
        public void read(long storedBytes) {}
    };

    private Models() {}

    static TextModel read(Checkpoint checkpoint, int chunk, Arena arena) throws CheckpointException {
        return TextModel.read(
                checkpoint, WeightFormats.STORED, NOTHING_TO_SEE, new ReferenceKernels(), chunk, arena, arena);
    }

    static TextModel random(GemmaConfig config, int chunk, Arena arena) {
        return TextModel.random(
                config, WeightFormats.STORED, NOTHING_TO_SEE, new ReferenceKernels(), chunk, arena, arena);
    }

    static TextModel of(GemmaConfig config, Weights weights, int chunk, Arena arena) {
        return TextModel.of(config, weights, 0, new ReferenceKernels(), chunk, arena);
    }
}
