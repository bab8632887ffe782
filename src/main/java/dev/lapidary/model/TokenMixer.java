package dev.lapidary.model;

/// What lets a token see those before it, between the input projection and the output projection of a layer's first
/// half.
sealed interface TokenMixer permits Attention, Recurrence {
    /// Reads the `projected` rows of the layer's activations, writes its `mixed` ones, and extends the caches of
    /// the batch.
    void forward(Batch batch, Activations activations, Workspace.AttentionScratch scratch);
}
