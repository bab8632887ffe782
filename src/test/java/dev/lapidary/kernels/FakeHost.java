package dev.lapidary.kernels;

import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A machine as a test wants it: a healthy Linux with an empty class path to begin with.
final class FakeHost implements Host {
    final Map<String, String> properties = new HashMap<>(Map.of("os.name", "Linux", "os.arch", "amd64"));
    final Map<String, String> environment = new HashMap<>();
    final Map<String, URL> resources = new HashMap<>();
    final List<Path> systemFolders = new ArrayList<>();
    final List<Path> loaded = new ArrayList<>();
    final Set<String> symbols = new HashSet<>();

    @Nullable
    String glibc = "2.36";

    @Nullable
    String linkerMessage;

    FakeHost(Path cache) {
        properties.put(LibraryCache.PROPERTY, cache.toString());
    }

    @Override
    public @Nullable String property(String name) {
        return properties.get(name);
    }

    @Override
    public @Nullable String environment(String name) {
        return environment.get(name);
    }

    @Override
    public void setEnvironment(String name, String value) {
        environment.put(name, value);
    }

    @Override
    public @Nullable String glibcVersion() {
        return glibc;
    }

    @Override
    public @Nullable URL resource(String path) {
        return resources.get(path);
    }

    @Override
    public List<Path> systemFolders(Platform platform) {
        return systemFolders;
    }

    @Override
    public void load(Path file) {
        if (linkerMessage != null) {
            throw new UnsatisfiedLinkError(file + ": " + linkerMessage);
        }
        loaded.add(file);
    }

    @Override
    public boolean hasSymbol(String name) {
        return symbols.contains(name);
    }
}
