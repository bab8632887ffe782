package dev.lapidary.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/// What an ETag of the hub says of the bytes.
enum BlobHash {
    /// Of files in large file storage.
    SHA_256("SHA-256", Pattern.compile("[0-9a-f]{64}")),
    /// Of files in git itself: a header, then the bytes.
    GIT("SHA-1", Pattern.compile("[0-9a-f]{40}"));

    private static final int BUFFER_BYTES = 1 << 20;

    private final String algorithm;
    private final Pattern form;

    BlobHash(String algorithm, Pattern form) {
        this.algorithm = algorithm;
        this.form = form;
    }

    /// Empty for an ETag that is no hash, as some mirrors have: then only the size can be checked.
    static Optional<BlobHash> of(String etag) {
        for (BlobHash hash : values()) {
            if (hash.form.matcher(etag).matches()) {
                return Optional.of(hash);
            }
        }
        return Optional.empty();
    }

    /// The ETag that the first `size` bytes of a file should have.
    String of(FileChannel file, long size) throws IOException {
        MessageDigest digest = digest();
        if (this == GIT) {
            digest.update("blob %d\0".formatted(size).getBytes(StandardCharsets.US_ASCII));
        }
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
        for (long at = 0; at < size; ) {
            Interrupts.check();
            buffer.clear().limit((int) Math.min(buffer.capacity(), size - at));
            int count = file.read(buffer, at);
            if (count < 0) {
                break; // shorter than it should be: the hash will say so
            }
            digest.update(buffer.flip());
            at += count;
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private MessageDigest digest() {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("need %s, which every Java platform has".formatted(algorithm), e);
        }
    }
}
