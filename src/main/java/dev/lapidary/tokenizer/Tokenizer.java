package dev.lapidary.tokenizer;

import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.checkpoint.GgufPlace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Text to token ids and back, exactly as SentencePiece does it for the Gemma family.
///
/// ```java
/// Tokenizer tokenizer = Tokenizer.load(Path.of("gemma-3-1b-it"));
/// int[] ids = tokenizer.encode("Why is the sky blue?");
/// String text = tokenizer.decode(ids);
/// ```
///
/// Immutable and safe to share between threads. 262 144 pieces take about 20 MB.
public final class Tokenizer {
    /// User-defined symbols that are text like any other; all the rest steer the model.
    private static final Set<String> TAGS = Set.of(
            "table",
            "caption",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "th",
            "td",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "blockquote",
            "strong",
            "em",
            "b",
            "i",
            "u",
            "s",
            "sub",
            "sup",
            "code");

    private final TokenizerModel model;
    private final Vocabulary vocabulary;
    private final SymbolTrie userDefined;
    private final SymbolTrie userDefinedText;
    private final SymbolTrie steering; // control pieces, and symbols that are not text

    Tokenizer(TokenizerModel model) {
        this.model = model;
        this.vocabulary = model.vocabulary();
        this.userDefined = new SymbolTrie();
        this.userDefinedText = new SymbolTrie();
        this.steering = new SymbolTrie();
        for (int id = 0; id < vocabulary.pieces(); id++) {
            if (isSteering(id)) {
                steering.add(vocabulary.texts(), vocabulary.start(id), vocabulary.end(id), id);
            }
            if (vocabulary.is(id, PieceType.USER_DEFINED)) {
                userDefined.add(vocabulary.texts(), vocabulary.start(id), vocabulary.end(id), id);
                if (isText(vocabulary.text(id))) {
                    userDefinedText.add(vocabulary.texts(), vocabulary.start(id), vocabulary.end(id), id);
                }
            }
        }
    }

    /// Loads a `tokenizer.model` (SentencePiece), a `tokenizer.json` (Hugging Face) or what a GGUF file carries,
    /// told apart by the name's end. In a folder it takes `tokenizer.model`, else `tokenizer.json`, else the only
    /// model in GGUF.
    ///
    /// Throws [TokenizerException] for a file that is broken or asks for something a Gemma tokenizer does not
    /// have.
    public static Tokenizer load(Path fileOrFolder) throws IOException {
        return find(fileOrFolder)
                .orElseThrow(() -> new TokenizerException(
                        Files.isDirectory(fileOrFolder)
                                ? "%s: no tokenizer.model or tokenizer.json".formatted(fileOrFolder)
                                : "%s: got no tokenizer in it, need tokenizer.ggml.tokens".formatted(fileOrFolder)));
    }

    /// As [#load(Path)], or empty for a folder or a GGUF file without a tokenizer.
    public static Optional<Tokenizer> find(Path fileOrFolder) throws IOException {
        Optional<Path> place = Files.isDirectory(fileOrFolder) ? inFolder(fileOrFolder) : Optional.of(fileOrFolder);
        if (place.isEmpty()) {
            return Optional.empty();
        }
        Path file = place.get();
        String name = file.toString();
        if (name.endsWith(".gguf")) {
            GgufMetadata metadata = GgufMetadata.read(file);
            return GgufTokenizer.isIn(metadata)
                    ? Optional.of(new Tokenizer(GgufTokenizer.read(metadata)))
                    : Optional.empty();
        }
        return Optional.of(
                new Tokenizer(name.endsWith(".json") ? HuggingFaceFile.read(file) : SentencePieceFile.read(file)));
    }

    private static Optional<Path> inFolder(Path folder) throws IOException {
        for (String name : List.of("tokenizer.model", "tokenizer.json")) {
            if (Files.exists(folder.resolve(name))) {
                return Optional.of(folder.resolve(name));
            }
        }
        return GgufPlace.of(folder);
    }

    /// The ids of a text, without begin or end of sequence. Symbols such as `<start_of_turn>` written in the text
    /// become their ids, as in SentencePiece; `<bos>` and the other control pieces stay text. A surrogate without
    /// its partner counts as U+FFFD.
    ///
    /// For text that someone else wrote, see [#encodePlain(String)].
    public int[] encode(String text) {
        return new Encoder(model, userDefined).encode(text);
    }

    /// As [#encode(String)], but nothing written in the text can steer the model: `<start_of_turn>` stays the
    /// characters it is written with. Runs of spaces and newlines and HTML tags keep their own ids.
    public int[] encodePlain(String text) {
        return new Encoder(model, userDefinedText).encode(text);
    }

