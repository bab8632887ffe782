package dev.lapidary;

/// Told how far the writing of a model is.
@FunctionalInterface
public interface WritingListener {
    /// Called again and again, at last with `storedBytes` equal to `totalBytes`.
    ///
    /// @param storedBytes of weights read, converted and written so far
    /// @param totalBytes  of weights there are
    void written(long storedBytes, long totalBytes);
}
