package dev.lapidary.hub;

import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/// A file as the hub describes it.
///
/// @param etag the name of its blob: SHA-256 of the bytes for a large file, git's hash of them for a small one
/// @param size bytes
record RemoteFile(ModelName model, String name, String etag, long size) {
    private static final Pattern TAG = Pattern.compile("[\\w.-]*\\w[\\w.-]*");
    private static final int LONGEST_TAG = 200;

    /// Reads the answer to `HEAD`: for what lies elsewhere, `X-Linked-*` speak of the file, and the usual headers
    /// of the redirect.
    static RemoteFile of(ModelName model, String commit, String name, HttpResponse<?> response) throws HubException {
        HttpHeaders headers = response.headers();
        String theirs = headers.firstValue("X-Repo-Commit").orElse(commit);
        if (!theirs.equals(commit)) {
            throw new HubException("%s: %s: got it of commit %s, need %s".formatted(model, name, theirs, commit));
        }
        String etag = headers.firstValue("X-Linked-Etag")
                .or(() -> headers.firstValue("ETag"))
                .orElse("")
                .replaceFirst("^W/", "")
                .replace("\"", "");
        if (etag.length() > LONGEST_TAG || !TAG.matcher(etag).matches()) {
            throw new HubException(
                    "%s: %s: got the ETag \"%s\", need a hash: is HF_ENDPOINT right?".formatted(model, name, etag));
        }
        OptionalLong linked = headers.firstValueAsLong("X-Linked-Size");
        OptionalLong size = linked.isPresent() || response.statusCode() / 100 == 3
                ? linked
                : headers.firstValueAsLong("Content-Length");
        if (size.isEmpty() || size.getAsLong() < 0) {
            throw new HubException("%s: %s: the hub does not say its size".formatted(model, name));
        }
        return new RemoteFile(model, name, etag, size.getAsLong());
    }

    /// The file with its repository, for messages.
    @Override
    public String toString() {
        return model + ": " + name;
    }
}
