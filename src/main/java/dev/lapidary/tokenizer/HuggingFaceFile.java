package dev.lapidary.tokenizer;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Reads `tokenizer.json`: a BPE model of Hugging Face's `tokenizers`, as a stream. Anything but the pipeline of
/// the Gemma family is refused by name.
final class HuggingFaceFile {
    private static final long MAX_BYTES = 256L << 20;

    private static final Map<String, Object> SPACES_ESCAPED = replace(" ", "\u2581");
    private static final List<Object> NORMALIZERS =
            List.of(SPACES_ESCAPED, Map.of("type", "Sequence", "normalizers", List.of(SPACES_ESCAPED)));
    private static final List<Object> DECODERS = List.of(Map.of(
            "type",
            "Sequence",
            "decoders",
            List.of(replace("\u2581", " "), Map.of("type", "ByteFallback"), Map.of("type", "Fuse"))));

    private final JsonReader json;
    private final String source;
    private final HuggingFacePieces pieces;
    private final MergeList merges;
    private Object normalizer = JsonTree.NULL;
    private Object decoder = JsonTree.NULL;
    private boolean byteFallback;
    private boolean fuseUnknown;

    private HuggingFaceFile(JsonReader json, String source) {
        this.json = json;
        this.source = source;
        this.pieces = new HuggingFacePieces(source);
        this.merges = new MergeList(source);
    }

    static TokenizerModel read(Path file) throws IOException {
        long bytes = Files.size(file);
        if (bytes > MAX_BYTES) {
            throw new TokenizerException("%s: got %d bytes, need %d at most".formatted(file, bytes, MAX_BYTES));
        }
        try (Reader reader = Files.newBufferedReader(file)) {
            return read(reader, file.toString());
        }
    }

    static TokenizerModel read(Reader text, String source) throws IOException {
        JsonReader json = new JsonReader(text);
        json.setStrictness(Strictness.STRICT);
        HuggingFaceFile file = new HuggingFaceFile(json, source);
        try {
            file.readFile();
        } catch (MalformedJsonException | EOFException | IllegalStateException | NumberFormatException e) {
            String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new TokenizerException(
                    "%s: %s".formatted(source, first), e); // the reader's messages have line and path
        } catch (CharacterCodingException e) {
            throw new TokenizerException(
                    "%s: got bytes that are not UTF-8 (after %s)".formatted(source, json.getPath()), e);
        }
        return file.model();
    }

    private TokenizerModel model() throws TokenizerException {
        requireOneOf("normalizer", normalizer, NORMALIZERS);
        requireOneOf("decoder", decoder, DECODERS);
        Vocabulary vocabulary = pieces.vocabulary();
        SpecialIds special = SpecialIds.find(
                source, vocabulary, HuggingFacePieces.BOS, HuggingFacePieces.EOS, HuggingFacePieces.PAD);
        TokenizerModel model = TokenizerModel.ofMerges(source, vocabulary, merges, special);
        if (byteFallback == model.bytes().none()) {
            throw new TokenizerException("%s: model.byte_fallback: got %s, and the vocabulary has %s byte pieces"
                    .formatted(source, byteFallback, byteFallback ? "no" : "256"));
        }
        if (!byteFallback && !fuseUnknown) {
            throw new TokenizerException("%s: model.fuse_unk: got false, need true".formatted(source));
        }
        return model;
    }

