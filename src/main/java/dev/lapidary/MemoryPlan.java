package dev.lapidary;

import java.util.Locale;

/// What a model and one session take, known before anything runs.
///
/// @param mappedBytes    weights mapped from the checkpoint, shared between processes and given back under pressure
/// @param convertedBytes weights in another format than the checkpoint's, in this process's own memory
/// @param kvCacheBytes   keys and values of one session
/// @param workspaceBytes scratch memory of the model and its kernels, at most, shared by its sessions
public record MemoryPlan(long mappedBytes, long convertedBytes, long kvCacheBytes, long workspaceBytes) {
    /// Weights, wherever they are.
    public long weightsBytes() {
        return mappedBytes + convertedBytes;
    }

    /// Everything together.
    public long totalBytes() {
        return weightsBytes() + kvCacheBytes + workspaceBytes;
    }

    @Override
    public String toString() {
        return "weights %s, KV cache %s, workspace %s"
                .formatted(weights(), mebibytes(kvCacheBytes), mebibytes(workspaceBytes));
    }

    /// `1907.4 MiB (mapped)`, `677.0 MiB (converted)`, or one and the other.
    private String weights() {
        if (convertedBytes == 0) {
            return mebibytes(mappedBytes) + " (mapped)";
        }
        String converted = mebibytes(convertedBytes) + " (converted)";
        return mappedBytes == 0 ? converted : mebibytes(mappedBytes) + " (mapped) and " + converted;
    }

    static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
    }
}
