package dev.lapidary.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/// The `lapidary` command.
@Command(
        name = "lapidary",
        description = "Gemma models on this machine's CPU.",
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:all went well",
            "1:the work failed",
            "2:the command line says something that cannot be done",
            "130:ended by Ctrl-C"
        },
        footer = {
            "",
            "Examples:",
            "  lapidary generate --prompt \"In the beginning\"",
            "  lapidary chat --model gemma-3-1b-it",
            "  lapidary doctor",
            "",
            "Help on a command: lapidary COMMAND --help",
            "Stack traces of failures: --stack-trace, or LAPIDARY_DEBUG=1 in the environment."
        })
public final class Main {
    private static final int HELP_COLUMNS = 100;
    private static final String TRACE_VARIABLE = "LAPIDARY_DEBUG";

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help and exit.")
    private boolean help;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version and exit.")
    private boolean version;

    @Option(
            names = "--stack-trace",
            scope = ScopeType.INHERIT,
            description = "Show the stack trace of a failure.",
            hidden = true)
    private boolean stackTrace;

    Main() {}

    /// Runs the command that the arguments name, and exits with its code.
    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT);
        Console console = Console.ofProcess();
        console.interruptOnExit(Thread.currentThread());
        System.exit(run(console, arguments));
    }

    /// Runs one command.
    ///
    /// @return the exit code
    static int run(Console console, String... arguments) {
        Main main = new Main();
        CommandLine line = new CommandLine(main);
        addCommands(line, console, arguments);
        line.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(HELP_COLUMNS)
                .setParameterExceptionHandler((failure, _) -> usageMistake(console, failure))
                .setExecutionExceptionHandler((failure, _, _) -> Failures.report(console, failure, main.traces()));
        try {
            int code = execute(line, arguments);
            console.out().flush();
            return code;
        } catch (RuntimeException | Error failure) {
            return Failures.report(console, failure, main.traces());
        }
    }

    private static int execute(CommandLine line, String... arguments) {
        if (arguments.length == 0) {
            line.usage(line.getErr());
            return Failures.USAGE;
        }
        return line.execute(arguments);
    }

    private boolean traces() {
        String variable = System.getenv(TRACE_VARIABLE);
        return stackTrace || (variable != null && !variable.isEmpty() && !variable.equals("0"));
    }

    /// Only the command asked for is looked at, since reading its annotations takes time; all of them for the help
    /// on all.
    private static void addCommands(CommandLine line, Console console, String... arguments) {
        List<CommandName> wanted = arguments.length == 0 ? List.of() : CommandName.of(arguments[0]);
        for (CommandName name : wanted.isEmpty() ? List.of(CommandName.values()) : wanted) {
            line.addSubcommand(name.word(), name.create(console));
        }
    }

    private static int usageMistake(Console console, ParameterException failure) {
        CommandLine line = failure.getCommandLine();
        console.out().flush();
        console.err().println("lapidary: " + failure.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(failure, line.getErr());
        console.err().println("See " + line.getCommandSpec().qualifiedName() + " --help");
        return Failures.USAGE;
    }
}
