package dev.lapidary.hub;

import static dev.lapidary.hub.HubServer.MODEL;
import static dev.lapidary.hub.HubServer.always;
import static dev.lapidary.hub.HubServer.on;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.hub.HubServer.Request;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Downloads that end early, and those that meet.
class PullResumeTest {
    private static final int WEIGHTS = 6500;
    private static final int HELD = 6300;

    @TempDir
    private Path cache;

    private HubServer server;

    @BeforeEach
    void start() throws IOException {
        server = HubServer.withModel(WEIGHTS);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void whatOneDownloadLeftTheNextDoesNotAskFor() throws IOException {
        leavePart();
        long[] planned = new long[3];
        server.client(cache).pull(MODEL, Selection.model(), new PullListener() {
            @Override
            public void planned(int files, long totalBytes, long heldBytes) {
                planned[0] = files;
                planned[1] = totalBytes;
                planned[2] = heldBytes;
            }
        });
        assertThat(planned).containsExactly(1, WEIGHTS, HELD);
        assertThat(server.rangesAsked("/blobs/" + server.etag("model.safetensors")))
                .containsExactly("bytes=6300-6499");
        assertWhole();
    }

    @Test
    void aPartThatWasDamagedIsDownloadedAgain() throws IOException {
        leavePart();
        try (RandomAccessFile file = new RandomAccessFile(partial().toFile(), "rw")) {
            file.seek(2345);
            int there = file.read();
            file.seek(2345);
            file.write(there ^ 1);
        }
        List<String> told = new ArrayList<>();
        server.client(cache).pull(MODEL, Selection.model(), new PullListener() {
            @Override
            public void told(String message) {
                told.add(message);
            }
        });
        assertThat(told).singleElement().asString().contains("got the hash ").endsWith("; downloading it again");
        assertWhole();
    }

    @Test
    void aPartThatIsNoneIsIgnored() throws IOException {
        for (byte[] other : new byte[][] {new byte[0], new byte[10], new byte[WEIGHTS + 24 + 7 * 8]}) {
            Files.createDirectories(partial().getParent());
            Files.write(partial(), other);
            server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
            assertWhole();
            deleteAll(cache.resolve("models--google--gemma-tiny"));
        }
    }

    @Test
    void aPartWithAnImpossibleRecordIsIgnored() throws IOException {
        leavePart();
        try (RandomAccessFile file = new RandomAccessFile(partial().toFile(), "rw")) {
            file.seek(WEIGHTS + 24);
            file.writeLong(1001);
        }
        assertThat(PartialFile.held(partial(), WEIGHTS, 1000)).isZero();
        server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
        assertWhole();
    }

    @Test
    void anInterruptEndsTheDownloadAndKeepsWhatThereIs() throws Exception {
        server.storeFaults.add(always(on(server.etag("model.safetensors"), server.stallAfter(300))));
        CountDownLatch some = new CountDownLatch(1);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Timing patient = new Timing(
                HubServer.IMPATIENT.connect(),
                HubServer.IMPATIENT.answer(),
                HubServer.IMPATIENT.answer(),
                4,
                HubServer.IMPATIENT.firstPause(),
                HubServer.IMPATIENT.longestWait());
        Thread puller = Thread.ofPlatform().start(() -> {
            try {
                Hub.of(server.settings(cache), patient, 1000)
                        .pull(MODEL, Selection.matching(List.of("model.safetensors")), new PullListener() {
                            @Override
                            public void received(long bytes) {
                                some.countDown();
                            }
                        });
            } catch (IOException | RuntimeException e) {
                thrown.set(e);
                if (!Thread.currentThread().isInterrupted()) {
                    thrown.set(new AssertionError("the thread is not interrupted any more"));
                }
            }
        });
        assertThat(some.await(20, TimeUnit.SECONDS)).isTrue();
        puller.interrupt();
        puller.join(20_000);
        assertThat(thrown.get()).isInstanceOf(CancellationException.class);
        thrown.get().printStackTrace();
        assertThat(PartialFile.held(partial(), WEIGHTS, 1000)).isPositive();
        server.storeFaults.clear();
        server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
        assertWhole();
    }

    @Test
    void manyPullersDownloadEachFileOnce() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(5)) {
            List<Future<Snapshot>> pulls = threads.invokeAll(Collections.nCopies(5, (Callable<Snapshot>)
                    () -> server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE)));
            for (Future<Snapshot> pull : pulls) {
                assertThat(pull.get().commit()).isEqualTo(HubServer.COMMIT);
            }
        }
        assertWhole();
        assertThat(server.requests)
                .filteredOn(request -> request.at().equals("store"))
                .extracting(Request::range)
                .hasSize(8)
                .doesNotHaveDuplicates();
    }

    /// Another process has the lock, until it ends.
    @Test
    void aBlobThatAnotherProcessDownloadsIsWaitedFor() throws Exception {
        Path lock =
                cache.resolve(".locks/models--google--gemma-tiny/%s.lock".formatted(server.etag("model.safetensors")));
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        lock.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(other.inputReader().readLine()).isEqualTo("locked");
        List<String> told = new ArrayList<>();
        server.client(cache).pull(MODEL, Selection.model(), new PullListener() {
            @Override
            public void told(String message) {
                told.add(message);
                try {
                    other.getOutputStream().close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        });
        assertThat(told).containsExactly("google/gemma-tiny: model.safetensors: waiting for another download of it");
        assertWhole();
        assertThat(other.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }

    /// Holds the lock of a file until its input ends.
    static final class LockHolder {
        private LockHolder() {}

        public static void main(String[] arguments) throws IOException {
            try (BlobLock _ = BlobLock.acquire(Path.of(arguments[0]), () -> {})) {
                System.out.println("locked");
                System.in.read();
            }
        }
    }

    /// A download that lacks the last 200 bytes of the weights.
    private void leavePart() throws IOException {
        server.storeFaults.add(always(new HubServer.Fault(
                exchange -> {
                    String range = String.valueOf(exchange.getRequestHeaders().getFirst("Range"));
                    return range.startsWith("bytes=6000-") || range.startsWith("bytes=6300-");
                },
                exchange -> (exchange.getRequestHeaders().getFirst("Range").startsWith("bytes=6000-")
                                ? server.cutAfter(300)
                                : server.cutAfter(0))
                        .send(exchange),
                true)));
        HubSettings one = new HubSettings(server.endpoint(), cache, Optional.empty(), false, 1);
        assertThatThrownBy(
                        () -> Hub.of(one, HubServer.IMPATIENT, 1000).pull(MODEL, Selection.model(), PullListener.NONE))
                .isInstanceOf(HubException.class);
        server.storeFaults.clear();
        server.requests.clear();
        assertThat(PartialFile.held(partial(), WEIGHTS, 1000)).isEqualTo(HELD);
    }

    private Path partial() {
        return cache.resolve(
                "models--google--gemma-tiny/blobs/%s.lapidary.incomplete".formatted(server.etag("model.safetensors")));
    }

    private void assertWhole() throws IOException {
        assertThat(cache.resolve("models--google--gemma-tiny/snapshots")
                        .resolve(HubServer.COMMIT)
                        .resolve("model.safetensors"))
                .hasBinaryContent(server.files.get("model.safetensors"));
        assertThat(partial()).doesNotExist();
    }

    private static void deleteAll(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
