package dev.lapidary.tokenizer;

/// A SentencePiece model with the scores that its merges were made of.
///
/// @param model  what the file says
/// @param scores one for each piece
@SuppressWarnings("ArrayRecordComponent") // never compared
record ScoredPieces(TokenizerModel model, float[] scores) {}
