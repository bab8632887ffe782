package dev.lapidary.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/// A hub on loopback with the files of a folder, for tests of other packages.
public final class DemoHub implements AutoCloseable {
    public static final String NAME = "lapidary/demo";

    private final HubServer server;

    public DemoHub(Path folder) throws IOException {
        server = new HubServer(NAME);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                byte[] bytes = Files.readAllBytes(file);
                if (bytes.length > 10_000) {
                    server.large(name, bytes);
                } else {
                    server.files.put(name, bytes);
                }
            }
        }
    }

    /// What makes a process use this hub, and keep its cache in `home`.
    public Map<String, String> environment(Path home) {
        return Map.of("HF_ENDPOINT", server.endpoint().toString(), "HF_HOME", home.toString());
    }

    @Override
    public void close() {
        server.close();
    }
}
