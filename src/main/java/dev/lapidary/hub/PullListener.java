package dev.lapidary.hub;

/// Is told how a download goes, by one thread at a time.
public interface PullListener {
    /// Nobody listens.
    PullListener NONE = new PullListener() {};

    /// What is going to be downloaded, once it is known; not called if everything is there.
    ///
    /// @param files      files that are not in the cache yet
    /// @param totalBytes what they have
    /// @param heldBytes  what an earlier, interrupted download left of them
    default void planned(int files, long totalBytes, long heldBytes) {}

    /// More bytes are there; negative if what was there has to be downloaded anew.
    default void received(long bytes) {}

    /// Something that people might wonder about: a wait, another attempt.
    default void told(String message) {}
}
