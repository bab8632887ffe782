package dev.lapidary.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/// One download of some files of a repository: list, describe, fetch what is missing, link.
final class Pull {
    private static final int MOST_LIST_BYTES = 32 << 20;

    private final Requests requests;
    private final Refusals refusals;
    private final CacheFolder cache;
    private final ModelName model;
    private final int segmentBytes;
    private final PullReport report;

    Pull(Requests requests, CacheFolder cache, ModelName model, int segmentBytes, PullReport report) {
        this.requests = requests;
        this.refusals = new Refusals(requests.settings(), model);
        this.cache = cache;
        this.model = model;
        this.segmentBytes = segmentBytes;
        this.report = report;
    }

    Snapshot run(Selection wanted) throws IOException {
        Listing listing = list();
        List<String> missing = wanted.of(model, listing.files()).stream()
                .filter(name -> !cache.has(listing.commit(), name))
                .toList();
        if (!missing.isEmpty()) {
            fetch(listing.commit(), describe(listing.commit(), missing));
        }
        cache.remember(model, listing.commit());
        return new Snapshot(model, listing.commit(), cache.snapshot(listing.commit()));
    }

    private Listing list() throws IOException {
        URI address = URI.create("%s/revision/%s"
                .formatted(requests.address("api/models", model.repository()), Requests.encoded(model.revision(), "")));
        String json = attempt(model.toString(), () -> {
            HttpResponse<InputStream> response = requests.get(address, null);
            try (StallGuard guard =
                    new StallGuard(response.body(), requests.timing().answer())) {
                if (response.statusCode() != 200) {
                    throw refusals.of(response, null);
                }
                return text(response.body(), guard);
            }
        });
        return Listing.parse(model, json);
    }

    private String text(InputStream body, StallGuard guard) throws IOException {
        byte[] bytes;
        try {
            bytes = body.readNBytes(MOST_LIST_BYTES + 1);
        } catch (IOException e) {
            throw new PassingFailure(guard.isStalled() ? "nothing came" : "the connection was cut", null, e);
        }
        if (bytes.length > MOST_LIST_BYTES) {
            throw new HubException(
                    "%s: the hub's list of files has more than %d bytes".formatted(model, MOST_LIST_BYTES));
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private List<RemoteFile> describe(String commit, List<String> names) throws IOException {
        List<RemoteFile> files = Collections.synchronizedList(new ArrayList<>());
        List<Workers.Task> tasks = new ArrayList<>();
        for (String name : names) {
            tasks.add(() -> files.add(attempt(model + ": " + name, () -> {
                HttpResponse<InputStream> response = requests.head(address(commit, name));
                response.body().close();
                if (response.statusCode() / 100 != 2 && response.statusCode() / 100 != 3) {
                    throw refusals.of(response, name);
                }
                return RemoteFile.of(model, commit, name, response);
            })));
        }
        Workers.run(requests.settings().connections(), tasks);
        return List.copyOf(files);
    }

    /// Small files side by side, each with one connection; large ones one after the other, each with many.
    private void fetch(String commit, List<RemoteFile> files) throws IOException {
        cache.create();
        plan(files);
        int connections = requests.settings().connections();
        try {
            Workers.run(
                    connections,
                    files.stream()
                            .filter(file -> file.size() <= segmentBytes)
                            .map(file -> (Workers.Task) () -> fetch(commit, file, 1))
                            .toList());
            for (RemoteFile file : files.stream()
                    .filter(file -> file.size() > segmentBytes)
                    .sorted(Comparator.comparing(RemoteFile::name))
                    .toList()) {
                fetch(commit, file, connections);
            }
        } catch (HubException e) {
            throw e;
        } catch (IOException e) {
            throw DiskSpace.explained(cache.root(), e);
        }
    }

    private void plan(List<RemoteFile> files) throws IOException {
        int count = 0;
        long total = 0;
        long held = 0;
        for (RemoteFile file : files) {
            if (!isThere(file)) {
                count++;
                total += file.size();
                held += PartialFile.held(cache.partial(file.etag()), file.size(), segmentBytes);
            }
        }
        if (count > 0) {
            DiskSpace.require(model, cache.root(), total - held);
            report.planned(count, total, held);
        }
    }

    private void fetch(String commit, RemoteFile file, int connections) throws IOException {
        Path lock = cache.lock(file.etag());
        try (BlobLock _ =
                BlobLock.acquire(lock, () -> report.told("%s: waiting for another download of it".formatted(file)))) {
            boolean fresh = !isThere(file);
            if (fresh) {
                new BlobFetch(requests, refusals, file, address(commit, file.name()), report)
                        .run(cache.partial(file.etag()), cache.blob(file.etag()), segmentBytes, connections);
            }
            if (!cache.has(commit, file.name())) {
                cache.place(commit, file.name(), file.etag(), fresh);
            }
        }
    }

    /// A blob of another size is a broken one.
    private boolean isThere(RemoteFile file) throws IOException {
        Path blob = cache.blob(file.etag());
        return Files.isRegularFile(blob) && Files.size(blob) == file.size();
    }

    private URI address(String commit, String name) {
        return requests.address(model.repository(), "resolve", commit, name);
    }

    private <T> T attempt(String what, Attempts.Attempt<T> attempt) throws IOException {
        return Attempts.at(requests.timing(), what, report::told, attempt);
    }
}
