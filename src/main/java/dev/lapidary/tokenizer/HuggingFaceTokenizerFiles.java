package dev.lapidary.tokenizer;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.checkpoint.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Writes a checkpoint's tokenizer into a folder in Hugging Face layout.
public final class HuggingFaceTokenizerFiles {
    private static final String TEMPLATE = "tokenizer.chat_template";

    /// What stands beside the weights and says nothing about them.
    private static final List<String> COPIED = List.of(
            "tokenizer.model",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "chat_template.json",
            "generation_config.json");

    private HuggingFaceTokenizerFiles() {}

    /// Copies the files of a folder; of a GGUF file, writes its metadata as `tokenizer.model` and
    /// `chat_template.jinja`.
    ///
    /// @return whether there is a tokenizer
    @SuppressWarnings("exports") // for the other rooms of this module
    public static boolean write(Checkpoint checkpoint, Path folder) throws IOException {
        return switch (checkpoint.configuration()) {
            case Configuration.HuggingFace _ -> copy(checkpoint.path(), folder);
            case Configuration.Gguf(GgufMetadata metadata) -> write(metadata, folder);
        };
    }

    private static boolean copy(Path from, Path folder) throws IOException {
        boolean found = false;
        for (String name : COPIED) {
            Path file = from.resolve(name);
            if (Files.exists(file)) {
                WholeFile.write(folder.resolve(name), Files.readAllBytes(file));
                found |= name.equals("tokenizer.model") || name.equals("tokenizer.json");
            }
        }
        return found;
    }

    private static boolean write(GgufMetadata metadata, Path folder) throws IOException {
        if (!GgufTokenizer.isIn(metadata)) {
            return false;
        }
        WholeFile.write(folder.resolve("tokenizer.model"), SentencePieceWriter.bytes(GgufTokenizer.pieces(metadata)));
        if (metadata.has(TEMPLATE)) {
            byte[] text = metadata.string(TEMPLATE).getBytes(StandardCharsets.UTF_8);
            WholeFile.write(folder.resolve("chat_template.jinja"), text);
        }
        return true;
    }
}
