package dev.lapidary.cli;

import dev.lapidary.hub.Hub;
import dev.lapidary.hub.HubException;
import dev.lapidary.hub.HubSettings;
import dev.lapidary.hub.ModelName;
import dev.lapidary.hub.Selection;
import dev.lapidary.hub.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// Models that people name in place of a folder.
final class HubModels {
    private HubModels() {}

    /// The folder of that path, if there is one or the text can be nothing else; else that of the model of that
    /// name on the hub, out of the cache or downloaded.
    static Path folder(Console console, String model, Selection wanted) throws IOException {
        if (!ModelName.isName(model) || isThere(model)) {
            return Path.of(model);
        }
        return get(console, ModelName.parse(model), wanted).folder();
    }

    /// The files as the hub has them now.
    static Snapshot pull(Console console, ModelName model, Selection wanted) throws IOException {
        Hub hub = Hub.of(HubSettings.ofEnvironment());
        try (PullProgress progress = new PullProgress(console, model, hub.cache())) {
            return hub.pull(model, wanted, progress);
        }
    }

    private static Snapshot get(Console console, ModelName model, Selection wanted) throws IOException {
        Hub hub = Hub.of(HubSettings.ofEnvironment());
        try (PullProgress progress = new PullProgress(console, model, hub.cache())) {
            return hub.get(model, wanted, progress);
        } catch (HubException e) {
            throw new IOException("%s (there is no folder %s here either)".formatted(e.getMessage(), model), e);
        }
    }

    private static boolean isThere(String model) {
        try {
            return Files.exists(Path.of(model));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
