package dev.lapidary.hub;

import java.nio.file.Path;

/// A repository as it was at a commit, in the cache.
///
/// @param folder its files under their names; they are links into the cache
public record Snapshot(ModelName model, String commit, Path folder) {}
