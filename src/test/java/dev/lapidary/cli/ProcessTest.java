package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// What only a process of its own can show.
class ProcessTest {
    @Test
    void outputIsUtf8WhateverTheLocale() throws Exception {
        ProcessBuilder builder = lapidary(
                "detokenize",
                "-m",
                Run.DEMO,
                Run.of("tokenize", "Zwölf 🦊").out().strip());
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("Zwölf 🦊");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void ctrlCEndsTheTextWithWhatThereIs() throws Exception {
        Process process = lapidary(
                        "generate", "-m", Run.DEMO, "--ids", "2", "-n", "1000", "--ignore-eos", "--log-probs")
                .start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).matches("\\d+\\t-.*");
            interrupt(process);
            long more = out.lines()
                    .filter(line -> line.matches("\\d+\\t-\\d+\\.\\d{6}\\t.*"))
                    .count();
            assertThat(more).isLessThan(999);
        }
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(Failures.INTERRUPTED);
        assertThat(process.getErrorStream().readAllBytes()).isEmpty();
    }

    @Test
    void aReaderThatLeavesEndsTheProgram() throws Exception {
        Process process = lapidary(
                        "generate", "-m", Run.DEMO, "--ids", "2", "-n", "1000", "--ignore-eos", "--log-probs")
                .start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        assertThat(out.readLine()).isNotEmpty();
        out.close();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(process.getErrorStream().readAllBytes()).isEmpty();
    }

    private static void interrupt(Process process) throws IOException, InterruptedException {
        new ProcessBuilder("sh", "-c", "kill -INT " + process.pid()).start().waitFor();
    }

    private static ProcessBuilder lapidary(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }
}
