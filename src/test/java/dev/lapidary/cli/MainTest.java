package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MainTest {
    @Test
    void helpNamesEveryCommand() {
        Run run = Run.of("--help");
        assertThat(run.code()).isZero();
        for (CommandName name : CommandName.values()) {
            assertThat(run.out()).containsPattern("(?m)^  " + name.word() + " +\\S");
        }
        assertThat(run.out()).contains("Exit codes:", "Examples:");
        assertThat(run.err()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void everyCommandHasHelpWithExamples(CommandName name) {
        Run run = Run.of(name.word(), "--help");
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .startsWith("Usage: lapidary " + name.word())
                .contains("Examples:\n  ", "--help")
                .doesNotContain("${");
        assertThat(run.out().lines()).allMatch(line -> line.length() <= 100);
    }

    @Test
    void withoutACommandTheUsageIsShownAsAMistake() {
        Run run = Run.of();
        assertThat(run.code()).isEqualTo(Failures.USAGE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("Usage: lapidary");
    }

    @Test
    void theVersionNamesTheJdk() {
        assertThat(Run.of("--version").out()).startsWith("lapidary ").contains("Java " + Runtime.version());
    }

    @Test
    void aReaderThatHadEnoughIsNoFailure() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertThat(runInto(new Refusing("Broken pipe"), err)).isZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void aFullDiskIsToldOnce() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertThat(runInto(new Refusing("No space left on device"), err)).isEqualTo(Failures.FAILED);
        assertThat(err.toString(StandardCharsets.UTF_8))
                .isEqualTo("lapidary: standard output: No space left on device\n");
    }

    @Test
    void anInterruptEndsTheTextCleanly() {
        Thread.currentThread().interrupt();
        Run run = Run.of("generate", "-m", Run.DEMO, "--ids", "2", "--json");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(run).isEqualTo(new Run(Failures.INTERRUPTED, "", ""));
    }

    private static int runInto(OutputStream out, OutputStream err) {
        Console console = Console.of(new ByteArrayInputStream(new byte[0]), out, err);
        return Main.run(console, "tokenize", "-m", "src/demo", "In the beginning");
    }

    private static final class Refusing extends OutputStream {
        private final String reason;

        Refusing(String reason) {
            this.reason = reason;
        }

        @Override
        public void write(int b) throws IOException {
            throw new IOException(reason);
        }
    }
}
