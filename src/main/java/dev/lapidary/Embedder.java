package dev.lapidary;

import dev.lapidary.embedding.EmbeddingConfig;
import dev.lapidary.embedding.EmbeddingModel;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/// Texts on their way through an embedding model: the tokens that the reference makes of them, and then as many of
/// them at once as go together.
final class Embedder {
    private final EmbeddingModel model;
    private final int vocab;

    /// @param vocab tokens in the model's vocabulary
    Embedder(EmbeddingModel model, int vocab) {
        this.model = model;
        this.vocab = vocab;
    }

    /// Ids of each text, bos and eos around them.
    List<int[]> ids(Tokenizer tokenizer, List<String> texts, EmbeddingOptions options) {
        String prompt = prompt(options.promptName());
        List<int[]> all = new ArrayList<>(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            int[] content = tokenizer.encode(stripped(prompt + texts.get(i)));
            int most = model.config().maxTokens() - 2;
            if (content.length > most && !options.truncates()) {
                throw new IllegalArgumentException(
                        "texts[%d]: got %d tokens with bos and eos, need at most %d, or truncation"
                                .formatted(i, content.length + 2, most + 2));
            }
            int count = Math.min(content.length, most);
            int[] ids = new int[count + 2];
            ids[0] = tokenizer.bosId();
            System.arraycopy(content, 0, ids, 1, count);
            ids[count + 1] = tokenizer.eosId();
            all.add(ids);
        }
        return all;
    }

    /// Embeds texts given as ids.
    void embed(List<int[]> texts, EmbeddingOptions options, EmbeddingConsumer consumer) {
        requireIds(texts);
        int dimensions = dimensions(options);
        for (int from = 0; from < texts.size(); ) {
            List<int[]> some = texts.subList(from, from + model.together(texts, from));
            List<float[]> embeddings = embed(some, dimensions);
            for (int i = 0; i < some.size(); i++) {
                consumer.accept(from + i, embeddings.get(i));
            }
            from += some.size();
        }
    }

    /// In one piece on the driver thread, which stops for an interrupt of this one.
    private List<float[]> embed(List<int[]> texts, int dimensions) {
        AtomicBoolean interrupted = new AtomicBoolean(Thread.currentThread().isInterrupted());
        List<float[]> embeddings = new ArrayList<>(texts.size());
        DriverThread.run(
                () -> embeddings.addAll(model.embed(texts, dimensions, interrupted::get)), () -> interrupted.set(true));
        return embeddings;
    }

    private int dimensions(EmbeddingOptions options) {
        if (options.dimensions() > model.dimensions()) {
            throw new IllegalArgumentException("dimensions: got %d, need at most the %d of the model"
                    .formatted(options.dimensions(), model.dimensions()));
        }
        return options.dimensions() == 0 ? model.dimensions() : options.dimensions();
    }

    private String prompt(String name) {
        EmbeddingConfig config = model.config();
        String wanted = name.isEmpty() ? config.defaultPrompt() : name;
        String prompt = config.prompts().get(wanted);
        if (prompt == null && !wanted.isEmpty()) {
            throw new IllegalArgumentException("prompt: got \"%s\", need %s"
                    .formatted(
                            wanted,
                            config.prompts().isEmpty()
                                    ? "none, since the model names none"
                                    : "one of "
                                            + String.join(", ", config.prompts().keySet())));
        }
        return prompt == null ? "" : prompt;
    }

    private void requireIds(List<int[]> texts) {
        int most = model.config().maxTokens();
        for (int i = 0; i < texts.size(); i++) {
            int[] ids = texts.get(i);
            if (ids.length == 0 || ids.length > most) {
                throw new IllegalArgumentException(
                        "ids[%d]: got %d tokens, need 1 to %d".formatted(i, ids.length, most));
            }
            int text = i;
            Arrays.stream(ids).filter(id -> id < 0 || id >= vocab).findFirst().ifPresent(id -> {
                throw new IllegalArgumentException("ids[%d]: got %d, need 0 to %d".formatted(text, id, vocab - 1));
            });
        }
    }

    /// Without the white space around it, as the reference has it: what Python's `str.strip` takes away.
    static String stripped(String text) {
        int begin = 0;
        int end = text.length();
        while (begin < end && isSpace(text.charAt(begin))) {
            begin++;
        }
        while (end > begin && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(begin, end);
    }

    /// Java's white space, and what Unicode calls so beside it.
    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || c == 0x85 || Character.isSpaceChar(c);
    }
}
