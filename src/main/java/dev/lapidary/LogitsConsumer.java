package dev.lapidary;

/// Sees the logits of a position while a prompt is computed.
@FunctionalInterface
public interface LogitsConsumer {
    /// Shows one position.
    ///
    /// @param position of the token whose successor the logits predict
    /// @param logits   `[vocab]`, reused for the next position
    void accept(int position, float[] logits);
}
