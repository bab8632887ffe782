package dev.lapidary.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.hub.HubServer.Request;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A hub that works.
class PullTest {
    private static final ModelName MODEL = HubServer.MODEL;
    private static final int WEIGHTS = 10_500;

    @TempDir
    private Path cache;

    /// Folders, links, refs and locks as `snapshot_download` of huggingface_hub 2.0.0 left them for the same files,
    /// but for `trees/`, where it keeps what the hub said.
    @Test
    void layoutIsThatOfPython() throws IOException {
        try (HubServer server = HubServer.withModel(WEIGHTS)) {
            Snapshot snapshot = server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
            String weights = server.etag("model.safetensors");
            String vocabulary = server.etag("tokenizer.model");
            String config = server.etag("config.json");
            String tokenizerConfig = server.etag("tokenizer_config.json");
            String at = "models--google--gemma-tiny/";
            String links = at + "snapshots/" + HubServer.COMMIT + "/";
            assertThat(tree(cache))
                    .isEqualTo(new TreeMap<>(Map.ofEntries(
                            Map.entry("CACHEDIR.TAG", "191 bytes"),
                            Map.entry(".locks/models--google--gemma-tiny/" + weights + ".lock", "0 bytes"),
                            Map.entry(".locks/models--google--gemma-tiny/" + vocabulary + ".lock", "0 bytes"),
                            Map.entry(".locks/models--google--gemma-tiny/" + config + ".lock", "0 bytes"),
                            Map.entry(".locks/models--google--gemma-tiny/" + tokenizerConfig + ".lock", "0 bytes"),
                            Map.entry(at + "blobs/" + weights, WEIGHTS + " bytes"),
                            Map.entry(at + "blobs/" + vocabulary, "500 bytes"),
                            Map.entry(at + "blobs/" + config, "30 bytes"),
                            Map.entry(at + "blobs/" + tokenizerConfig, "2 bytes"),
                            Map.entry(at + "refs/main", "40 bytes"),
                            Map.entry(links + "model.safetensors", "-> ../../blobs/" + weights),
                            Map.entry(links + "tokenizer.model", "-> ../../blobs/" + vocabulary),
                            Map.entry(links + "config.json", "-> ../../blobs/" + config),
                            Map.entry(links + "tokenizer_config.json", "-> ../../blobs/" + tokenizerConfig))));
            assertThat(cache.resolve(at + "refs/main")).hasContent(HubServer.COMMIT);
            assertThat(snapshot).isEqualTo(new Snapshot(MODEL, HubServer.COMMIT, cache.resolve(links)));
            assertThat(snapshot.folder().resolve("model.safetensors"))
                    .hasBinaryContent(server.files.get("model.safetensors"));
            assertThat(snapshot.folder().resolve("config.json")).hasBinaryContent(server.files.get("config.json"));
        }
    }

    @Test
    void largeFilesComeInRangesAndSmallOnesWhole() throws IOException {
        try (HubServer server = HubServer.withModel(2500)) {
            server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
            assertThat(server.rangesAsked("/blobs/" + server.etag("model.safetensors")))
                    .containsExactlyInAnyOrder("bytes=0-999", "bytes=1000-1999", "bytes=2000-2499");
            assertThat(server.rangesAsked("/blobs/" + server.etag("tokenizer.model")))
                    .containsExactly("");
        }
    }

