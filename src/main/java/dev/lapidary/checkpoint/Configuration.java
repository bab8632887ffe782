package dev.lapidary.checkpoint;

import org.jspecify.annotations.Nullable;

/// What a checkpoint says about its model, in the words of its format.
public sealed interface Configuration {
    /// JSON files beside the tensors.
    ///
    /// @param config           `config.json`
    /// @param generationConfig `generation_config.json`, or `null` where there is none
    record HuggingFace(ConfigKeys config, @Nullable ConfigKeys generationConfig) implements Configuration {}

    /// Keys in the tensors' own file.
    record Gguf(GgufMetadata metadata) implements Configuration {}
}
