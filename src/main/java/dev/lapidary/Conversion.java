package dev.lapidary;

import dev.lapidary.kernels.BlockFormat;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.WeightConversion;
import dev.lapidary.model.ConversionObserver;
import dev.lapidary.model.WeightFormats;
import org.jspecify.annotations.Nullable;

/// What opening does to weights, as the options say: it refuses what cannot fit, and tells who listens.
final class Conversion implements ConversionObserver {
    private final String source;
    private final OpeningListener listener;
    private long total;
    private long done;

    /// @param source names the model in messages
    Conversion(String source, OpeningListener listener) {
        this.source = source;
        this.listener = listener;
    }

    /// The formats that `options` ask for.
    static WeightFormats formats(Options options) {
        return new WeightFormats(conversion(options.weights()), conversion(options.effectiveHeadWeights()));
    }

    /// What becomes of a vision tower's matrices: as the layers', but never below 8 bits.
    static @Nullable WeightConversion ofTower(Options options) {
        return conversion(options.weights() == WeightFormat.Q4_0 ? WeightFormat.Q8_0 : options.weights());
    }

    private static @Nullable WeightConversion conversion(@Nullable WeightFormat format) {
        return switch (format) {
            case null -> null;
            case F32 -> WeightConversion.to(DataType.F32);
            case BF16 -> WeightConversion.to(DataType.BF16);
            case Q8_0 -> WeightConversion.to(BlockFormat.Q8_0);
            case Q4_0 -> WeightConversion.to(BlockFormat.Q4_0);
        };
    }

    @Override
    public void begin(long newBytes, long storedBytes) {
        AvailableMemory.require(source, newBytes, MemoryPlan.mebibytes(newBytes) + " for converted weights");
        total += storedBytes;
    }

    @Override
    public void read(long storedBytes) {
        done += storedBytes;
        listener.converted(done, total);
    }
}
