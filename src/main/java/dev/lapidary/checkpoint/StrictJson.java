package dev.lapidary.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.math.BigDecimal;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// JSON as RFC 8259 has it, and no more: UTF-8, each key once, nothing after the value, bounded nesting and size.
final class StrictJson {
    /// For the JSON files beside the weights. Gemma's largest index has about 0.1 MB.
    static final long MAX_FILE_BYTES = 4 << 20;

    private static final int MAX_NESTING = 32;
    private static final int SHOWN_CHARACTERS = 160;
    private static final String LENIENT_ADVICE =
            "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON";

    private StrictJson() {}

    /// A strict streaming reader over UTF-8 that fails on malformed bytes instead of replacing them.
    static JsonReader reader(InputStream utf8) {
        return strict(new InputStreamReader(
                utf8,
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
    }

    static JsonReader strict(Reader text) {
        JsonReader json = new JsonReader(text);
        json.setStrictness(Strictness.STRICT);
        json.setNestingLimit(MAX_NESTING);
        return json;
    }

    /// The one object that `file` holds.
    static JsonObject read(Path file) throws CheckpointException {
        return (JsonObject) read(file, JsonToken.BEGIN_OBJECT);
    }

    /// The one list that `file` holds.
    static JsonArray readList(Path file) throws CheckpointException {
        return (JsonArray) read(file, JsonToken.BEGIN_ARRAY);
    }

    /// The one object of `json`; `source` is what messages call it.
    static JsonObject parse(String source, JsonReader json) throws CheckpointException {
        return (JsonObject) parse(source, json, JsonToken.BEGIN_OBJECT);
    }

    private static JsonElement read(Path file, JsonToken begin) throws CheckpointException {
        try (FileChannel channel = RegularFile.open(file)) {
            if (channel.size() > MAX_FILE_BYTES) {
                throw new CheckpointException(
                        "%s: got %d bytes, need at most %d".formatted(file, channel.size(), MAX_FILE_BYTES));
            }
            return parse(file.toString(), reader(Channels.newInputStream(channel)), begin);
        } catch (IOException e) {
            throw RegularFile.unreadable(file, e);
        }
    }

    private static JsonElement parse(String source, JsonReader json, JsonToken begin) throws CheckpointException {
        try {
            if (json.peek() != begin) {
                throw new CheckpointException(
                        "%s: got %s, need %s".formatted(source, words(json.peek()), words(begin)));
            }
            JsonElement element = element(source, json);
            requireEnd(json);
            return element;
        } catch (IOException e) {
            throw malformed(source, e);
        }
    }

    /// Throws unless only white space is left: a strict reader ends after its first value.
    static void requireEnd(JsonReader json) throws IOException {
        JsonToken end = json.peek();
        assert end == JsonToken.END_DOCUMENT : end;
    }

    /// The explanation for what a strict reader throws on text that is not JSON.
    static CheckpointException malformed(String source, IOException cause) {
        return switch (cause) {
            case CheckpointException explained -> explained;
            case CharacterCodingException e -> new CheckpointException(source + ": got bytes that are not UTF-8", e);
            default -> new CheckpointException("%s: got malformed JSON: %s".formatted(source, reason(cause)), cause);
        };
    }

    /// Gson's words without its advice to be lenient and its link.
    private static String reason(IOException cause) {
        String message = String.valueOf(cause.getMessage()).replace(LENIENT_ADVICE, "a syntax error");
        return cut(message.lines().findFirst().orElse("no reason given"));
    }

    static String words(JsonToken token) {
        return switch (token) {
            case BEGIN_OBJECT -> "an object";
            case BEGIN_ARRAY -> "a list";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case NULL -> "null";
            case END_OBJECT, END_ARRAY, END_DOCUMENT, NAME -> "the end";
        };
    }

    /// Text of any length as a message shows it.
    static String quoted(String text) {
        return "\"" + cut(text) + "\"";
    }

    private static String cut(String text) {
        return text.length() <= SHOWN_CHARACTERS
                ? text
                : "%s... (%d characters)".formatted(text.substring(0, SHOWN_CHARACTERS), text.length());
    }

    private static JsonElement element(String source, JsonReader json) throws IOException {
        return switch (json.peek()) {
            case BEGIN_OBJECT -> object(source, json);
            case BEGIN_ARRAY -> array(source, json);
            case STRING -> new JsonPrimitive(json.nextString());
            case NUMBER -> new JsonPrimitive(number(source, json.nextString()));
            case BOOLEAN -> new JsonPrimitive(json.nextBoolean());
            case NULL -> {
                json.nextNull();
                yield JsonNull.INSTANCE;
            }
            case END_OBJECT, END_ARRAY, END_DOCUMENT, NAME -> throw new AssertionError(json.getPath());
        };
    }

    private static BigDecimal number(String source, String digits) throws CheckpointException {
        try {
            return new BigDecimal(digits);
        } catch (NumberFormatException e) {
            throw new CheckpointException(
                    "%s: got the number %s, need an exponent of 32 bits".formatted(source, cut(digits)), e);
        }
    }

    private static JsonObject object(String source, JsonReader json) throws IOException {
        JsonObject object = new JsonObject();
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            if (object.has(key)) {
                throw new CheckpointException("%s: got the key %s twice, need it once".formatted(source, quoted(key)));
            }
            object.add(key, element(source, json));
        }
        json.endObject();
        return object;
    }

    private static JsonArray array(String source, JsonReader json) throws IOException {
        JsonArray array = new JsonArray();
        json.beginArray();
        while (json.hasNext()) {
            array.add(element(source, json));
        }
        json.endArray();
        return array;
    }
}
