package dev.lapidary.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Fills a [PartialFile] from the hub: segments side by side, each with requests for a range of bytes, or all in one
/// where the server does not know ranges.
final class BlobDownload {
    private static final int BUFFER_BYTES = 1 << 18;

    private final Requests requests;
    private final Refusals refusals;
    private final RemoteFile file;
    private final URI address;
    private final PartialFile partial;
    private final PullReport report;

    /// The server sends all where a part was asked for.
    private static final class NoRanges extends IOException {
        private static final long serialVersionUID = 1L;
    }

    BlobDownload(
            Requests requests,
            Refusals refusals,
            RemoteFile file,
            URI address,
            PartialFile partial,
            PullReport report) {
        this.requests = requests;
        this.refusals = refusals;
        this.file = file;
        this.address = address;
        this.partial = partial;
        this.report = report;
    }

    /// Downloads what is missing, with that many connections at most.
    void run(int connections) throws IOException {
        List<Integer> missing = IntStream.range(0, partial.segments())
                .filter(segment -> !partial.isComplete(segment))
                .boxed()
                .toList();
        try {
            Workers.run(
                    connections,
                    missing.stream()
                            .map(segment -> (Workers.Task) () -> segment(segment))
                            .toList());
        } catch (NoRanges e) {
            repeat(partial::held, this::whole);
        }
    }

    private void segment(int segment) throws IOException {
        repeat(() -> partial.done(segment), () -> {
            long from = partial.start(segment) + partial.done(segment);
            long end = partial.end(segment);
            boolean all = from == 0 && end == file.size();
            read(all ? null : "bytes=%d-%d".formatted(from, end - 1), from, end, bytes -> append(segment, bytes));
            if (!partial.isComplete(segment)) {
                throw cut(partial.start(segment) + partial.done(segment), end);
            }
        });
    }

    /// All bytes from the first on; those that are there already are passed over.
    private void whole() throws IOException {
        long[] at = {0};
        read(null, 0, file.size(), bytes -> {
            while (bytes.hasRemaining()) {
                int segment = partial.segmentAt(at[0]);
                long next = partial.start(segment) + partial.done(segment);
                int known = (int) Math.min(bytes.remaining(), Math.max(0, next - at[0]));
                bytes.position(bytes.position() + known);
                at[0] += known;
                int fresh = (int) Math.min(bytes.remaining(), partial.end(segment) - at[0]);
                if (known == 0) {
                    append(segment, bytes.slice(bytes.position(), fresh));
                    bytes.position(bytes.position() + fresh);
                    at[0] += fresh;
                }
            }
        });
        if (at[0] < file.size()) {
            throw cut(at[0], file.size());
        }
    }

    private void append(int segment, ByteBuffer bytes) throws IOException {
        int count = bytes.remaining();
        partial.append(segment, bytes);
        report.received(count);
    }

    private interface Sink {
        void take(ByteBuffer bytes) throws IOException;
    }

    /// Reads bytes `[from, end)` of the file, or fewer if the connection is cut.
    private void read(@Nullable String range, long from, long end, Sink sink) throws IOException {
        HttpResponse<InputStream> response = requests.get(address, range);
        try (StallGuard guard =
                new StallGuard(response.body(), requests.timing().stall())) {
            check(response, range != null, from, end);
            byte[] buffer = new byte[BUFFER_BYTES];
            for (long at = from; ; ) {
                int count = receive(response.body(), buffer, guard);
                if (count < 0) {
                    return;
                }
                guard.alive();
                at += count;
                if (at > end) {
                    throw new HubException("%s: got more than the %d bytes asked for".formatted(file, end - from));
                }
                sink.take(ByteBuffer.wrap(buffer, 0, count));
            }
        }
    }

    private int receive(InputStream body, byte[] buffer, StallGuard guard) throws IOException {
        try {
            return body.read(buffer);
        } catch (IOException e) {
            if (Thread.currentThread().isInterrupted() || e.getCause() instanceof InterruptedException) {
                throw Interrupts.cancelled(e);
            }
            throw guard.isStalled()
                    ? new PassingFailure(
                            "nothing came for %d s"
                                    .formatted(requests.timing().stall().toSeconds()),
                            null,
                            e)
                    : new PassingFailure("the connection was cut", null, e);
        }
    }

    /// Whether the answer is what was asked for.
    private void check(HttpResponse<InputStream> response, boolean ranged, long from, long end) throws IOException {
        if (response.statusCode() == 200) {
            if (ranged) {
                throw new NoRanges();
            }
            long length = response.headers().firstValueAsLong("Content-Length").orElse(file.size());
            String coding = response.headers().firstValue("Content-Encoding").orElse("identity");
            if (length != file.size() || !coding.equals("identity")) {
                throw new HubException("%s: got %d bytes (%s), need %d".formatted(file, length, coding, file.size()));
            }
            return;
        }
        if (response.statusCode() == 206 && ranged) {
            String got = response.headers().firstValue("Content-Range").orElse("");
            String need = "bytes %d-%d/%d".formatted(from, end - 1, file.size());
            if (!got.equals(need) && !got.equals("bytes %d-%d/*".formatted(from, end - 1))) {
                throw new HubException("%s: got \"%s\", need \"%s\"".formatted(file, got, need));
            }
            return;
        }
        throw refusals.of(response, file.name());
    }

    private PassingFailure cut(long at, long end) {
        return new PassingFailure("the connection was cut, %d bytes early".formatted(end - at), null, null);
    }

    /// Until it is done, as long as each attempt brings the file further, and a few times more.
    private void repeat(LongSupplier held, Workers.Task task) throws IOException {
        Attempts attempts = new Attempts(requests.timing(), file.toString(), report::told);
        while (true) {
            long before = held.getAsLong();
            try {
                task.run();
                return;
            } catch (PassingFailure e) {
                if (held.getAsLong() > before) {
                    attempts.progressed();
                }
                attempts.failed(e);
            }
        }
    }
}
