package dev.lapidary.hub;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/// The cache's part for one repository, as Python's `huggingface_hub` lays it out:
///
/// ```
/// CACHEDIR.TAG
/// .locks/models--ORG--NAME/ETAG.lock
/// models--ORG--NAME/blobs/ETAG                     the bytes
/// models--ORG--NAME/blobs/ETAG.lapidary.incomplete what has been downloaded of them
/// models--ORG--NAME/refs/REVISION                  the commit of a branch or tag
/// models--ORG--NAME/snapshots/COMMIT/NAME          a link to ../../blobs/ETAG
/// ```
final class CacheFolder {
    private static final String TAG_TEXT = """
        Signature: 8a477f597d28d172789f06886806bc55
        # This file is a cache directory tag created by huggingface_hub.
        # For information about cache directory tags, see:
        #\thttps://bford.info/cachedir/
        """;

    private final Path root;
    private final Path repository;
    private final String folder;
    private final Linker linker;

    /// How a link is made.
    interface Linker {
        void link(Path link, Path target) throws IOException;
    }

    CacheFolder(Path root, ModelName model) {
        this(root, model, Files::createSymbolicLink);
    }

    CacheFolder(Path root, ModelName model, Linker linker) {
        this.root = root;
        folder = "models--%s--%s".formatted(model.organization(), model.name());
        repository = root.resolve(folder);
        this.linker = linker;
    }

    /// Makes the folders, and marks the cache as one that backups may leave out.
    void create() throws IOException {
        Files.createDirectories(blob("x").getParent());
        Path tag = root.resolve("CACHEDIR.TAG");
        if (!Files.exists(tag)) {
            try {
                Files.writeString(tag, TAG_TEXT);
            } catch (FileSystemException e) {
                return; // somebody else's cache, in which we may write only this repository
            }
        }
    }

    Path root() {
        return root;
    }

    Path blob(String etag) {
        return repository.resolve("blobs").resolve(etag);
    }

    Path partial(String etag) {
        return blob(etag + ".lapidary.incomplete");
    }

    Path lock(String etag) {
        return root.resolve(".locks").resolve(folder).resolve(etag + ".lock");
    }

    Path snapshot(String commit) {
        return repository.resolve("snapshots").resolve(commit);
    }

    /// The commit that a revision had when it was last asked for.
    Optional<String> commit(ModelName model) throws IOException {
        if (model.isCommit()) {
            return Optional.of(model.revision());
        }
        try {
            String commit = Files.readString(ref(model.revision())).strip();
            return ModelName.isCommit(commit) ? Optional.of(commit) : Optional.empty();
        } catch (NoSuchFileException | NotDirectoryException e) {
            return Optional.empty();
        } catch (FileSystemException e) {
            if (Files.isDirectory(ref(model.revision()))) {
                return Optional.empty(); // `refs/pr` is the folder of `refs/pr/1`
            }
            throw e;
        }
    }

    /// Remembers the commit of a revision.
    void remember(ModelName model, String commit) throws IOException {
        if (model.isCommit() || commit(model).equals(Optional.of(commit))) {
            return;
        }
        Path ref = ref(model.revision());
        Files.createDirectories(ref.getParent());
        Path fresh = beside(ref);
        try {
            Files.writeString(fresh, commit);
            Files.move(fresh, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /// Whether a snapshot has a file, whose blob is there.
    boolean has(String commit, String name) {
        return Files.isRegularFile(snapshot(commit).resolve(name));
    }

    /// Gives a snapshot the file `name`: a link to a blob; where the file system makes none, the blob itself.
    ///
    /// @param fresh whether no other snapshot can have that blob
    void place(String commit, String name, String etag, boolean fresh) throws IOException {
        Path pointer = snapshot(commit).resolve(name);
        Path parent = Files.createDirectories(pointer.resolveSibling(""));
        Path target = parent.relativize(blob(etag));
        Path link = beside(pointer);
        try {
            linker.link(link, target);
            Files.move(link, pointer, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (UnsupportedOperationException | FileSystemException e) {
            if (fresh) {
                Files.move(blob(etag), pointer, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.copy(blob(etag), link);
                Files.move(link, pointer, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(link);
        }
    }

    private Path ref(String revision) {
        return repository.resolve("refs").resolve(revision);
    }

    private static Path beside(Path file) {
        return file.resolveSibling("%s.%08x.tmp"
                .formatted(file.getFileName(), ThreadLocalRandom.current().nextInt()));
    }
}
