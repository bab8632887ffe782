package dev.lapidary.tokenizer;

import dev.lapidary.tokenizer.Turn.Speaker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A conversation as ids, in the turn format of Gemma 1 to 3 or as a checkpoint's own template writes it. Immutable:
/// every call returns the longer conversation.
///
/// ```java
/// Chat chat = Chat.with(tokenizer).system("Answer in one sentence.").user("Why is the sky blue?");
/// int[] prompt = chat.ids();               // ends where the model starts to answer
/// int[] answer = ...;                      // what the model said
/// chat = chat.model(answer).user("And at dusk?");
/// int[] next = chat.idsAfter(...);         // what a session that holds prompt and answer still has to read
/// ```
///
/// Texts become plain ids: `<end_of_turn>` written by a user ends no turn. White space around them goes where the
/// template has it so. System text stands in front of the first user turn for models that know no such role.
public final class Chat {
    private final TurnFormat format;
    private final List<Turn> turns;

    private Chat(TurnFormat format, List<Turn> turns) {
        this.format = format;
        this.turns = turns;
    }

    /// An empty conversation in the turns of Gemma 1 to 3. Throws `IllegalArgumentException` if the vocabulary has
    /// no turn symbols.
    public static Chat with(Tokenizer tokenizer) {
        return new Chat(new GemmaTurns(tokenizer, null), List.of());
    }

    /// As [#with(Tokenizer)], for a model that sees images, which are written with `images`.
    public static Chat with(Tokenizer tokenizer, ImageSymbols images) {
        return new Chat(new GemmaTurns(tokenizer, images), List.of());
    }

    /// An empty conversation as a checkpoint's own template writes it. What turns may follow one another is for the
    /// template to say, in [#ids()].
    public static Chat with(Tokenizer tokenizer, ChatTemplate template) {
        return new Chat(new TemplateTurns(tokenizer, template, null), List.of());
    }

    /// As [#with(Tokenizer, ChatTemplate)], for a model that sees images, which are written with `images`.
    public static Chat with(Tokenizer tokenizer, ChatTemplate template, ImageSymbols images) {
        return new Chat(new TemplateTurns(tokenizer, template, images), List.of());
    }

    /// Whether a template, understood or not, writes the turns of Gemma 1 to 3, and the vocabulary has their symbols.
    public static boolean isGemmas(Tokenizer tokenizer, String template) {
        return GemmaTurns.SYMBOLS.stream()
                .allMatch(symbol ->
                        template.contains(symbol) && tokenizer.idOf(symbol).isPresent());
    }

    /// The ids that end a model's turn: end of sequence and `<end_of_turn>`.
    public static int[] stopIds(Tokenizer tokenizer) {
        return new int[] {tokenizer.eosId(), tokenizer.requiredId("<end_of_turn>", "chat turns")};
    }

    /// Says how the model should behave; only before the first turn.
    public Chat system(String text) {
        return with(Turn.of(Speaker.SYSTEM, text));
    }

    /// What the user says.
    public Chat user(String text) {
        return with(Turn.of(Speaker.USER, text));
    }

    /// What the user says below images.
    ///
    /// @param views of each image how many: 1, or itself and its crops
    /// @throws IllegalStateException if the model sees no images in conversations
    public Chat user(String text, int... views) {
        if (views.length > 0 && !format.seesImages()) {
            throw new IllegalStateException(
                    "chat: got %d images, need a model that sees images in conversations".formatted(views.length));
        }
        return with(Turn.ofUser(text, Arrays.stream(views).boxed().toList()));
    }

    /// What the model said, as text. Where the ids are known, [#model(int...)] is exact: a text may have more than
    /// one spelling in ids.
    public Chat model(String text) {
        return with(Turn.of(Speaker.MODEL, text));
    }

    /// What the model said, as the ids it gave; a stop id at their end is not part of it.
    public Chat model(int... said) {
        boolean stopped = said.length > 0 && format.isStop(said[said.length - 1]);
        return with(Turn.said(Arrays.copyOf(said, stopped ? said.length - 1 : said.length)));
    }

    /// The whole conversation from begin of sequence to where the model answers.
    ///
    /// @throws IllegalStateException    unless the last turn is the user's, or if the model's template refuses the
    ///                                  conversation, with its own words
    /// @throws IllegalArgumentException if the template does something that is not known, with the line
    public int[] ids() {
        if (turns.isEmpty() || turns.getLast().speaker() != Speaker.USER) {
            throw new IllegalStateException("chat: got %s last, need a user turn to answer"
                    .formatted(turns.isEmpty() ? "no turn" : turns.getLast().speaker()));
        }
        return format.ids(turns);
    }

    /// What follows in [#ids()] after `held`, the ids a session has already read or generated.
    /// Throws `IllegalArgumentException` if this conversation does not begin with them.
    public int[] idsAfter(int... held) {
        int[] all = ids();
        int same = Arrays.mismatch(held, all);
        if (same >= 0 && same < held.length) {
            throw new IllegalArgumentException(
                    same == all.length
                            ? "chat: got %d ids held, the conversation has %d".formatted(held.length, all.length)
                            : "chat: got %d held at position %d, need %d".formatted(held[same], same, all[same]));
        }
        return Arrays.copyOfRange(all, held.length, all.length);
    }

    private Chat with(Turn turn) {
        format.check(turns, turn.speaker());
        List<Turn> longer = new ArrayList<>(turns);
        longer.add(turn);
        return new Chat(format, List.copyOf(longer));
    }
}
