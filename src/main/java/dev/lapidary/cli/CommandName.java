package dev.lapidary.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/// The commands there are, in the order of the help.
enum CommandName {
    GENERATE,
    CHAT,
    LOGITS,
    SCORE,
    COMPARE,
    EMBED,
    TOKENIZE,
    DETOKENIZE,
    INSPECT,
    PULL,
    QUANTIZE,
    DOCTOR,
    BENCH;

    /// The command of that word; empty if there is none.
    static List<CommandName> of(String word) {
        return Arrays.stream(values()).filter(name -> name.word().equals(word)).toList();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// A fresh command, which remembers the options of one run.
    Callable<Integer> create(Console console) {
        return switch (this) {
            case GENERATE -> new GenerateCommand(console);
            case CHAT -> new ChatCommand(console);
            case LOGITS -> new LogitsCommand(console);
            case SCORE -> new ScoreCommand(console);
            case COMPARE -> new CompareCommand(console);
            case EMBED -> new EmbedCommand(console);
            case TOKENIZE -> new TokenizeCommand(console);
            case DETOKENIZE -> new DetokenizeCommand(console);
            case INSPECT -> new InspectCommand(console);
            case QUANTIZE -> new QuantizeCommand(console);
            case PULL -> new PullCommand(console);
            case DOCTOR -> new DoctorCommand(console);
            case BENCH -> new BenchCommand(console);
        };
    }
}
