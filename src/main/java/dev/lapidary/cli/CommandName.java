package dev.lapidary.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;

/// The commands there are, in the order of the help.
enum CommandName {
    GENERATE(GenerateCommand::new),
    CHAT(ChatCommand::new),
    LOGITS(LogitsCommand::new),
    SCORE(ScoreCommand::new),
    TOKENIZE(TokenizeCommand::new),
    DETOKENIZE(DetokenizeCommand::new),
    INSPECT(InspectCommand::new),
    DOCTOR(DoctorCommand::new),
    BENCH(BenchCommand::new);

    private final Function<Console, Callable<Integer>> factory;

    CommandName(Function<Console, Callable<Integer>> factory) {
        this.factory = factory;
    }

    /// The command of that word; empty if there is none.
    static List<CommandName> of(String word) {
        return Arrays.stream(values()).filter(name -> name.word().equals(word)).toList();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// A fresh command, which remembers the options of one run.
    Callable<Integer> create(Console console) {
        return factory.apply(console);
    }
}
