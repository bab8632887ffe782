/// Checkpoints as they lie on disk: tensors by name, mapped read-only and used in place, and the configuration beside
/// them. Files come from strangers, so everything is checked before it is believed and a bad one ends in a
/// [dev.lapidary.checkpoint.CheckpointException] that names file and tensor or key.
@NullMarked
package dev.lapidary.checkpoint;

import org.jspecify.annotations.NullMarked;
