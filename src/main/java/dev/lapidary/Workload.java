package dev.lapidary;

/// Something of a model to be timed by a [Benchmark].
///
/// @param phase     what is done
/// @param sequences how many at once; 1 but for [Phase#BATCH]
/// @param depth     tokens in each sequence before the clock starts
/// @param tokens    tokens of each sequence computed while it runs
public record Workload(Phase phase, int sequences, int depth, int tokens) {
    /// What is done.
    public enum Phase {
        /// A prompt, computed at once in an empty session.
        PREFILL,
        /// One token after the other, as [Session#next] gives them to an application.
        DECODE,
        /// One token of each of many sequences after the other, all in one pass over the weights.
        BATCH,
        /// An image's soft tokens, as the vision tower makes them of its pixels.
        IMAGE
    }

    /// Throws `IllegalArgumentException` naming the number that is out of range.
    public Workload {
        if (tokens < 1 || sequences < 1 || depth < (phase == Phase.PREFILL || phase == Phase.IMAGE ? 0 : 1)) {
            throw new IllegalArgumentException(
                    "workload: got %d tokens of %d sequences at depth %d, need 1 or more of 1 or more; decoding at 1 or more"
                            .formatted(tokens, sequences, depth));
        }
    }

    /// A prompt.
    public static Workload prefill(int tokens) {
        return new Workload(Phase.PREFILL, 1, 0, tokens);
    }

    /// Tokens that follow `depth` others.
    public static Workload decode(int depth, int tokens) {
        return new Workload(Phase.DECODE, 1, depth, tokens);
    }

    /// Tokens of each of `sequences`, which follow `depth` others.
    public static Workload batch(int sequences, int depth, int tokens) {
        return new Workload(Phase.BATCH, sequences, depth, tokens);
    }

    /// An image that becomes that many soft tokens.
    public static Workload image(int tokens) {
        return new Workload(Phase.IMAGE, 1, 0, tokens);
    }

    /// `prefill 512`, `decode 32 at 4096`, `batch of 8 at 512`, `image of 256`.
    public String name() {
        return switch (phase) {
            case PREFILL -> "prefill %d".formatted(tokens);
            case DECODE -> "decode %d at %d".formatted(tokens, depth);
            case IMAGE -> "image of %d".formatted(tokens);
            case BATCH -> "batch of %d at %d".formatted(sequences, depth);
        };
    }

    /// Tokens computed, of all sequences together.
    public int totalTokens() {
        return Math.multiplyExact(sequences, tokens);
    }

    /// Tokens that each sequence must have room for.
    public int capacity() {
        return Math.addExact(depth, tokens) + (phase == Phase.DECODE ? 1 : 0);
    }
}
