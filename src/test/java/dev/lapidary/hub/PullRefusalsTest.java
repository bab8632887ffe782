package dev.lapidary.hub;

import static dev.lapidary.hub.HubServer.Fault.once;
import static dev.lapidary.hub.HubServer.MODEL;
import static dev.lapidary.hub.HubServer.always;
import static dev.lapidary.hub.HubServer.on;
import static dev.lapidary.hub.HubServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
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

/// A hub that refuses, for now or for good.
class PullRefusalsTest {
    @TempDir
    private Path cache;

    private HubServer server;
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void start() throws IOException {
        server = HubServer.withModel(1500);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void aBusyServerIsAskedAgain(int status) throws IOException {
        server.hubFaults.add(once(status(status)));
        server.hubFaults.add(on("HEAD", "", status(status)));
        server.storeFaults.add(once(status(status, "Retry-After", "0")));
        assertThat(pull().folder()).isDirectoryContaining("glob:**/model.safetensors");
        assertThat(told).hasSize(3).allSatisfy(line -> assertThat(line).contains("127.0.0.1 answered " + status));
    }

    @Test
    void aServerThatStaysBusyIsLeft() {
        server.hubFaults.add(always(once(status(503))));
        assertThatThrownBy(this::pull)
                .hasMessage("google/gemma-tiny: 127.0.0.1 answered 503 (4 attempts);"
                        + " what was downloaded is kept, try again later");
    }

    @Test
    void retryAfterIsHonoured() throws IOException {
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(
                ZonedDateTime.now(ZoneOffset.UTC).minusMinutes(1));
        server.hubFaults.add(once(status(429, "Retry-After", "1")));
        server.hubFaults.add(once(status(503, "Retry-After", date)));
        server.hubFaults.add(once(status(429, "RateLimit", "\"api\";r=0;t=1")));
        assertThat(pull().folder()).isDirectoryContaining("glob:**/model.safetensors");
        assertThat(told)
                .containsExactly(
                        "google/gemma-tiny: 127.0.0.1 answered 429, too many requests (more are allowed with a token in"
                                + " HF_TOKEN); trying again in 1 s",
                        "google/gemma-tiny: 127.0.0.1 answered 503; trying again",
                        "google/gemma-tiny: 127.0.0.1 answered 429, too many requests (more are allowed with a token in"
                                + " HF_TOKEN); trying again in 1 s");
    }

    @Test
    void aLongRetryAfterIsLeftToPeople() {
        server.hubFaults.add(once(status(429, "Retry-After", "3600")));
        assertThatThrownBy(this::pull)
                .hasMessageEndingWith("what was downloaded is kept, try again in 3600 s")
                .hasMessageContaining("answered 429");
    }

    static Stream<Arguments> refusals() {
        String page = "http://127.0.0.1:PORT/google/gemma-tiny";
        return Stream.of(
                refusal(401, "GatedRepo", "", "", "a gated model: accept its terms on " + page + ", then give a token"),
                refusal(
                        403,
                        "GatedRepo",
                        "",
                        "hf_x",
                        "a gated model, and the account of the token from HF_TOKEN has no access: accept its terms on "
                                + page),
                refusal(401, "RepoNotFound", "", "", "no such repository, or a private one: check the name;"),
                refusal(401, "", "", "hf_x", "no such repository, or one that the account of the token from HF_TOKEN"),
                refusal(
                        401,
                        "",
                        "Invalid credentials in Authorization header",
                        "hf_x",
                        "the hub does not know the token from HF_TOKEN"),
                refusal(403, "", "Not yours", "", "the hub forbids it (Not yours): give a token in HF_TOKEN"),
                refusal(
                        403,
                        "",
                        "",
                        "hf_x",
                        "the hub forbids it: see whether the token from HF_TOKEN may read this repository"),
                refusal(404, "RepoNotFound", "", "", "no such repository, or a private one"),
                refusal(404, "RevisionNotFound", "", "", "no revision \"main\": need a branch, a tag or a commit of"),
                refusal(404, "", "", "", "no such repository, or a private one"),
                refusal(418, "", "I am a teapot", "", "127.0.0.1 answered 418: I am a teapot"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refusalsSayWhatToDo(int status, String code, String words, String token, String message) {
        server.hubFaults.add(once(status(status, "X-Error-Code", code, "X-Error-Message", words)));
        HubSettings settings = new HubSettings(
                server.endpoint(),
                cache,
                token.isEmpty() ? Optional.empty() : Optional.of(new AccessToken(token, "HF_TOKEN")),
                false,
                2);
        assertThatThrownBy(() -> Hub.of(settings).pull(MODEL, Selection.model(), PullListener.NONE))
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("google/gemma-tiny: "
                        + message.replace(
                                "PORT", Integer.toString(server.endpoint().getPort())))
                .hasMessageNotContaining("hf_x");
        assertThat(server.requests).hasSize(1);
    }

    @Test
    void aGatedFileIsNamedByItsRepository() {
        server.hubFaults.add(on("HEAD", "", status(401, "X-Error-Code", "GatedRepo")));
        assertThatThrownBy(this::pull).hasMessageStartingWith("google/gemma-tiny: a gated model: accept its terms on ");
    }

    @Test
    void aFileThatIsGoneIsNamed() {
        server.hubFaults.add(on("HEAD", "config.json", status(404, "X-Error-Code", "EntryNotFound")));
        assertThatThrownBy(() ->
                        server.client(cache).pull(MODEL, Selection.matching(List.of("config.json")), PullListener.NONE))
                .hasMessageStartingWith("google/gemma-tiny: config.json: no such file at revision \"main\": ");
    }

    private Snapshot pull() throws IOException {
        return server.client(cache).pull(MODEL, Selection.model(), new PullListener() {
            @Override
            public void told(String message) {
                told.add(message);
            }
        });
    }

    private static Arguments refusal(int status, String code, String words, String token, String message) {
        return Arguments.of(status, code, words, token, message);
    }
}
