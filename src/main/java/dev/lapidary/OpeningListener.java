package dev.lapidary;

/// Told how far the opening of a model is, where weights have to be converted.
@FunctionalInterface
public interface OpeningListener {
    /// Called again and again, at last with `storedBytes` equal to `totalBytes`; never if nothing is converted.
    ///
    /// @param storedBytes of weights converted so far
    /// @param totalBytes  of weights to convert
    void converted(long storedBytes, long totalBytes);
}
