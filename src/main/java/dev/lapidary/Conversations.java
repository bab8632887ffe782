package dev.lapidary;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.tokenizer.Chat;
import dev.lapidary.tokenizer.ChatTemplate;
import dev.lapidary.tokenizer.ImageSymbols;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How a checkpoint's conversations are written: by its own template, or in the turns of Gemma 1 to 3.
final class Conversations {
    private static final String GGUF_TEMPLATE = "tokenizer.chat_template";

    private final @Nullable Checkpoint checkpoint;
    private final @Nullable ImageSymbols images;
    private Optional<ChatTemplate> template = Optional.empty();
    private boolean templateSought;

    /// @param images how images are written; null for a model that sees none in conversations
    Conversations(@Nullable Checkpoint checkpoint, @Nullable ImageSymbols images) {
        this.checkpoint = checkpoint;
        this.images = images;
    }

    /// An empty conversation.
    ///
    /// @throws IllegalArgumentException if there is no template, and the vocabulary has no turn symbols
    /// @throws UncheckedIOException     if the template cannot be read, or does something that is not known
    Chat begin(Tokenizer tokenizer) {
        return template()
                .map(own -> images == null ? Chat.with(tokenizer, own) : Chat.with(tokenizer, own, images))
                .orElseGet(() -> builtIn(tokenizer));
    }

    private Chat builtIn(Tokenizer tokenizer) {
        return images == null ? Chat.with(tokenizer) : Chat.with(tokenizer, images);
    }

    /// As [#begin(Tokenizer)], but in the built-in turns where the template is of those turns and not understood.
    ///
    /// @param onFallback told what was not understood
    Chat begin(Tokenizer tokenizer, Consumer<String> onFallback) {
        Chat chat;
        try {
            chat = begin(tokenizer);
        } catch (UncheckedIOException e) {
            return builtIn(tokenizer, e, onFallback);
        }
        try {
            // What a template does with a conversation shows when it gets one
            chat.user("a").model("b").user("c").ids();
        } catch (IllegalArgumentException e) {
            return builtIn(tokenizer, e, onFallback);
        } catch (IllegalStateException e) {
            return chat; // it refuses this conversation, in words of its own
        }
        return chat;
    }

    private Chat builtIn(Tokenizer tokenizer, RuntimeException failure, Consumer<String> onFallback) {
        if (!Chat.isGemmas(tokenizer, templateText())) {
            throw failure;
        }
        String what = failure.getCause() instanceof IOException e ? e.getMessage() : failure.getMessage();
        onFallback.accept("%s; using the built-in turns of Gemma in its place".formatted(what));
        return builtIn(tokenizer);
    }

    /// Read when somebody wants to chat: `tokenizer_config.json` can have a megabyte.
    private synchronized Optional<ChatTemplate> template() {
        if (!templateSought && checkpoint != null) {
            try {
                template = find(checkpoint);
                templateSought = true;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return template;
    }

    private static Optional<ChatTemplate> find(Checkpoint checkpoint) throws IOException {
        return switch (checkpoint.configuration()) {
            case Configuration.HuggingFace _ -> ChatTemplate.find(checkpoint.path());
            case Configuration.Gguf(GgufMetadata metadata) ->
                metadata.has(GGUF_TEMPLATE)
                        ? Optional.of(ChatTemplate.of(
                                metadata.source() + ": " + GGUF_TEMPLATE, metadata.string(GGUF_TEMPLATE)))
                        : Optional.empty();
        };
    }

    /// The template as it stands there; empty if there is none, or none that can be read.
    private String templateText() {
        if (checkpoint == null) {
            return "";
        }
        try {
            return switch (checkpoint.configuration()) {
                case Configuration.HuggingFace _ ->
                    ChatTemplate.text(checkpoint.path()).orElse("");
                case Configuration.Gguf(GgufMetadata metadata) ->
                    metadata.has(GGUF_TEMPLATE) ? metadata.string(GGUF_TEMPLATE) : "";
            };
        } catch (IOException e) {
            return "";
        }
    }
}
