package dev.lapidary.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Requests to the hub and to where it redirects.
///
/// The token goes to the hub's own origin alone: scheme, host and port. Redirects are followed here, one by one, so
/// that none carries it elsewhere, and none leads from TLS to an open connection.
final class Requests implements AutoCloseable {
    private static final int MOST_REDIRECTS = 8;
    private static final String UNRESERVED = "-._~";

    private final HubSettings settings;
    private final Timing timing;
    private final HttpClient client;

    Requests(HubSettings settings, Timing timing) {
        this.settings = settings;
        this.timing = timing;
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // a connection per range: one window would be shared
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(timing.connect())
                .build();
    }

    HubSettings settings() {
        return settings;
    }

    Timing timing() {
        return timing;
    }

    /// An address of the hub: `segments` are encoded, the slashes between those of one text are kept.
    URI address(String... segments) {
        StringBuilder path = new StringBuilder(settings.endpoint().toString());
        for (String segment : segments) {
            path.append('/').append(encoded(segment, "/"));
        }
        return URI.create(path.toString());
    }

    /// A text as a part of an address.
    static String encoded(String text, String kept) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || (UNRESERVED + kept).indexOf(c) >= 0);
            encoded.append(plain ? String.valueOf(c) : "%%%02X".formatted((int) c));
        }
        return encoded.toString();
    }

    /// Sends `GET`, wherever redirects lead. The caller closes the body.
    ///
    /// @param range the bytes wanted, as in `bytes=0-99`; null for all
    /// @throws PassingFailure if it might be tried again
    HttpResponse<InputStream> get(URI address, @Nullable String range) throws IOException {
        return follow("GET", address, range, false);
    }

    /// Sends `HEAD`, and follows redirects only within the hub: its own last word has the file's ETag and size.
    HttpResponse<InputStream> head(URI address) throws IOException {
        return follow("HEAD", address, null, true);
    }

    @Override
    public void close() {
        client.shutdownNow();
    }

    private HttpResponse<InputStream> follow(String method, URI start, @Nullable String range, boolean stayHome)
            throws IOException {
        URI address = start;
        for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
            HttpResponse<InputStream> response = send(method, address, range);
            int status = response.statusCode();
            String location = response.headers().firstValue("Location").orElse("");
            if (status / 100 != 3 || status == 304 || location.isEmpty()) {
                return response;
            }
            URI next = target(address, location);
            if (stayHome && !isHome(next)) {
                return response;
            }
            response.body().close();
            address = next;
        }
        throw new HubException("%s: got more than %d redirects".formatted(withoutQuery(start), MOST_REDIRECTS));
    }

    private HttpResponse<InputStream> send(String method, URI address, @Nullable String range) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("User-Agent", "lapidary")
                .header("Accept-Encoding", "identity");
        if (isHome(address)) {
            settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token.secret()));
        }
        if (range != null) {
            request.header("Range", range);
        }
        CompletableFuture<HttpResponse<InputStream>> answer =
                client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        try {
            return answer.get(timing.answer().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            answer.cancel(true);
            throw Interrupts.cancelled(e);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new PassingFailure(
                    "no answer from %s within %d s"
                            .formatted(address.getHost(), timing.answer().toSeconds()),
                    null,
                    e);
        } catch (ExecutionException e) {
            throw ConnectionFailures.of(address, e.getCause() == null ? e : e.getCause());
        }
    }

    private static URI target(URI from, String location) throws HubException {
        URI target;
        try {
            target = from.resolve(URI.create(location));
        } catch (IllegalArgumentException e) {
            throw new HubException("%s: got a redirect to \"%s\"".formatted(withoutQuery(from), location), e);
        }
        boolean web = "https".equals(target.getScheme())
                || ("http".equals(target.getScheme()) && "http".equals(from.getScheme()));
        if (!web || target.getHost() == null) {
            throw new HubException(
                    "%s: got a redirect to %s, need https".formatted(withoutQuery(from), withoutQuery(target)));
        }
        return target;
    }

    private boolean isHome(URI address) {
        URI home = settings.endpoint();
        return home.getScheme().equals(address.getScheme())
                && home.getHost().equalsIgnoreCase(address.getHost())
                && port(home) == port(address);
    }

    private static int port(URI address) {
        if (address.getPort() >= 0) {
            return address.getPort();
        }
        return "https".equals(address.getScheme()) ? 443 : 80;
    }

    /// Signed addresses are secrets as long as they last.
    private static String withoutQuery(URI address) {
        String text = address.toString();
        int query = text.indexOf('?');
        return query < 0 ? text : text.substring(0, query);
    }
}
