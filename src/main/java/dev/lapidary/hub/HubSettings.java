package dev.lapidary.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Where the hub is, where its files are kept, and who asks.
///
/// @param endpoint    the hub's address
/// @param cache       the folder of folders `models--ORG--NAME`, shared with Python's `huggingface_hub`
/// @param token       empty to ask as nobody
/// @param offline     whether only the cache may be used
/// @param connections most connections at a time
public record HubSettings(URI endpoint, Path cache, Optional<AccessToken> token, boolean offline, int connections) {
    private static final String USUAL_ENDPOINT = "https://huggingface.co";
    private static final int USUAL_CONNECTIONS = 8;
    private static final Set<String> YES = Set.of("1", "ON", "YES", "TRUE");

    /// @throws IllegalArgumentException if the endpoint is no address of a web server, or there is no connection
    public HubSettings {
        String scheme = endpoint.getScheme();
        boolean web = "https".equals(scheme) || "http".equals(scheme);
        if (!web || endpoint.getHost() == null || endpoint.getQuery() != null || endpoint.getFragment() != null) {
            throw new IllegalArgumentException(
                    "HF_ENDPOINT: got \"%s\", need an address like %s".formatted(endpoint, USUAL_ENDPOINT));
        }
        if (connections < 1) {
            throw new IllegalArgumentException("connections: got %d, need 1 or more".formatted(connections));
        }
    }

    /// What the environment says: `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`, `HF_TOKEN`,
    /// `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`, with the meaning and the defaults that they have for Python's
    /// `huggingface_hub`.
    ///
    /// @throws IOException              if there is a token file that cannot be read
    /// @throws IllegalArgumentException if one of them has no sensible value, naming it
    public static HubSettings ofEnvironment() throws IOException {
        return of(System.getenv(), System.getProperty("user.home"));
    }

    static HubSettings of(Map<String, String> environment, String userHome) throws IOException {
        Path caches = path(environment, "XDG_CACHE_HOME", userHome, Path.of(userHome, ".cache"));
        Path home = path(environment, "HF_HOME", userHome, caches.resolve("huggingface"));
        Path older = path(environment, "HUGGINGFACE_HUB_CACHE", userHome, home.resolve("hub"));
        String offline = first(environment, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE");
        return new HubSettings(
                endpoint(first(environment, "HF_ENDPOINT")),
                path(environment, "HF_HUB_CACHE", userHome, older).toAbsolutePath(),
                token(environment, path(environment, "HF_TOKEN_PATH", userHome, home.resolve("token"))),
                offline != null && YES.contains(offline.toUpperCase(Locale.ROOT)),
                USUAL_CONNECTIONS);
    }

    private static URI endpoint(@Nullable String named) {
        String text = named == null ? USUAL_ENDPOINT : named;
        try {
            return URI.create(text.replaceAll("/+$", ""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "HF_ENDPOINT: got \"%s\", need an address like %s".formatted(text, USUAL_ENDPOINT), e);
        }
    }

    private static Optional<AccessToken> token(Map<String, String> environment, Path file) throws IOException {
        for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            String value = environment.getOrDefault(name, "").strip();
            if (!value.isEmpty()) {
                return Optional.of(new AccessToken(value, name));
            }
        }
        try {
            String value = Files.readString(file).strip();
            return value.isEmpty() ? Optional.empty() : Optional.of(new AccessToken(value, file.toString()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static Path path(Map<String, String> environment, String name, String userHome, Path otherwise) {
        String value = first(environment, name);
        if (value == null) {
            return otherwise;
        }
        return value.equals("~") || value.startsWith("~/") ? Path.of(userHome + value.substring(1)) : Path.of(value);
    }

    private static @Nullable String first(Map<String, String> environment, String... names) {
        for (String name : names) {
            String value = environment.get(name);
            if (value != null && !value.isBlank()) {
                return value;
            }
        }
        return null;
    }
}
