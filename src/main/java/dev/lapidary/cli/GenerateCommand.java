package dev.lapidary.cli;

import dev.lapidary.Capacity;
import dev.lapidary.FinishReason;
import dev.lapidary.Gemma;
import dev.lapidary.Generation;
import dev.lapidary.Image;
import dev.lapidary.Sampling;
import dev.lapidary.Session;
import dev.lapidary.SoftTokens;
import dev.lapidary.Token;
import dev.lapidary.tokenizer.FimPrompt;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary generate`.
@Command(
        name = "generate",
        sortOptions = false,
        customSynopsis = {
            "lapidary generate [-m MODEL] (-p TEXT | -f FILE | --ids ID,ID...) [OPTIONS]",
            "   or: lapidary generate [-m MODEL] (--encoder-text TEXT | --encoder-ids ID,ID...) [-p TEXT] [OPTIONS]",
            "   or: lapidary generate [-m MODEL] --fim-prefix TEXT [--fim-suffix TEXT] [OPTIONS]"
        },
        description = "Continues a prompt; the text streams to standard output as it comes.",
        footer = {
            "",
            "Without a tokenizer in the folder the output is token ids.",
            "",
            "Examples:",
            "  lapidary generate --prompt \"In the beginning\"",
            "  lapidary generate --model gemma-3-1b-it --chat --prompt \"Why is the sky blue?\" --max-tokens 200",
            "  lapidary generate --model codegemma-2b --fim-prefix \"int square(int x) {\" --fim-suffix \"}\"",
            "  lapidary generate --model t5gemma-2b-2b-prefixlm-it --chat --encoder-text \"Why is the sky blue?\"",
            "  lapidary generate --model gemma-3-4b-it --chat --image photo.jpg --prompt \"What is this?\"",
            "  lapidary generate --ids 2,17,5 --temperature 0 --json"
        })
final class GenerateCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private PromptOptions prompt = new PromptOptions();

    @Mixin
    private EncoderOptions encoder = new EncoderOptions();

    @Mixin
    private ImageOptions images = new ImageOptions();

    @Mixin
    private PictureOptions pictures = new PictureOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(
            names = "--chat",
            description =
                    "Puts the prompt in the model's turn format, for models tuned to converse; stops at the end of the"
                            + " answer.")
    private boolean chat;

    @Option(
            names = "--fim-prefix",
            paramLabel = "TEXT",
            description =
                    "Instead of a prompt: fills in what belongs between this and --fim-suffix, for CodeGemma. Stops at"
                            + " its own fill-in-the-middle tokens.")
    private @Nullable String fimPrefix;

    @Option(names = "--fim-suffix", paramLabel = "TEXT", description = "What comes after the gap. Default: nothing.")
    private @Nullable String fimSuffix;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            defaultValue = "256",
            description = "Most tokens to generate. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(names = "--ignore-eos", description = "Goes on after tokens that end a text.")
    private boolean ignoreEos;

    @Option(
            names = "--log-probs",
            description =
                    "Natural logarithm of each token's probability under the model, before any sampling option; without"
                            + " --json one token a line: id, log-probability, text.")
    private boolean logProbs;

    @Option(
            names = "--json",
            description = "Prints one object at the end: ids (without the stop token), text, finish_reason, stop_token,"
                    + " prompt_tokens, log_probs, timings.")
    private boolean json;

    @Option(names = "--stats", description = "Prints speed and memory to standard error at the end.")
    private boolean stats;

    GenerateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        Sampling unlimited = sampling.sampling(0);
        List<Image> seen = pictures.read();
        Prompt given = given(seen);
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                int[] ids = given.ids(gemma);
                SoftTokens soft = seen.isEmpty() ? images.softTokens(gemma) : PictureOptions.softTokens(gemma, seen);
                return generate(gemma, ids, soft, stopped(gemma, unlimited));
            }
        });
    }

    private int generate(Gemma gemma, int[] ids, @Nullable SoftTokens soft, Sampling limited) {
        Capacity capacity = Capacity.tokens((int) Math.min(gemma.maxPositions(), (long) ids.length + maxTokens));
        try (Session session = gemma.newSession(capacity)) {
            encoder.encode(gemma, session, chat);
            GenerationClock clock = new GenerationClock(ids.length);
            if (soft == null) {
                int piece = Prefill.piece(gemma, ids.length, model.options().chunk());
                Prefill.append(console, session, ids, piece);
            } else {
                Prefill.append(console, session, ids, soft);
            }
            clock.promptDone();
            GenerationOutput output = output(gemma);
            Generation generation = generate(session, limited, token -> {
                clock.token();
                output.token(token);
            });
            output.end(generation, clock);
            if (stats) {
                clock.print(console.err());
                console.err().println("memory      " + gemma.memoryPlan(capacity));
            }
            return generation.finishReason() == FinishReason.CANCELLED ? Failures.INTERRUPTED : Failures.OK;
        }
    }

    /// Where nothing is to be seen before the end, a bar says that there is something to come.
    private Generation generate(Session session, Sampling limited, Consumer<Token> onToken) {
        if (!json) {
            return session.generate(limited, onToken);
        }
        try (Progress progress = Progress.of(console, "Generation", " tokens", maxTokens)) {
            return session.generate(limited, token -> {
                onToken.accept(token);
                progress.step(1);
            });
        }
    }

    private GenerationOutput output(Gemma gemma) {
        if (json) {
            return new GenerationOutput.AsJson(console, gemma.hasTokenizer(), logProbs);
        }
        if (logProbs) {
            return new GenerationOutput.AsLines(console);
        }
        return gemma.hasTokenizer() ? new GenerationOutput.AsText(console) : new GenerationOutput.AsIds(console);
    }

    private Prompt given(List<Image> seen) throws IOException {
        if (encoder.given()) {
            if (fillsGap() || images.given() || !seen.isEmpty()) {
                throw new IllegalArgumentException(
                        "--encoder-text, --encoder-ids: got images or a gap to fill too, need"
                                + " a prompt or nothing");
            }
            return encoder.prompt(prompt, console);
        }
        if (!seen.isEmpty()) {
            if (images.given() || fillsGap()) {
                throw new IllegalArgumentException("--image: got %s too, need pictures and a text"
                        .formatted(images.given() ? "--pixels" : "--fim-prefix, --fim-suffix"));
            }
            return Prompt.ofImages(seen, prompt.text(console), chat);
        }
        if (!fillsGap()) {
            return chat ? Prompt.turn(console, prompt.text(console)) : prompt.read(console);
        }
        if (chat || !prompt.given().isEmpty()) {
            throw new IllegalArgumentException("--fim-prefix, --fim-suffix: got %s too, need them alone"
                    .formatted(chat ? "--chat" : prompt.given().getFirst()));
        }
        return Prompt.gap(fimPrefix == null ? "" : fimPrefix, fimSuffix == null ? "" : fimSuffix);
    }

    private Sampling stopped(Gemma gemma, Sampling unlimited) {
        Sampling limited =
                unlimited.maxTokens(maxTokens).ignoreStopTokens(ignoreEos).logProbabilities(logProbs);
        return fillsGap() && !ignoreEos
                ? limited.stopTokens(IntStream.of(FimPrompt.stopIds(gemma.tokenizer()))
                        .boxed()
                        .collect(Collectors.toSet()))
                : limited;
    }

    private boolean fillsGap() {
        return fimPrefix != null || fimSuffix != null;
    }
}
