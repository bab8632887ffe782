/// Gemma models: `Gemma` holds the open weights, `Session` one sequence being extended, `Sampling` says how to pick the
/// next token.
@NullMarked
package dev.lapidary;

import org.jspecify.annotations.NullMarked;
