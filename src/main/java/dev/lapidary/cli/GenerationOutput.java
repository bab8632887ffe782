package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.Generation;
import dev.lapidary.Token;
import java.util.Locale;

/// How a generation is shown.
sealed interface GenerationOutput {
    /// Called for each token as it comes.
    void token(Token token);

    /// Called once, after the last token.
    void end(Generation generation, GenerationClock clock);

    /// The text, as it comes.
    record AsText(Console console) implements GenerationOutput {
        @Override
        public void token(Token token) {
            console.out().print(token.text());
            console.out().flush();
        }

        @Override
        public void end(Generation generation, GenerationClock clock) {
            console.out().println(generation.tail());
        }
    }

    /// Ids with commas between, as they come.
    final class AsIds implements GenerationOutput {
        private final Console console;
        private boolean first = true;

        AsIds(Console console) {
            this.console = console;
        }

        @Override
        public void token(Token token) {
            console.out().print((first ? "" : ",") + token.id());
            console.out().flush();
            first = false;
        }

        @Override
        public void end(Generation generation, GenerationClock clock) {
            console.out().println();
        }
    }

    /// A line for each token: id, log-probability, text with its control characters escaped.
    record AsLines(Console console) implements GenerationOutput {
        @Override
        public void token(Token token) {
            console.out().println(TokenIds.line(token.id(), token.logProbability(), token.text()));
            console.out().flush();
        }

        @Override
        public void end(Generation generation, GenerationClock clock) {}
    }

    /// One object, at the end.
    record AsJson(Console console, boolean hasText, boolean logProbs) implements GenerationOutput {
        @Override
        public void token(Token token) {}

        @Override
        public void end(Generation generation, GenerationClock clock) {
            JsonObject json = new JsonObject();
            json.add("ids", Json.ints(generation.ids()));
            if (hasText) {
                json.addProperty("text", generation.text());
            }
            json.addProperty("finish_reason", generation.finishReason().name().toLowerCase(Locale.ROOT));
            if (generation.stopToken() >= 0) {
                json.addProperty("stop_token", generation.stopToken());
            }
            json.addProperty("prompt_tokens", clock.promptTokens());
            if (logProbs) {
                JsonArray logProbabilities = new JsonArray();
                generation.tokens().forEach(token -> logProbabilities.add(token.logProbability()));
                json.add("log_probs", logProbabilities);
            }
            json.add("timings", clock.json());
            Json.print(console, json);
        }
    }
}
