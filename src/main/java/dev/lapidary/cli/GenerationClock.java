package dev.lapidary.cli;

import com.google.gson.JsonObject;
import java.io.PrintStream;

/// When the prompt was done, and the first and the last token came.
final class GenerationClock {
    private static final double NANOS = 1e9;

    private final int promptTokens;
    private final long startNanos = System.nanoTime();
    private long promptNanos = startNanos;
    private long firstNanos = startNanos;
    private long lastNanos = startNanos;
    private int tokens;

    /// Starts with the prompt.
    GenerationClock(int promptTokens) {
        this.promptTokens = promptTokens;
    }

    void promptDone() {
        promptNanos = System.nanoTime();
        lastNanos = promptNanos;
    }

    void token() {
        lastNanos = System.nanoTime();
        if (tokens++ == 0) {
            firstNanos = lastNanos;
        }
    }

    int promptTokens() {
        return promptTokens;
    }

    /// Seconds and tokens per second; what there was no token for is left out.
    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("prompt_seconds", promptSeconds());
        Json.addNumber(json, "prompt_tokens_per_second", Amounts.rate(promptTokens, promptSeconds()));
        json.addProperty("generation_seconds", (lastNanos - promptNanos) / NANOS);
        Json.addNumber(json, "generation_tokens_per_second", generationRate());
        if (tokens > 0) {
            json.addProperty("time_to_first_token_seconds", firstSeconds());
        }
        return json;
    }

    void print(PrintStream err) {
        err.println(Amounts.text(
                "prompt      %d tokens in %s (%.1f tokens/s)",
                promptTokens, Amounts.seconds(promptSeconds()), Amounts.rate(promptTokens, promptSeconds())));
        String rate = tokens > 1 ? Amounts.text(" (%.1f tokens/s)", generationRate()) : "";
        err.println(Amounts.text(
                "generation  %d tokens in %s%s", tokens, Amounts.seconds((lastNanos - promptNanos) / NANOS), rate));
        if (tokens > 0) {
            err.println("first token after " + Amounts.seconds(firstSeconds()));
        }
    }

    private double promptSeconds() {
        return (promptNanos - startNanos) / NANOS;
    }

    private double firstSeconds() {
        return (firstNanos - startNanos) / NANOS;
    }

    /// The first token comes out of the prompt's own computation, so only those after it count.
    private double generationRate() {
        return Amounts.rate(tokens - 1.0, (lastNanos - firstNanos) / NANOS);
    }
}