    private void readFile() throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            switch (name) {
                case "version" -> requireOneOf(name, JsonTree.read(json), List.of("1.0"));
                case "truncation", "padding" -> json.skipValue(); // for batches of texts; here a text is one text
                case "added_tokens" -> readAdded();
                case "normalizer" -> normalizer = JsonTree.read(json);
                case "pre_tokenizer" -> readPreTokenizer();
                case "post_processor" -> readPostProcessor();
                case "decoder" -> decoder = JsonTree.read(json);
                case "model" -> readModel();
                default -> throw unknown(name);
            }
        }
        json.endObject();
        if (json.peek() != JsonToken.END_DOCUMENT) {
            throw new TokenizerException("%s: got text after the end".formatted(source));
        }
    }

    /// By the time of a split at spaces none are left: it has no effect.
    private void readPreTokenizer() throws IOException {
        Object splitter = JsonTree.read(json);
        boolean atSpaces = splitter instanceof Map<?, ?> members
                && "Split".equals(members.get("type"))
                && Map.of("String", " ").equals(members.get("pattern"));
        if (!atSpaces) {
            requireOneOf("pre_tokenizer", splitter, List.of(JsonTree.NULL));
        }
    }

    /// It adds begin of sequence, which [Tokenizer#encodePrompt(String)] does.
    private void readPostProcessor() throws IOException {
        Object template = JsonTree.read(json);
        if (!(template instanceof Map<?, ?> members && "TemplateProcessing".equals(members.get("type")))) {
            requireOneOf("post_processor", template, List.of(JsonTree.NULL));
        }
    }

    private void readAdded() throws IOException {
        json.beginArray();
        while (json.hasNext()) {
            readAddedToken();
        }
        json.endArray();
    }

    private void readAddedToken() throws IOException {
        int id = -1;
        String content = "";
        String path = path();
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            switch (name) {
                case "id" -> id = json.nextInt();
                case "content" -> content = json.nextString();
                case "single_word", "lstrip", "rstrip" -> requireOneOf(path(), JsonTree.read(json), List.of(false));
                case "normalized", "special" -> json.skipValue(); // no difference to a text spelled as pieces are
                default -> throw unknown(path());
            }
        }
        json.endObject();
        pieces.addToken(content, id, path);
    }

    private void readModel() throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            String path = "model." + name;
            switch (name) {
                case "type" -> requireOneOf(path, JsonTree.read(json), List.of("BPE"));
                case "dropout" -> requireOneOf(path, JsonTree.read(json), List.of(JsonTree.NULL, 0.0));
                case "continuing_subword_prefix", "end_of_word_suffix" ->
                    requireOneOf(path, JsonTree.read(json), List.of(JsonTree.NULL, ""));
                case "ignore_merges" -> requireOneOf(path, JsonTree.read(json), List.of(false));
                case "unk_token" -> pieces.unknown(json.nextString());
                case "fuse_unk" -> fuseUnknown = json.nextBoolean();
                case "byte_fallback" -> byteFallback = json.nextBoolean();
                case "vocab" -> readVocabulary();
                case "merges" -> readMerges();
                default -> throw unknown(path);
            }
        }
        json.endObject();
    }

    private void readVocabulary() throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String piece = json.nextName();
            pieces.add(piece, json.nextInt());
        }
        json.endObject();
    }

    private void readMerges() throws IOException {
        json.beginArray();
        while (json.hasNext()) {
            if (json.peek() == JsonToken.BEGIN_ARRAY) {
                json.beginArray();
                merges.add(json.nextString(), json.nextString());
                json.endArray();
            } else {
                readMerge(json.nextString());
            }
        }
        json.endArray();
    }

    /// The older form: two pieces with a space between; pieces themselves have none.
    private void readMerge(String merge) throws TokenizerException {
        int space = merge.indexOf(' ');
        if (space <= 0 || space == merge.length() - 1 || merge.indexOf(' ', space + 1) >= 0) {
            throw new TokenizerException("%s: %s: got \"%s\", need two pieces with one space between them"
                    .formatted(source, json.getPreviousPath().substring("$.".length()), merge));
        }
        merges.add(merge.substring(0, space), merge.substring(space + 1));
    }

    private String path() {
        return json.getPath().substring("$.".length());
    }

    private TokenizerException unknown(String path) {
        return new TokenizerException("%s: %s: not known".formatted(source, path));
    }

    private void requireOneOf(String path, Object got, List<Object> choices) throws TokenizerException {
        if (!choices.contains(got)) {
            String need = choices.size() == 1 ? "need" : "need one of";
            Object which = choices.size() == 1 ? choices.getFirst() : choices;
            throw new TokenizerException("%s: %s: got %s, %s %s".formatted(source, path, got, need, which));
        }
    }

    private static Map<String, Object> replace(String pattern, String content) {
        return Map.of("type", "Replace", "pattern", Map.of("String", pattern), "content", content);
    }
}
