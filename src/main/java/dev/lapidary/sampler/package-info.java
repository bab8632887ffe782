/// Logits to the next token id.
@NullMarked
package dev.lapidary.sampler;

import org.jspecify.annotations.NullMarked;
