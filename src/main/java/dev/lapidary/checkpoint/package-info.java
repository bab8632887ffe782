/// A model on disk: config keys and tensors by name, mapped into memory and used where they lie.
@NullMarked
package dev.lapidary.checkpoint;

import org.jspecify.annotations.NullMarked;
