package dev.lapidary;

import java.time.Duration;
import java.util.List;

/// A finished generation.
///
/// @param tokens       what was generated, without the stop token
/// @param text         all of it as text, up to a stop string; empty for a checkpoint without a tokenizer
/// @param tail         the end of the text that no token carried, because it might have begun a stop string or lacked
///                     bytes of a character; whoever prints token by token prints it last
/// @param finishReason why it ended
/// @param stopToken    the stop token that ended it, -1 for another reason
/// @param duration     wall time from the call to the last token
public record Generation(
        List<Token> tokens, String text, String tail, FinishReason finishReason, int stopToken, Duration duration) {
    /// Copies the list.
    public Generation {
        tokens = List.copyOf(tokens);
    }

    /// Ids of the tokens.
    public int[] ids() {
        return tokens.stream().mapToInt(Token::id).toArray();
    }
}
