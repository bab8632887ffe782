package dev.lapidary.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Hugging Face's hub on loopback, with one repository, and another server for its large files. It answers as the hub
/// does, unless a fault is next.
final class HubServer implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final ModelName MODEL = ModelName.parse("google/gemma-tiny");
    static final Timing IMPATIENT = new Timing(
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofMillis(300),
            4,
            Duration.ofMillis(2),
            Duration.ofSeconds(3));

    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

    final Map<String, byte[]> files = new LinkedHashMap<>();
    final List<String> large = new ArrayList<>();
    final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
    final Queue<Fault> hubFaults = new ConcurrentLinkedQueue<>();
    final Queue<Fault> storeFaults = new ConcurrentLinkedQueue<>();

    private final String name;
    private final HttpServer hub;
    private final HttpServer store;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /// What a client sent; `at` is `hub` or `store`, fields that are missing are empty.
    record Request(String at, String method, String path, String range, String authorization) {}

    /// Something other than the right answer.
    interface Answer {
        void send(HttpExchange exchange) throws IOException;
    }

    /// An answer to the first request, or to every one, that it is for.
    record Fault(Predicate<HttpExchange> to, Answer answer, boolean stays) {
        static Fault once(Answer answer) {
            return new Fault(_ -> true, answer, false);
        }
    }

    /// @param name of its repository
    HubServer(String name) throws IOException {
        this.name = name;
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        store = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        hub.createContext("/", exchange -> handle("hub", hubFaults, exchange));
        store.createContext("/", exchange -> handle("store", storeFaults, exchange));
        for (HttpServer server : List.of(hub, store)) {
            server.setExecutor(threads);
            server.start();
        }
    }

    /// A repository like Gemma's: small files in git, weights in large file storage.
    static HubServer withModel(int weightBytes) throws IOException {
        HubServer server = new HubServer(MODEL.repository());
        server.files.put(".gitattributes", text("*.safetensors filter=lfs\n"));
        server.files.put("README.md", text("# Tiny\n"));
        server.files.put("config.json", text("{\"model_type\": \"gemma3_text\"}\n"));
        server.files.put("tokenizer_config.json", text("{}"));
        server.large("model.safetensors", random(weightBytes, 1));
        server.large("tokenizer.model", random(500, 2));
        server.large("original/model.safetensors", random(700, 3));
        return server;
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] random(int bytes, long seed) {
        byte[] random = new byte[bytes];
        new Random(seed).nextBytes(random);
        return random;
    }

    void large(String name, byte[] bytes) {
        files.put(name, bytes);
        large.add(name);
    }

    URI endpoint() {
        return address(hub);
    }

    HubSettings settings(Path cache) {
        return new HubSettings(endpoint(), cache, Optional.empty(), false, 4);
    }

    /// A hub whose large files come in segments of 1000 bytes.
    Hub client(Path cache) {
        return Hub.of(settings(cache), IMPATIENT, 1000);
    }

    /// The requests for bytes of a file, as `bytes=...`, or empty for all.
    List<String> rangesAsked(String path) {
        synchronized (requests) {
            return requests.stream()
                    .filter(request ->
                            request.method().equals("GET") && request.path().equals(path))
                    .map(Request::range)
                    .toList();
        }
    }

    String etag(String name) {
        byte[] bytes = files.get(name);
        if (large.contains(name)) {
            return hash("SHA-256", bytes);
        }
        byte[] head = "blob %d\0".formatted(bytes.length).getBytes(StandardCharsets.US_ASCII);
        byte[] all = new byte[head.length + bytes.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(bytes, 0, all, head.length, bytes.length);
        return hash("SHA-1", all);
    }

    /// Answers with a status and headers, name after name and value.
    static Answer status(int status, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        };
    }

    /// For requests with that in their path.
    static Fault on(String path, Answer answer) {
        return new Fault(exchange -> exchange.getRequestURI().getPath().contains(path), answer, false);
    }

    /// For requests of that method with that in their path.
    static Fault on(String method, String path, Answer answer) {
        return new Fault(
                exchange -> exchange.getRequestMethod().equals(method)
                        && exchange.getRequestURI().getPath().contains(path),
                answer,
                false);
    }

    /// For every such request from now on.
    static Fault always(Fault fault) {
        return new Fault(fault.to(), fault.answer(), true);
    }

    /// The right answer, cut after some bytes.
    Answer cutAfter(int bytes) {
        return exchange -> {
            byte[] body = part(exchange, bytes(exchange), true);
            exchange.getResponseBody().write(body, 0, Math.min(bytes, body.length));
            exchange.getResponseBody().flush();
            exchange.close();
        };
    }

    /// The right answer, but nothing comes after some bytes.
    Answer stallAfter(int bytes) {
        return exchange -> {
            byte[] body = part(exchange, bytes(exchange), true);
            exchange.getResponseBody().write(body, 0, Math.min(bytes, body.length));
            exchange.getResponseBody().flush();
            try {
                Thread.sleep(Duration.ofSeconds(20));
            } catch (InterruptedException e) {
                exchange.close();
            }
        };
    }

    /// All bytes, whatever range was asked for.
    Answer withoutRanges() {
        return exchange -> {
            byte[] bytes = bytes(exchange);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        };
    }

    /// As [#withoutRanges()], cut after some bytes.
    Answer wholeCutAfter(int bytes) {
        return exchange -> {
            byte[] all = bytes(exchange);
            exchange.sendResponseHeaders(200, all.length);
            exchange.getResponseBody().write(all, 0, bytes);
            exchange.getResponseBody().flush();
            exchange.close();
        };
    }

    /// Other bytes, as many as those of the file.
    Answer otherBytes() {
        return exchange -> {
            byte[] bytes = bytes(exchange).clone();
            bytes[bytes.length / 2] ^= 1;
            byte[] body = part(exchange, bytes, true);
            exchange.getResponseBody().write(body);
            exchange.close();
        };
    }

    @Override
    public void close() {
        threads.shutdownNow();
        hub.stop(0);
        store.stop(0);
    }

    private void handle(String at, Queue<Fault> faults, HttpExchange exchange) throws IOException {
        requests.add(new Request(
                at,
                exchange.getRequestMethod(),
                exchange.getRequestURI().getPath(),
                header(exchange, "Range"),
                header(exchange, "Authorization")));
        Fault fault = next(faults, exchange);
        if (fault != null) {
            fault.answer().send(exchange);
            return;
        }
        if (at.equals("hub")) {
            answerAsHub(exchange);
        } else {
            byte[] body = part(exchange, bytes(exchange), true);
            exchange.getResponseBody().write(body);
            exchange.close();
        }
    }

    /// The first fault, if it is for this request.
    private static @Nullable Fault next(Queue<Fault> faults, HttpExchange exchange) {
        synchronized (faults) {
            Fault first = faults.peek();
            if (first == null || !first.to().test(exchange)) {
                return null;
            }
            return first.stays() ? first : faults.remove();
        }
    }

    private void answerAsHub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.equals("/api/models/%s/revision/main".formatted(name))
                || path.equals("/api/models/%s/revision/%s".formatted(name, COMMIT))) {
            byte[] list = text("{\"id\": \"%s\", \"sha\": \"%s\", \"siblings\": [%s]}"
                    .formatted(
                            name,
                            COMMIT,
                            files.keySet().stream()
                                    .map("{\"rfilename\": \"%s\"}"::formatted)
                                    .collect(Collectors.joining(", "))));
            exchange.sendResponseHeaders(200, list.length);
            exchange.getResponseBody().write(list);
            exchange.close();
            return;
        }
        String start = "/%s/resolve/%s/".formatted(name, COMMIT);
        String file = path.startsWith(start) ? path.substring(start.length()) : "";
        if (!files.containsKey(file)) {
            status(404, "X-Error-Code", path.startsWith("/api/") ? "RevisionNotFound" : "EntryNotFound")
                    .send(exchange);
            return;
        }
        exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
        if (large.contains(file)) {
            exchange.getResponseHeaders().add("X-Linked-Etag", "\"" + etag(file) + "\"");
            exchange.getResponseHeaders().add("X-Linked-Size", Integer.toString(files.get(file).length));
            exchange.getResponseHeaders().add("ETag", "\"something-else\"");
            exchange.getResponseHeaders()
                    .add("Location", "%s/blobs/%s?signature=secret".formatted(address(store), etag(file)));
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
            return;
        }
        exchange.getResponseHeaders().add("ETag", "\"" + etag(file) + "\"");
        byte[] body =
                part(exchange, files.get(file), !exchange.getRequestMethod().equals("HEAD"));
        if (!exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    /// The bytes that a request is about.
    private byte[] bytes(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return files.keySet().stream()
                .filter(file -> path.equals("/blobs/" + etag(file))
                        || path.equals("/%s/resolve/%s/%s".formatted(name, COMMIT, file)))
                .map(files::get)
                .findFirst()
                .orElseThrow();
    }

    /// Sends the head of an answer.
    ///
    /// @return the bytes that follow
    private static byte[] part(HttpExchange exchange, byte[] all, boolean body) throws IOException {
        Matcher range = RANGE.matcher(header(exchange, "Range"));
        if (!range.matches()) {
            if (body) {
                exchange.sendResponseHeaders(200, all.length == 0 ? -1 : all.length);
            } else {
                exchange.getResponseHeaders().add("Content-Length", Integer.toString(all.length));
                exchange.sendResponseHeaders(200, -1);
            }
            return all;
        }
        int from = Integer.parseInt(range.group(1));
        int last = Math.min(Integer.parseInt(range.group(2)), all.length - 1);
        exchange.getResponseHeaders().add("Content-Range", "bytes %d-%d/%d".formatted(from, last, all.length));
        exchange.sendResponseHeaders(206, last - from + 1);
        return Arrays.copyOfRange(all, from, last + 1);
    }

    private static String header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name)).orElse("");
    }

    private static URI address(HttpServer server) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private static String hash(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
