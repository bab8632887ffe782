package dev.lapidary;

import org.jspecify.annotations.Nullable;

/// How a model is opened. Immutable: each `with` method gives a changed copy.
///
/// @param backend     who multiplies matrices: `onednn`, `openblas`, `mkl`, or `cblas:` and the path of a CBLAS library
/// @param threads     threads that compute
/// @param compute     precision of matrix products over many rows
/// @param chunk       most tokens of a prompt computed at once; more is faster up to some hundreds, and takes memory
/// @param weights     how the layers' matrices are held; null: as the checkpoint stores them
/// @param headWeights how the matrix of the logits is held, which is the embedding too in all of Gemma; null: as
///                    `weights`, but Q8_0 where that is Q4_0
/// @param kvCache     how keys and values of sessions are held
public record Options(
        String backend,
        int threads,
        Compute compute,
        int chunk,
        @Nullable WeightFormat weights,
        @Nullable WeightFormat headWeights,
        CacheFormat kvCache) {
    /// Name of the system property that chooses the backend where the program does not.
    public static final String BACKEND_PROPERTY = "lapidary.backend";

    private static final int DEFAULT_CHUNK = 512;

    /// Throws `IllegalArgumentException` naming the option that is out of range.
    public Options {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: got %d, need at least 1".formatted(threads));
        }
        if (chunk < 1 || chunk > 1 << 16) {
            throw new IllegalArgumentException("chunk: got %d tokens, need 1 to 65536".formatted(chunk));
        }
    }

    /// oneDNN or what the property `lapidary.backend` says, as many threads as the container's quota allows, fast
    /// arithmetic, chunks of 512 tokens, weights as they are stored, keys and values in F32.
    public static Options defaults() {
        return new Options(
                System.getProperty(BACKEND_PROPERTY, "onednn"),
                Runtime.getRuntime().availableProcessors(),
                Compute.FAST,
                DEFAULT_CHUNK,
                null,
                null,
                CacheFormat.F32);
    }

    /// This with another backend.
    public Options withBackend(String name) {
        return new Options(name, threads, compute, chunk, weights, headWeights, kvCache);
    }

    /// This with another number of threads.
    public Options withThreads(int count) {
        return new Options(backend, count, compute, chunk, weights, headWeights, kvCache);
    }

    /// This with another precision.
    public Options withCompute(Compute precision) {
        return new Options(backend, threads, precision, chunk, weights, headWeights, kvCache);
    }

    /// This with another chunk size.
    public Options withChunk(int tokens) {
        return new Options(backend, threads, compute, tokens, weights, headWeights, kvCache);
    }

    /// This with the layers' weights in another format; null: as stored.
    public Options withWeights(@Nullable WeightFormat format) {
        return new Options(backend, threads, compute, chunk, format, headWeights, kvCache);
    }

    /// This with the head's weights in another format; null: whatever goes with [#weights].
    public Options withHeadWeights(@Nullable WeightFormat format) {
        return new Options(backend, threads, compute, chunk, weights, format, kvCache);
    }

    /// This with keys and values in another format.
    public Options withKvCache(CacheFormat format) {
        return new Options(backend, threads, compute, chunk, weights, headWeights, format);
    }

    /// The head's format where none was asked for: 4 bits cost the logits, and every input, more than they save.
    @Nullable
    WeightFormat effectiveHeadWeights() {
        if (headWeights != null) {
            return headWeights;
        }
        return weights == WeightFormat.Q4_0 ? WeightFormat.Q8_0 : weights;
    }
}