    @Test
    void theSecondTimeNothingIsDownloaded() throws IOException {
        try (HubServer server = HubServer.withModel(WEIGHTS)) {
            Snapshot first = server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
            server.requests.clear();
            assertThat(server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE))
                    .isEqualTo(first);
            assertThat(server.requests)
                    .extracting(Request::path)
                    .containsExactly("/api/models/google/gemma-tiny/revision/main");
            server.requests.clear();
            assertThat(server.client(cache).get(MODEL, Selection.model(), PullListener.NONE))
                    .isEqualTo(first);
            assertThat(server.requests).isEmpty();
        }
    }

    @Test
    void aCommitIsARevisionToo() throws IOException {
        try (HubServer server = HubServer.withModel(100)) {
            ModelName pinned = new ModelName("google", "gemma-tiny", HubServer.COMMIT);
            Snapshot snapshot = server.client(cache).pull(pinned, Selection.model(), PullListener.NONE);
            assertThat(cache.resolve("models--google--gemma-tiny/refs")).doesNotExist();
            assertThat(server.client(cache).cached(pinned, Selection.model())).contains(snapshot);
            assertThat(server.client(cache).cached(MODEL, Selection.model())).isEmpty();
        }
    }

    @Test
    void whatPythonBeganIsCompleted() throws IOException {
        try (HubServer server = HubServer.withModel(WEIGHTS)) {
            Path repository = cache.resolve("models--google--gemma-tiny");
            Path folder = Files.createDirectories(repository.resolve("snapshots/" + HubServer.COMMIT));
            Files.createDirectories(repository.resolve("refs"));
            Files.createDirectories(repository.resolve("blobs"));
            Files.writeString(repository.resolve("refs/main"), HubServer.COMMIT);
            Files.write(repository.resolve("blobs/" + server.etag("config.json")), server.files.get("config.json"));
            Files.createSymbolicLink(
                    folder.resolve("config.json"), Path.of("../../blobs/" + server.etag("config.json")));
            Files.createSymbolicLink(folder.resolve("tokenizer.model"), Path.of("../../blobs/gone"));
            Files.write(
                    repository.resolve("blobs/" + server.etag("model.safetensors")),
                    server.files.get("model.safetensors"));
            Hub hub = server.client(cache);
            assertThat(hub.cached(MODEL, Selection.model())).isEmpty();
            hub.get(MODEL, Selection.model(), PullListener.NONE);
            assertThat(folder.resolve("tokenizer.model")).hasBinaryContent(server.files.get("tokenizer.model"));
            assertThat(folder.resolve("model.safetensors")).isSymbolicLink();
            assertThat(server.requests)
                    .extracting(Request::path)
                    .doesNotContain("/blobs/" + server.etag("model.safetensors"))
                    .doesNotContain("/google/gemma-tiny/resolve/" + HubServer.COMMIT + "/config.json");
        }
    }

    @Test
    void aBlobOfTheWrongSizeIsReplaced() throws IOException {
        try (HubServer server = HubServer.withModel(WEIGHTS)) {
            Path blobs = Files.createDirectories(cache.resolve("models--google--gemma-tiny/blobs"));
            Files.write(blobs.resolve(server.etag("model.safetensors")), new byte[7]);
            Snapshot snapshot = server.client(cache).pull(MODEL, Selection.model(), PullListener.NONE);
            assertThat(snapshot.folder().resolve("model.safetensors"))
                    .hasBinaryContent(server.files.get("model.safetensors"));
        }
    }

    @Test
    void patternsChooseOtherFiles() throws IOException {
        try (HubServer server = HubServer.withModel(100)) {
            server.files.put("empty.txt", new byte[0]);
            Snapshot snapshot = server.client(cache)
                    .pull(MODEL, Selection.matching(List.of("original/*", "*.txt")), PullListener.NONE);
            assertThat(tree(snapshot.folder()).keySet()).containsExactly("empty.txt", "original/model.safetensors");
            assertThat(Files.readSymbolicLink(snapshot.folder().resolve("original/model.safetensors")))
                    .isEqualTo(Path.of("../../../blobs/" + server.etag("original/model.safetensors")));
            assertThat(snapshot.folder().resolve("empty.txt")).isEmptyFile();
        }
    }

    @Test
    void progressAddsUp() throws IOException {
        try (HubServer server = HubServer.withModel(WEIGHTS)) {
            long[] sums = new long[4];
            server.client(cache).pull(MODEL, Selection.model(), new PullListener() {
                @Override
                public void planned(int files, long totalBytes, long heldBytes) {
                    sums[0] = files;
                    sums[1] = totalBytes;
                    sums[2] = heldBytes;
                }

                @Override
                public void received(long bytes) {
                    sums[3] += bytes;
                }
            });
            assertThat(sums).containsExactly(4, WEIGHTS + 532, 0, WEIGHTS + 532);
        }
    }

    @Test
    void withoutLinksTheFilesThemselvesStandInTheSnapshot() throws IOException {
        CacheFolder folder = new CacheFolder(cache, MODEL, (link, _) -> {
            throw new FileSystemException(link.toString(), null, "Operation not permitted");
        });
        folder.create();
        Files.write(folder.blob("a"), new byte[] {1});
        Files.write(folder.blob("b"), new byte[] {2});
        folder.place(HubServer.COMMIT, "fresh", "a", true);
        folder.place(HubServer.COMMIT, "shared", "b", false);
        Path snapshot = folder.snapshot(HubServer.COMMIT);
        assertThat(tree(snapshot)).isEqualTo(new TreeMap<>(Map.of("fresh", "1 bytes", "shared", "1 bytes")));
        assertThat(snapshot.resolve("fresh")).hasBinaryContent(new byte[] {1});
        assertThat(snapshot.resolve("shared")).hasBinaryContent(new byte[] {2});
        assertThat(folder.blob("b")).exists();
    }

    @Test
    void offlineOnlyTheCacheCounts() throws IOException {
        try (HubServer server = HubServer.withModel(100)) {
            HubSettings offline = new HubSettings(server.endpoint(), cache, Optional.empty(), true, 4);
            assertThatThrownBy(() -> Hub.of(offline).get(MODEL, Selection.model(), PullListener.NONE))
                    .isInstanceOf(HubException.class)
                    .hasMessage("google/gemma-tiny: not in the cache %s, and HF_HUB_OFFLINE forbids to ask the hub"
                            .formatted(cache));
            server.client(cache).pull(MODEL, Selection.tokenizer(), PullListener.NONE);
            server.requests.clear();
            assertThatThrownBy(() -> Hub.of(offline).get(MODEL, Selection.model(), PullListener.NONE))
                    .hasMessageStartingWith("google/gemma-tiny: not complete in the cache");
            assertThat(Hub.of(offline)
                            .pull(MODEL, Selection.tokenizer(), PullListener.NONE)
                            .folder())
                    .isDirectoryContaining("glob:**/tokenizer.model");
            assertThat(server.requests).isEmpty();
        }
    }

    /// Files and links under their names, with size or target.
    private static Map<String, String> tree(Path folder) throws IOException {
        Map<String, String> tree = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(each -> !Files.isDirectory(each)).toList()) {
                tree.put(
                        folder.relativize(file).toString(),
                        Files.isSymbolicLink(file)
                                ? "-> " + Files.readSymbolicLink(file)
                                : Files.size(file) + " bytes");
            }
        }
        return tree;
    }
}
