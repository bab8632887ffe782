package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.hub.DemoHub;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models by name on the command line, in processes of their own: the environment says where the hub is.
class HubCommandsTest {
    @TempDir
    private Path home;

    @Test
    void aModelIsPulledOnceAndThenTakenFromTheCache() throws Exception {
        Run pulled;
        Run tokens;
        Run other;
        try (DemoHub hub = new DemoHub(Path.of(Run.DEMO))) {
            tokens = run(hub.environment(home), "tokenize", "--model", DemoHub.NAME, "In the beginning");
            pulled = run(hub.environment(home), "pull", DemoHub.NAME);
            other = run(hub.environment(home), "pull", DemoHub.NAME + "@v2");
        }
        assertThat(tokens.code()).as(tokens.err()).isZero();
        assertThat(tokens.out())
                .isEqualTo(Run.of("tokenize", "In the beginning").out());
        assertThat(pulled.code()).as(pulled.err()).isZero();
        Path folder = Path.of(pulled.out().strip());
        assertThat(folder).startsWith(home.resolve("hub/models--lapidary--demo/snapshots"));
        assertThat(folder.resolve("model.safetensors")).hasSameBinaryContentAs(Path.of(Run.DEMO, "model.safetensors"));
        assertThat(pulled.err()).matches("lapidary: pulling lapidary/demo: \\d files, 6\\.0 MiB, into .*\n");
        assertThat(other.code()).isEqualTo(Failures.FAILED);
        assertThat(other.err()).startsWith("lapidary: lapidary/demo: no revision \"v2\"");

        Run generated = run(
                Map.of("HF_HOME", home.toString(), "HF_HUB_OFFLINE", "1"),
                "generate",
                "--model",
                DemoHub.NAME,
                "--prompt",
                "In the beginning",
                "-n",
                "8",
                "--temperature",
                "0");
        assertThat(generated.code()).as(generated.err()).isZero();
        assertThat(generated.out())
                .isEqualTo(Run.of("generate", "--prompt", "In the beginning", "-n", "8", "--temperature", "0")
                        .out());
    }

    @Test
    void offlineAModelThatIsNotCachedIsNamed() throws Exception {
        Run run = run(Map.of("HF_HOME", home.toString(), "HF_HUB_OFFLINE", "1"), "inspect", "-m", "google/gemma-x");
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .isEqualTo(
                        ("lapidary: google/gemma-x: not in the cache %s/hub, and HF_HUB_OFFLINE forbids to ask the hub"
                                        + " (there is no folder google/gemma-x here either)\n")
                                .formatted(home));
    }

    @Test
    void aFolderOfThatNameWins() throws Exception {
        Path folder = Files.createDirectories(home.resolve("org/model"));
        try (Stream<Path> files = Files.list(Path.of(Run.DEMO))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Run run = run(Map.of("HF_HUB_OFFLINE", "1"), "tokenize", "-m", "org/model", "In the beginning");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).isEqualTo(Run.of("tokenize", "In the beginning").out());
    }

    @Test
    void namesThatCannotBeAreUsageMistakes() {
        assertThat(Run.of("pull", "gemma").code()).isEqualTo(Failures.USAGE);
        assertThat(Run.of("pull", "gemma").err()).startsWith("lapidary: model: got \"gemma\", need ORG/NAME");
        assertThat(Run.of("pull").code()).isEqualTo(Failures.USAGE);
    }

    private Run run(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "-cp",
                absoluteClassPath(),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("HF_"));
        builder.environment().putAll(environment);
        builder.redirectError(home.resolve("err").toFile());
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Run(process.waitFor(), out, Files.readString(home.resolve("err")));
    }

    private static String absoluteClassPath() {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(":", -1)) {
            entries.add(Path.of(entry).toAbsolutePath().toString());
        }
        return String.join(":", entries);
    }
}
