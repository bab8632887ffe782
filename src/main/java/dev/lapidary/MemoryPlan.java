package dev.lapidary;

import java.util.Locale;

/// What a model and one session take, known before anything runs.
///
/// @param weightsBytes   mapped weights, shared between processes and given back under pressure
/// @param kvCacheBytes   keys and values of one session
/// @param workspaceBytes scratch memory of the model, shared by its sessions
public record MemoryPlan(long weightsBytes, long kvCacheBytes, long workspaceBytes) {
    /// Everything together.
    public long totalBytes() {
        return weightsBytes + kvCacheBytes + workspaceBytes;
    }

    @Override
    public String toString() {
        return "weights %s (mapped), KV cache %s, workspace %s"
                .formatted(mebibytes(weightsBytes), mebibytes(kvCacheBytes), mebibytes(workspaceBytes));
    }

    static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
    }
}
