package dev.lapidary;

import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A text as an encoder reads it.
final class EncoderPrompt {
    private static final String FILE = "tokenizer_config.json";

    private EncoderPrompt() {}

    /// The ids of `text`, bos in front unless the checkpoint's `tokenizer_config.json` says `"add_bos_token": false`.
    ///
    /// @throws IOException if that file cannot be read, naming it and the key
    static int[] ids(Tokenizer tokenizer, Path checkpoint, String text) throws IOException {
        Path file = checkpoint.resolve(FILE);
        boolean bos = !Files.exists(file) || ConfigKeys.read(file).booleanValue("add_bos_token", true);
        return bos ? tokenizer.encodePrompt(text) : tokenizer.encode(text);
    }
}
