package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.Session;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What an encoder reads before the first token: a text or token ids.
final class EncoderOptions {
    @Option(
            names = "--encoder-text",
            paramLabel = "TEXT",
            description = "For T5Gemma: the text that its encoder reads, with bos in front unless its"
                    + " tokenizer_config.json says otherwise. The prompt is then where the answer begins: bos alone"
                    + " where none is given.")
    private @Nullable String text;

    @Option(
            names = "--encoder-ids",
            paramLabel = "ID,ID...",
            description = "As --encoder-text, as token ids, taken exactly as given.")
    private @Nullable String ids;

    /// Whether there is something to encode.
    ///
    /// @throws IllegalArgumentException if there are two, or the ids are not numbers
    boolean given() {
        if (text != null && ids != null) {
            throw new IllegalArgumentException("encoder: got --encoder-text and --encoder-ids, need one of them");
        }
        if (ids != null) {
            TokenIds.parse("--encoder-ids", ids);
        }
        return text != null || ids != null;
    }

    /// The prompt behind what is encoded: bos where none was given.
    Prompt prompt(PromptOptions prompt, Console console) throws IOException {
        return given() && prompt.given().isEmpty() ? Prompt.begin() : prompt.read(console);
    }

    /// Encodes what was given.
    ///
    /// @param chat whether a text is the user's turn
    /// @throws IllegalArgumentException if the model needs something to encode and nothing was given, or a turn is
    ///                                  not a text
    /// @throws IllegalStateException    if something was given and the model has no encoder
    void encode(Gemma gemma, Session session, boolean chat) {
        if (ids != null) {
            session.encode(TokenIds.parse("--encoder-ids", ids));
        } else if (text != null) {
            if (chat) {
                session.encode(gemma.chat().user(text).ids());
            } else {
                session.encode(text);
            }
        } else if (gemma.hasEncoder()) {
            throw new IllegalArgumentException(
                    "encoder: got nothing to read, need --encoder-text or --encoder-ids for this model");
        }
    }
}
