package dev.lapidary.tokenizer;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import dev.lapidary.tokenizer.template.Template;
import dev.lapidary.tokenizer.template.TemplateException;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a checkpoint writes conversations: the Jinja template that comes with it. Immutable and safe to share between
/// threads.
public final class ChatTemplate {
    private static final String KEY = "chat_template";
    private static final String USUAL_NAME = "default";
    private static final long MOST_BYTES = 64L << 20;

    private final String source;
    private final Template template;

    private ChatTemplate(String source, Template template) {
        this.source = source;
        this.template = template;
    }

    /// Names it in messages.
    String source() {
        return source;
    }

    Template template() {
        return template;
    }

    /// A template by its text, as GGUF metadata has it.
    ///
    /// @param source names it in messages
    /// @throws TokenizerException for what is not Jinja, or not the part of it that is known, with the line
    public static ChatTemplate of(String source, String text) throws TokenizerException {
        try {
            return new ChatTemplate(source, Template.parse(text));
        } catch (TemplateException e) {
            throw new TokenizerException("%s: %s".formatted(source, e.getMessage()), e);
        }
    }

    /// The template of a folder in Hugging Face layout: `chat_template.jinja`, or `chat_template` in
    /// `tokenizer_config.json` (the one named `default` where there are several), or in `chat_template.json`.
    ///
    /// @throws TokenizerException for a file that is broken, or a template that is not understood
    public static Optional<ChatTemplate> find(Path folder) throws IOException {
        Optional<Found> found = search(folder);
        return found.isPresent()
                ? Optional.of(of(found.get().source(), found.get().text()))
                : Optional.empty();
    }

    /// As [#find], as text that nobody looked at.
    public static Optional<String> text(Path folder) throws IOException {
        return search(folder).map(Found::text);
    }

    private record Found(String source, String text) {}

    private static Optional<Found> search(Path folder) throws IOException {
        Path own = folder.resolve("chat_template.jinja");
        if (Files.exists(own)) {
            checkSize(own);
            return Optional.of(new Found(own.toString(), Files.readString(own)));
        }
        for (String name : new String[] {"tokenizer_config.json", "chat_template.json"}) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                checkSize(file);
                Optional<String> text = read(file);
                if (text.isPresent()) {
                    return Optional.of(new Found("%s: %s".formatted(file, KEY), text.get()));
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> read(Path file) throws IOException {
        try (Reader reader = Files.newBufferedReader(file);
                JsonReader json = new JsonReader(reader)) {
            json.setStrictness(Strictness.STRICT);
            json.beginObject();
            while (json.hasNext()) {
                if (!json.nextName().equals(KEY)) {
                    json.skipValue();
                } else if (json.peek() == JsonToken.NULL) {
                    json.nextNull();
                } else {
                    return Optional.of(chosen(file, JsonTree.read(json)));
                }
            }
            return Optional.empty();
        } catch (MalformedJsonException | EOFException | IllegalStateException e) {
            String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new TokenizerException("%s: %s".formatted(file, first), e);
        }
    }

    private static String chosen(Path file, Object value) throws TokenizerException {
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof List<?> named) {
            for (Object one : named) {
                if (one instanceof Map<?, ?> entry
                        && USUAL_NAME.equals(entry.get("name"))
                        && entry.get("template") instanceof String text) {
                    return text;
                }
            }
        }
        throw new TokenizerException(
                "%s: %s: need a string, or a list with a template named \"%s\"".formatted(file, KEY, USUAL_NAME));
    }

    private static void checkSize(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new TokenizerException(
                    "%s: got %d bytes, need %d at most".formatted(file, Files.size(file), MOST_BYTES));
        }
    }
}
