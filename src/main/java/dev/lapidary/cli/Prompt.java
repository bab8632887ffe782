package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.Image;
import dev.lapidary.tokenizer.FimPrompt;
import java.util.List;
import java.util.function.Function;

/// What to continue, read before there is a model that makes token ids of it.
final class Prompt {
    private final Function<Gemma, int[]> encoding;

    private Prompt(Function<Gemma, int[]> encoding) {
        this.encoding = encoding;
    }

    /// Ids as they are.
    static Prompt of(int... ids) {
        return new Prompt(gemma -> ids);
    }

    /// The token that begins every sequence, alone.
    static Prompt begin() {
        return new Prompt(gemma -> new int[] {gemma.bosToken()});
    }

    /// A text, with bos in front.
    static Prompt of(String text) {
        return new Prompt(gemma -> gemma.tokenizer().encodePrompt(text));
    }

    /// A text as the user's turn, which the model answers.
    static Prompt turn(Console console, String text) {
        return new Prompt(gemma -> gemma.chat(console::note).user(text).ids());
    }

    /// A text behind images; as the user's turn if asked.
    static Prompt ofImages(List<Image> images, String text, boolean turn) {
        int[] views = images.stream().mapToInt(Image::views).toArray();
        return new Prompt(gemma -> turn ? gemma.chat().user(text, views).ids() : gemma.imagePrompt("", images, text));
    }

    /// What stands before and after a gap.
    static Prompt gap(String prefix, String suffix) {
        return new Prompt(gemma -> FimPrompt.of(prefix, suffix).ids(gemma.tokenizer()));
    }

    /// The ids for this model.
    ///
    /// @throws IllegalArgumentException if there are none, or more than the model has positions
    /// @throws IllegalStateException    if it takes a tokenizer and there is none
    int[] ids(Gemma gemma) {
        int[] ids = encoding.apply(gemma);
        if (ids.length == 0 || ids.length > gemma.maxPositions()) {
            throw new IllegalArgumentException("prompt: got %d tokens, need 1 to %d, the positions of the model"
                    .formatted(ids.length, gemma.maxPositions()));
        }
        return ids;
    }
}
