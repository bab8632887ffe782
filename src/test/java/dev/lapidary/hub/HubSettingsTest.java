package dev.lapidary.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HubSettingsTest {
    @TempDir
    private Path home;

    @Test
    void withoutAWordTheUsualPlaces() throws IOException {
        assertThat(of(Map.of()))
                .isEqualTo(new HubSettings(
                        URI.create("https://huggingface.co"),
                        home.resolve(".cache/huggingface/hub"),
                        Optional.empty(),
                        false,
                        8));
    }

    @ParameterizedTest
    @CsvSource({
        "XDG_CACHE_HOME=/x, /x/huggingface/hub",
        "HF_HOME=/h, /h/hub",
        "HF_HOME=/h XDG_CACHE_HOME=/x, /h/hub",
        "HUGGINGFACE_HUB_CACHE=/o HF_HOME=/h, /o",
        "HF_HUB_CACHE=/c HF_HOME=/h HUGGINGFACE_HUB_CACHE=/o, /c"
    })
    void foldersAreThoseOfPython(String environment, Path cache) throws IOException {
        Map<String, String> variables = new HashMap<>();
        for (String assignment : environment.split(" ", -1)) {
            int at = assignment.indexOf('=');
            variables.put(assignment.substring(0, at), assignment.substring(at + 1));
        }
        assertThat(of(variables).cache()).isEqualTo(cache);
    }

    @Test
    void aTildeIsTheHomeFolder() throws IOException {
        assertThat(of(Map.of("HF_HOME", "~/models")).cache()).isEqualTo(home.resolve("models/hub"));
    }

    @Test
    void tokensComeFromTheEnvironmentOrAFile() throws IOException {
        Path file = Files.writeString(
                Files.createDirectories(home.resolve(".cache/huggingface")).resolve("token"), "hf_file\n");
        assertThat(of(Map.of()).token()).contains(new AccessToken("hf_file", file.toString()));
        assertThat(of(Map.of("HF_TOKEN", " hf_env\n")).token()).contains(new AccessToken("hf_env", "HF_TOKEN"));
        Path other = Files.writeString(home.resolve("other"), "hf_other");
        assertThat(of(Map.of("HF_TOKEN_PATH", other.toString())).token())
                .contains(new AccessToken("hf_other", other.toString()));
        assertThat(of(Map.of("HF_HOME", home.resolve("empty").toString())).token())
                .isEmpty();
        assertThatThrownBy(() -> of(Map.of("HF_TOKEN", "two words")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("HF_TOKEN: got a token with spaces")
                .hasMessageNotContaining("two words");
    }

    @ParameterizedTest
    @CsvSource({"1,true", "true,true", "YES,true", "on,true", "0,false", "false,false", "'',false"})
    void offlineIsWhatPythonTakesForIt(String value, boolean offline) throws IOException {
        assertThat(of(Map.of("HF_HUB_OFFLINE", value)).offline()).isEqualTo(offline);
    }

    @Test
    void anEndpointIsAnAddressOfTheWeb() throws IOException {
        assertThat(of(Map.of("HF_ENDPOINT", "https://mirror.example/hf//")).endpoint())
                .isEqualTo(URI.create("https://mirror.example/hf"));
        for (String bad : new String[] {"mirror.example", "ftp://x", "https://", "https://x?y=1", "a b"}) {
            assertThatThrownBy(() -> of(Map.of("HF_ENDPOINT", bad)))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("HF_ENDPOINT: got \"");
        }
    }

    private HubSettings of(Map<String, String> environment) throws IOException {
        return HubSettings.of(environment, home.toString());
    }
}
