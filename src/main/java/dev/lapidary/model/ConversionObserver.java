package dev.lapidary.model;

/// Sees how far a conversion of weights is.
public interface ConversionObserver {
    /// Before the first matrix, and only if there is one to convert. What it throws ends the conversion.
    ///
    /// @param newBytes    that the new matrices will take
    /// @param storedBytes that will be read for them
    void begin(long newBytes, long storedBytes);

    /// After each slice.
    ///
    /// @param storedBytes read since the last call
    void read(long storedBytes);
}