    /// Begin of sequence and then [#encode(String)]: what a model wants to see before it goes on with the text.
    public int[] encodePrompt(String text) {
        int[] ids = encode(text);
        int[] prompt = new int[ids.length + 1];
        prompt[0] = bosId();
        System.arraycopy(ids, 0, prompt, 1, ids.length);
        return prompt;
    }

    /// The text of these ids. Control ids are nothing, bytes that make no character are one U+FFFD each.
    /// Throws `IllegalArgumentException` if there is no such id.
    public String decode(int... ids) {
        StreamingDecoder decoder = new StreamingDecoder(this);
        for (int id : ids) {
            decoder.add(id);
        }
        return decoder.finish();
    }

    /// A decoder for ids that come one by one.
    public StreamingDecoder streamingDecoder() {
        return new StreamingDecoder(this);
    }

    /// An encoder for a text that comes in parts, such as a file too large to hold.
    public StreamingEncoder streamingEncoder() {
        return new StreamingEncoder(new Encoder(model, userDefined));
    }

    /// The first id that another tokenizer spells differently, or lacks; empty where all are the same.
    public OptionalInt firstDifference(Tokenizer other) {
        return vocabulary.firstDifference(other.vocabulary);
    }

    public int vocabSize() {
        return vocabulary.pieces();
    }

    /// Begin of sequence.
    public int bosId() {
        return model.special().bos();
    }

    /// End of sequence.
    public int eosId() {
        return model.special().eos();
    }

    public int padId() {
        return model.special().pad();
    }

    /// What stands for text that the vocabulary cannot spell.
    public int unkId() {
        return model.special().unknown();
    }

    /// The id of a piece as the vocabulary spells it, spaces as U+2581.
    public OptionalInt idOf(String piece) {
        int id = vocabulary.find(piece);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /// A piece as the vocabulary spells it. Throws `IllegalArgumentException` if there is no such id.
    public String piece(int id) {
        checkId(id);
        return vocabulary.text(id);
    }

    /// Whether an id stands for no text at all, such as begin of sequence.
    public boolean isControl(int id) {
        checkId(id);
        return vocabulary.is(id, PieceType.CONTROL);
    }

    /// Whether an id steers the model: a control piece, or a symbol such as `<start_of_turn>`.
    boolean isSteering(int id) {
        return vocabulary.is(id, PieceType.CONTROL)
                || (vocabulary.is(id, PieceType.USER_DEFINED) && !isText(vocabulary.text(id)));
    }

    /// The longest piece at `at` in `text[0, end)` that steers the model, or -1.
    int steeringAt(char[] text, int at, int end) {
        long match = steering.startsWith(text[at]) ? steering.longestMatch(text, at, end) : SymbolTrie.NO_MATCH;
        return match == SymbolTrie.NO_MATCH ? -1 : (int) match;
    }

    /// The id of a piece that `purpose` cannot do without.
    int requiredId(String piece, String purpose) {
        return idOf(piece)
                .orElseThrow(() -> new IllegalArgumentException(
                        "%s: no piece \"%s\", which %s need".formatted(model.source(), piece, purpose)));
    }

    int byteValue(int id) {
        checkId(id);
        return vocabulary.is(id, PieceType.BYTE) ? ByteIds.value(vocabulary.text(id)) : ByteIds.NOT_A_BYTE;
    }

    /// Appends the text of an id that is not a byte.
    void appendText(int id, StringBuilder text) {
        if (vocabulary.is(id, PieceType.CONTROL)) {
            return;
        }
        if (vocabulary.is(id, PieceType.UNKNOWN)) {
            text.append(model.unknownSurface());
            return;
        }
        char[] texts = vocabulary.texts();
        for (int at = vocabulary.start(id); at < vocabulary.end(id); at++) {
            text.append(texts[at] == TokenizerModel.SPACE ? ' ' : texts[at]);
        }
    }

    private void checkId(int id) {
        if (id < 0 || id >= vocabulary.pieces()) {
            throw new IllegalArgumentException("token id: got %d, need 0 to %d".formatted(id, vocabulary.pieces() - 1));
        }
    }

    private static boolean isText(String symbol) {
        if (symbol.codePointCount(0, symbol.length()) == 1
                || symbol.chars().allMatch(c -> c == TokenizerModel.SPACE || Character.isWhitespace(c))) {
            return true;
        }
        return symbol.startsWith("<")
                && symbol.endsWith(">")
                && TAGS.contains(symbol.substring(symbol.startsWith("</") ? 2 : 1, symbol.length() - 1));
    }
}
