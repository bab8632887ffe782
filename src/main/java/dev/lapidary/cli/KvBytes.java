package dev.lapidary.cli;

import dev.lapidary.ModelDescription;

/// Bytes of keys and values that the tokens of one sequence take.
///
/// @param perToken              in all layers, while windows fill
/// @param perTokenBeyondWindows in the layers without a window, which keep every token
/// @param windows               in the layers with a window, once it is full
record KvBytes(long perToken, long perTokenBeyondWindows, long windows) {
    static KvBytes of(ModelDescription description) {
        long all = 0;
        long global = 0;
        long windows = 0;
        for (ModelDescription.Layer layer : description.layers()) {
            all += layer.kvBytesPerToken();
            global += layer.window() == 0 ? layer.kvBytesPerToken() : 0;
            windows += layer.kvBytesPerToken() * layer.window();
        }
        return new KvBytes(all, global, windows);
    }
}
