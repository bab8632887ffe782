package dev.lapidary;

/// One generated token.
///
/// @param id             in the vocabulary
/// @param text           what it adds to the text: only complete characters, so possibly empty, or more than its own
///                       piece; empty for a checkpoint without a tokenizer
/// @param position       in the session
/// @param logProbability natural logarithm of its probability under the model, before any sampling option; NaN unless
///                       asked for
public record Token(int id, String text, int position, double logProbability) {}
