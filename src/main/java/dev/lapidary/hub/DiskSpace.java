package dev.lapidary.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Room on the disk of the cache.
final class DiskSpace {
    private static final long MEBIBYTE = 1 << 20;

    private DiskSpace() {}

    /// @throws HubException if there is less room than `bytes`
    static void require(ModelName model, Path cache, long bytes) throws IOException {
        long usable = Files.getFileStore(cache).getUsableSpace();
        if (bytes > usable) {
            throw new HubException("%s: %s are still to come, and the disk of %s has room for %s: %s"
                    .formatted(model, mebibytes(bytes), cache, mebibytes(usable), advice()));
        }
    }

    /// A failure to write, with advice if it was for want of room.
    static IOException explained(Path cache, IOException failure) {
        String words = String.valueOf(failure.getMessage());
        if (words.contains("No space left") || words.contains("quota exceeded")) {
            return new HubException(
                    "%s: the disk is full: %s; what was downloaded is kept".formatted(cache, advice()), failure);
        }
        return failure;
    }

    private static String advice() {
        return "make room there, or name another folder with HF_HUB_CACHE";
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%,d MiB", (bytes + MEBIBYTE - 1) / MEBIBYTE);
    }
}
