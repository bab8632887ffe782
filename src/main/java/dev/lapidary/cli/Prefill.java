package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.LogitsConsumer;
import dev.lapidary.Session;
import dev.lapidary.SoftTokens;
import java.util.Arrays;

/// Computes a prompt in pieces, with a progress bar where it takes long.
final class Prefill {
    private Prefill() {}

    /// How many tokens to append at once: as many as asked, or all where the prompt sees itself.
    static int piece(Gemma gemma, int tokens, int asked) {
        return gemma.hasBidirectionalPrompt() ? tokens : asked;
    }

    /// Appends ids with images in them, all at once.
    static void append(Console console, Session session, int[] ids, SoftTokens images) {
        try (Progress progress = Progress.of(console, "Prompt", " tokens", ids.length)) {
            session.append(ids, images);
            progress.step(ids.length);
        }
    }

    /// Appends the ids, at most `piece` of them at once.
    static void append(Console console, Session session, int[] ids, int piece) {
        try (Progress progress = Progress.of(console, "Prompt", " tokens", ids.length)) {
            for (int from = 0; from < ids.length; from += piece) {
                int to = Math.min(ids.length, from + piece);
                session.append(Arrays.copyOfRange(ids, from, to));
                progress.step(to - from);
            }
        }
    }

    /// As [#append], and shows the logits after each of them.
    static void append(Progress progress, Session session, int[] ids, int piece, LogitsConsumer consumer) {
        for (int from = 0; from < ids.length; from += piece) {
            int to = Math.min(ids.length, from + piece);
            session.append(Arrays.copyOfRange(ids, from, to), (position, logits) -> {
                consumer.accept(position, logits);
                progress.step(1);
            });
        }
    }
}
