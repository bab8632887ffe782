package dev.lapidary.hub;

import static dev.lapidary.hub.HubServer.Fault.once;
import static dev.lapidary.hub.HubServer.MODEL;
import static dev.lapidary.hub.HubServer.always;
import static dev.lapidary.hub.HubServer.on;
import static dev.lapidary.hub.HubServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A hub that misbehaves.
class PullFaultsTest {
    private static final int WEIGHTS = 4500;

    @TempDir
    private Path cache;

    private HubServer server;
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private long received;

    @BeforeEach
    void start() throws IOException {
        server = HubServer.withModel(WEIGHTS);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void cutConnectionsAreGoneOnWith() throws IOException {
        for (int i = 0; i < 12; i++) {
            server.storeFaults.add(once(server.cutAfter(300)));
        }
        assertPulled();
        assertThat(server.rangesAsked("/blobs/" + server.etag("model.safetensors")))
                .contains("bytes=300-999")
                .hasSizeBetween(12, 20);
        assertThat(told).anySatisfy(line -> assertThat(line).contains("model.safetensors: the connection was cut"));
        assertThat(received).isEqualTo(WEIGHTS + 532L);
    }

    @Test
    void smallFilesThatAreCutAreGoneOnWithToo() throws IOException {
        server.hubFaults.add(on("GET", "/config.json", server.cutAfter(10)));
        assertPulled();
        assertThat(server.rangesAsked("/google/gemma-tiny/resolve/" + HubServer.COMMIT + "/config.json"))
                .containsExactly("", "bytes=10-29");
    }

    @Test
    void cutsWithoutAnyProgressEndTheDownloadAndKeepWhatThereIs() throws IOException {
        server.storeFaults.add(on(server.etag("model.safetensors"), server.cutAfter(400)));
        server.storeFaults.add(always(on(server.etag("model.safetensors"), server.cutAfter(0))));
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessageMatching("google/gemma-tiny: model.safetensors: the connection was cut.* \\(4 attempts\\);"
                        + " what was downloaded is kept, try again later");
        server.storeFaults.clear();
        assertThat(cache.resolve("models--google--gemma-tiny/refs/main")).doesNotExist();
        received = 0;
        assertPulled();
        assertThat(received).isEqualTo(WEIGHTS - 400L);
    }

    @Test
    void aStalledConnectionIsLeft() throws IOException {
        server.storeFaults.add(on(server.etag("model.safetensors"), server.stallAfter(200)));
        assertPulled();
        assertThat(told).anySatisfy(line -> assertThat(line).contains("model.safetensors: nothing came for"));
    }

    @Test
    void aServerWithoutRangesSendsAllAtOnce() throws IOException {
        server.storeFaults.add(always(on(server.etag("model.safetensors"), server.withoutRanges())));
        assertPulled();
        assertThat(received).isEqualTo(WEIGHTS + 532L);
        assertThat(server.rangesAsked("/blobs/" + server.etag("model.safetensors")))
                .endsWith("");
    }

    @Test
    void aServerWithoutRangesMayBeCutToo() throws IOException {
        int[] wholes = {0};
        server.storeFaults.add(always(on(server.etag("model.safetensors"), exchange -> {
            boolean cut = !exchange.getRequestHeaders().containsKey("Range") && wholes[0]++ == 0;
            (cut ? server.wholeCutAfter(3300) : server.withoutRanges()).send(exchange);
        })));
        assertPulled();
        assertThat(received).isEqualTo(WEIGHTS + 532L);
    }

    @Test
    void wrongBytesAreDownloadedAgain() throws IOException {
        server.storeFaults.add(on(server.etag("tokenizer.model"), server.otherBytes()));
        assertPulled();
        assertThat(told).anySatisfy(line -> assertThat(line).contains("tokenizer.model: got the hash "));
        assertThat(received).isEqualTo(WEIGHTS + 532L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizer.model", "config.json"})
    void wrongBytesTwiceAreRefused(String file) throws IOException {
        (server.large.contains(file) ? server.storeFaults : server.hubFaults)
                .add(always(
                        on("GET", server.large.contains(file) ? server.etag(file) : "/" + file, server.otherBytes())));
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessageContaining("google/gemma-tiny: %s: got the hash ".formatted(file))
                .hasMessageContaining("need " + server.etag(file))
                .hasMessageContaining("what came was deleted");
        Path blobs = cache.resolve("models--google--gemma-tiny/blobs");
        assertThat(blobs.resolve(server.etag(file))).doesNotExist();
        assertThat(blobs.resolve(server.etag(file) + ".lapidary.incomplete")).doesNotExist();
    }

    static Stream<Arguments> wrongLengths() {
        return Stream.of(
                Arguments.of("bytes 0-999/4501", 206, 1000, "got \"bytes 0-999/4501\", need \"bytes "),
                Arguments.of("bytes 1-1000/4500", 206, 1000, "need \"bytes "),
                Arguments.of("", 206, 1000, "got \"\", need \"bytes "),
                Arguments.of("", 416, 0, "127.0.0.1 answered 416"));
    }

    @ParameterizedTest
    @MethodSource("wrongLengths")
    void wrongRangesAreRefused(String range, int status, int length, String message) {
        server.storeFaults.add(on(server.etag("model.safetensors"), exchange -> {
            if (!range.isEmpty()) {
                exchange.getResponseHeaders().add("Content-Range", range);
            }
            exchange.sendResponseHeaders(status, length == 0 ? -1 : length);
            exchange.getResponseBody().write(new byte[length]);
            exchange.close();
        }));
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("google/gemma-tiny: model.safetensors: ")
                .hasMessageContaining(message);
    }

    @Test
    void aFileOfTheWrongLengthIsRefused() {
        server.storeFaults.add(on(server.etag("tokenizer.model"), exchange -> {
            exchange.sendResponseHeaders(200, 499);
            exchange.getResponseBody().write(new byte[499]);
            exchange.close();
        }));
        assertThatThrownBy(this::pull)
                .hasMessage("google/gemma-tiny: tokenizer.model: got 499 bytes (identity), need 500");
    }

    @Test
    void moreBytesThanAskedForAreRefused() {
        server.storeFaults.add(on(server.etag("tokenizer.model"), exchange -> {
            exchange.sendResponseHeaders(200, 0); // chunked
            exchange.getResponseBody().write(new byte[501]);
            exchange.close();
        }));
        assertThatThrownBy(this::pull)
                .hasMessage("google/gemma-tiny: tokenizer.model: got more than the 500 bytes asked for");
    }

    @Test
    void theTokenStaysWithTheHub() throws IOException {
        AccessToken token = new AccessToken("hf_secret", "HF_TOKEN");
        HubSettings settings = new HubSettings(server.endpoint(), cache, Optional.of(token), false, 4);
        Hub.of(settings, HubServer.IMPATIENT, 1000).pull(MODEL, Selection.model(), PullListener.NONE);
        assertThat(server.requests)
                .filteredOn(request -> request.at().equals("hub"))
                .hasSizeGreaterThan(5)
                .allSatisfy(request -> assertThat(request.authorization()).isEqualTo("Bearer hf_secret"));
        assertThat(server.requests)
                .filteredOn(request -> request.at().equals("store"))
                .hasSizeGreaterThan(5)
                .allSatisfy(request -> assertThat(request.authorization()).isEmpty());
        assertThat(settings.toString()).doesNotContain("hf_secret");
    }

    @Test
    void aRenamedRepositoryIsFollowed() throws IOException {
        server.hubFaults.add(always(on("gemma-old", exchange -> {
            String path = exchange.getRequestURI().getPath().replace("gemma-old", "gemma-tiny");
            status(307, "Location", path).send(exchange);
        })));
        Snapshot snapshot =
                server.client(cache).pull(ModelName.parse("google/gemma-old"), Selection.model(), PullListener.NONE);
        assertThat(snapshot.folder().resolve("config.json")).hasBinaryContent(server.files.get("config.json"));
        assertThat(snapshot.folder().resolve("model.safetensors"))
                .hasBinaryContent(server.files.get("model.safetensors"));
    }

    @Test
    void redirectsEnd() {
        server.hubFaults.add(always(once(status(302, "Location", "/again"))));
        assertThatThrownBy(this::pull).hasMessageContaining("got more than 8 redirects");
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "ftp://127.0.0.1/x", "http:///x", "::"})
    void redirectsToOtherThanTheWebAreRefused(String location) {
        server.hubFaults.add(once(status(302, "Location", location)));
        assertThatThrownBy(this::pull).isInstanceOf(HubException.class).hasMessageContaining("got a redirect to ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "null",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\"}",
                "{\"sha\": \"../..\", \"siblings\": []}",
                "{\"sha\": 5, \"siblings\": [{}]}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [{\"rfilename\": \"../x\"}]}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [{\"rfilename\": \"/x\"}]}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [{\"rfilename\": \"a\\\\..\"}]}",
                "<html>"
            })
    void aListThatCannotBeRightIsRefused(String list) {
        server.hubFaults.add(once(exchange -> {
            byte[] bytes = list.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        }));
        assertThatThrownBy(this::pull).isInstanceOf(HubException.class).hasMessageStartingWith("google/gemma-tiny: ");
        assertThat(cache).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "a/b", "a b"})
    void anEtagThatIsNoNameIsRefused(String etag) {
        server.hubFaults.add(on("HEAD", "", status(200, "ETag", etag, "Content-Length", "3")));
        assertThatThrownBy(this::pull).isInstanceOf(HubException.class).hasMessageContaining("got the ETag ");
    }

    @Test
    void aServerThatIsNotThereIsNamed() throws IOException {
        URI gone = server.endpoint();
        server.close();
        HubSettings settings = new HubSettings(gone, cache, Optional.empty(), false, 1);
        assertThatThrownBy(() ->
                        Hub.of(settings, HubServer.IMPATIENT, 1000).pull(MODEL, Selection.model(), PullListener.NONE))
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("google/gemma-tiny: 127.0.0.1:%d: ".formatted(gone.getPort()));
    }

    @Test
    void aServerThatDoesNotAnswerIsLeft() {
        Timing brief = new Timing(
                Duration.ofSeconds(5),
                Duration.ofMillis(100),
                Duration.ofSeconds(5),
                2,
                Duration.ofMillis(1),
                Duration.ofSeconds(1));
        server.hubFaults.add(always(once(exchange -> {
            try {
                Thread.sleep(Duration.ofSeconds(20));
            } catch (InterruptedException e) {
                exchange.close();
            }
        })));
        assertThatThrownBy(() ->
                        Hub.of(server.settings(cache), brief, 1000).pull(MODEL, Selection.model(), PullListener.NONE))
                .hasMessageContaining("no answer from 127.0.0.1 within");
    }

    /// `/dev/full` is a disk without room.
    @Test
    void aFullDiskIsNamed() throws IOException {
        Path blobs = Files.createDirectories(cache.resolve("models--google--gemma-tiny/blobs"));
        Files.createSymbolicLink(
                blobs.resolve(server.etag("model.safetensors") + ".lapidary.incomplete"), Path.of("/dev/full"));
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessage(("%s: the disk is full: make room there, or name another folder with HF_HUB_CACHE;"
                                + " what was downloaded is kept")
                        .formatted(cache));
    }

    @Test
    void aDiskThatIsTooSmallIsNamedBeforeAnythingIsDownloaded() {
        server.hubFaults.add(on(
                "HEAD",
                "model.safetensors",
                status(
                        302,
                        "X-Linked-Etag",
                        "a".repeat(64),
                        "X-Linked-Size",
                        "1" + "0".repeat(17),
                        "Location",
                        "http://localhost/")));
        server.files.keySet().removeIf(name -> !name.equals("model.safetensors"));
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("google/gemma-tiny: 95,367,431,641 MiB are still to come, and the disk of ");
        assertThat(server.requests)
                .noneSatisfy(request -> assertThat(request.at()).isEqualTo("store"));
    }

    private void assertPulled() throws IOException {
        Snapshot snapshot = pull();
        for (String name : List.of("model.safetensors", "tokenizer.model", "config.json", "tokenizer_config.json")) {
            assertThat(snapshot.folder().resolve(name)).hasBinaryContent(server.files.get(name));
        }
        try (Stream<Path> blobs = Files.list(cache.resolve("models--google--gemma-tiny/blobs"))) {
            assertThat(blobs).hasSize(4);
        }
    }

    private Snapshot pull() throws IOException {
        return server.client(cache).pull(MODEL, Selection.model(), new PullListener() {
            @Override
            public void received(long bytes) {
                received += bytes;
            }

            @Override
            public void told(String message) {
                told.add(message);
            }
        });
    }
}
