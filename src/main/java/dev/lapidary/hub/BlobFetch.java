package dev.lapidary.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/// Brings one blob into the cache: downloaded beside its place, checked, flushed, renamed.
final class BlobFetch {
    private final Requests requests;
    private final Refusals refusals;
    private final RemoteFile file;
    private final URI address;
    private final PullReport report;

    BlobFetch(Requests requests, Refusals refusals, RemoteFile file, URI address, PullReport report) {
        this.requests = requests;
        this.refusals = refusals;
        this.file = file;
        this.address = address;
        this.report = report;
    }

    /// The caller has the blob's lock.
    void run(Path partial, Path blob, int segmentBytes, int connections) throws IOException {
        try (PartialFile bytes = PartialFile.open(partial, file.size(), segmentBytes)) {
            BlobDownload download = new BlobDownload(requests, refusals, file, address, bytes, report);
            download.run(connections);
            String wrong = wrongHash(bytes);
            if (!wrong.isEmpty()) { // a record that outlived its bytes, or bytes that changed on their way
                report.told("%s: %s; downloading it again".formatted(file, wrong));
                report.received(-file.size());
                bytes.restart();
                download.run(connections);
                requireHash(bytes, partial);
            }
            bytes.seal();
        }
        Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void requireHash(PartialFile bytes, Path partial) throws IOException {
        String wrong = wrongHash(bytes);
        if (!wrong.isEmpty()) {
            Files.deleteIfExists(partial);
            throw new HubException("%s: %s, twice: what %s sends is not what the hub lists; what came was deleted"
                    .formatted(file, wrong, address.getHost()));
        }
    }

    /// What is wrong with the bytes; empty if nothing is.
    private String wrongHash(PartialFile bytes) throws IOException {
        Optional<BlobHash> hash = BlobHash.of(file.etag());
        if (hash.isEmpty()) {
            return "";
        }
        String got = hash.get().of(bytes.channel(), file.size());
        return got.equals(file.etag()) ? "" : "got the hash %s, need %s".formatted(got, file.etag());
    }
}
