package dev.lapidary.cli;

import dev.lapidary.Capacity;
import dev.lapidary.FinishReason;
import dev.lapidary.Gemma;
import dev.lapidary.Generation;
import dev.lapidary.Image;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary chat`.
@Command(
        name = "chat",
        sortOptions = false,
        customSynopsis = "lapidary chat [-m MODEL] [OPTIONS]",
        description =
                "A conversation in the model's turn format. Keys and values are kept between turns, so only what is"
                        + " new is computed. From a pipe, each line is a turn.",
        footer = {
            "",
            ChatCommand.KEYS,
            "",
            "Examples:",
            "  lapidary chat --model gemma-3-1b-it",
            "  echo \"Why is the sky blue?\" | lapidary chat --model gemma-3-1b-it --system \"Answer in one sentence.\""
        })
final class ChatCommand implements Callable<Integer> {
    static final String KEYS =
            "/image FILE shows a picture with the next message, /reset forgets the conversation, /help lists this,"
                    + " /exit or Ctrl-D ends; Ctrl-C stops the answer.";

    private static final String IMAGE = "/image";

    private static final int LONGEST_ANSWER = 1024;
    private static final int USUAL_CAPACITY = 8192;

    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private PictureOptions pictures = new PictureOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(
            names = "--system",
            paramLabel = "TEXT",
            description = "How the model should behave; stands in front of the first turn.")
    private @Nullable String system;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens of an answer. Default: 1024, at most a quarter of the capacity.")
    private @Nullable Integer maxTokens;

    @Option(
            names = "--capacity",
            paramLabel = "N",
            description = "Tokens of the whole conversation. Default: the model's positions, at most 8192.")
    private @Nullable Integer capacity;

    ChatCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        List<Image> first = pictures.read();
        try (Gemma gemma = model.open(console);
                Conversation conversation = converse(gemma);
                ChatLines lines = ChatLines.of(console)) {
            lines.greet(KEYS);
            first.forEach(conversation::show);
            for (String line = lines.next(); line != null; line = lines.next()) {
                String text = line.strip();
                switch (text) {
                    case "" -> {}
                    case "/exit" -> {
                        return Failures.OK;
                    }
                    case "/help" -> console.note(KEYS);
                    case "/reset" -> conversation.reset();
                    default -> {
                        if (text.equals(IMAGE) || text.startsWith(IMAGE + " ")) {
                            show(conversation, text.substring(IMAGE.length()).strip());
                        } else {
                            turn(lines, conversation, text);
                        }
                    }
                }
            }
            return Failures.OK;
        }
    }

    private Conversation converse(Gemma gemma) {
        int tokens = capacity == null ? Math.min(USUAL_CAPACITY, gemma.maxPositions()) : capacity;
        int longest = maxTokens == null ? Math.max(1, Math.min(LONGEST_ANSWER, tokens / 4)) : maxTokens;
        return new Conversation(
                console,
                gemma,
                gemma.newSession(Capacity.tokens(tokens)),
                system == null ? "" : system,
                model.options().chunk(),
                turn -> sampling.sampling(turn).maxTokens(longest));
    }

    private void show(Conversation conversation, String file) {
        try {
            Image image = pictures.read(Path.of(file));
            conversation.show(image);
            console.note(
                    "%s: %d x %d pixels, shown with the next message".formatted(file, image.width(), image.height()));
        } catch (IOException | InvalidPathException | IllegalStateException e) {
            console.note(Failures.message(e));
        }
    }

    private void turn(ChatLines lines, Conversation conversation, String text) throws Exception {
        if (text.startsWith("/")) {
            console.note("%s: no such command. %s".formatted(text, KEYS));
            return;
        }
        console.work(() -> {
            try {
                Generation answer = lines.interruptible(() -> conversation.answer(text, token -> {
                    console.out().print(token.text());
                    console.out().flush();
                }));
                console.out().println(answer.tail());
                tellWhyCut(answer.finishReason());
            } catch (CancellationException e) {
                console.out().println();
            } catch (IllegalStateException e) {
                console.note(Failures.message(e));
            }
            return Failures.OK;
        });
    }

    private void tellWhyCut(FinishReason reason) {
        switch (reason) {
            case MAX_TOKENS -> console.note("the answer is cut (--max-tokens N allows longer ones)");
            case CAPACITY ->
                console.note("the conversation is full: /reset starts a new one (--capacity N makes room)");
            case CANCELLED, STOP -> {}
        }
    }
}
