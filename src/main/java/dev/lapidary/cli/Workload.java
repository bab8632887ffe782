package dev.lapidary.cli;

import dev.lapidary.Sampling;
import dev.lapidary.Session;
import java.util.SplittableRandom;

/// Something to be timed.
///
/// @param depth  tokens in the session before the clock starts
/// @param tokens tokens computed while it runs: all at once from an empty session, else one after the other
record Workload(int depth, int tokens) {
    private static final double NANOS = 1e9;
    private static final long SEED = 1;

    /// Throws `IllegalArgumentException` for a negative number.
    Workload {
        if (depth < 0 || tokens < 1) {
            throw new IllegalArgumentException(
                    "workload: got %d tokens at depth %d, need 1 or more at 0 or more".formatted(tokens, depth));
        }
    }

    static Workload prefill(int tokens) {
        return new Workload(0, tokens);
    }

    /// Decoding continues something, so the depth is at least 1.
    static Workload decode(int depth, int tokens) {
        if (depth < 1) {
            throw new IllegalArgumentException("--depth: got %d, need 1 or more".formatted(depth));
        }
        return new Workload(depth, tokens);
    }

    boolean decodes() {
        return depth > 0;
    }

    /// `prefill 512`, `decode 32 at 4096`.
    String name() {
        return decodes() ? "decode %d at %d".formatted(tokens, depth) : "prefill %d".formatted(tokens);
    }

    /// Tokens that a session must have room for.
    int capacity() {
        return Math.addExact(depth, tokens) + (decodes() ? 1 : 0);
    }

    /// Runs once.
    ///
    /// @return seconds
    double run(Session session, int vocab) {
        if (!decodes()) {
            session.rewind(0);
            int[] ids = randomIds(tokens, vocab);
            long start = System.nanoTime();
            session.append(ids);
            return (System.nanoTime() - start) / NANOS;
        }
        session.rewind(Math.min(depth, session.position()));
        if (session.position() < depth) {
            session.append(randomIds(depth, vocab));
        }
        Sampling greedy = Sampling.greedy();
        session.next(greedy); // its logits are those of the prompt: nothing is computed for it
        long start = System.nanoTime();
        for (int i = 0; i < tokens; i++) {
            session.next(greedy);
        }
        return (System.nanoTime() - start) / NANOS;
    }

    private static int[] randomIds(int count, int vocab) {
        return new SplittableRandom(SEED).ints(count, 0, vocab).toArray();
    }
}
