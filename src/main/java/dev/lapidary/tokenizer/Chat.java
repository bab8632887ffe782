package dev.lapidary.tokenizer;

import java.util.Arrays;

/// A conversation in the turn format of Gemma 1 to 3, as ids. Immutable: every call returns the longer
/// conversation.
///
/// ```java
/// Chat chat = Chat.with(tokenizer).system("Answer in one sentence.").user("Why is the sky blue?");
/// int[] prompt = chat.ids();               // ends where the model starts to answer
/// int[] answer = ...;                      // what the model said
/// chat = chat.model(answer).user("And at dusk?");
/// int[] next = chat.idsAfter(...);         // what a session that holds prompt and answer still has to read
/// ```
///
/// Texts become plain ids: `<end_of_turn>` written by a user ends no turn. White space around them goes, as the
/// model's own template has it. These models know no system role: its text stands in front of the first user turn.
public final class Chat {
    private static final String PURPOSE = "chat turns";

    private final Tokenizer tokenizer;
    private final String system; // still to be put in front of the first user turn
    private final int[] ids; // all turns so far
    private final Speaker last;

    private enum Speaker {
        NOBODY("no turn"),
        SYSTEM("system text"),
        USER("a user turn"),
        MODEL("a model turn");

        private final String turn;

        Speaker(String turn) {
            this.turn = turn;
        }

        @Override
        public String toString() {
            return turn;
        }
    }

    private Chat(Tokenizer tokenizer, String system, int[] ids, Speaker last) {
        this.tokenizer = tokenizer;
        this.system = system;
        this.ids = ids;
        this.last = last;
    }

    /// An empty conversation. Throws `IllegalArgumentException` if the vocabulary has no turn symbols.
    public static Chat with(Tokenizer tokenizer) {
        tokenizer.requiredId("<start_of_turn>", PURPOSE);
        tokenizer.requiredId("<end_of_turn>", PURPOSE);
        return new Chat(tokenizer, "", new int[] {tokenizer.bosId()}, Speaker.NOBODY);
    }

    /// The ids that end a model's turn: end of sequence and `<end_of_turn>`.
    public static int[] stopIds(Tokenizer tokenizer) {
        return new int[] {tokenizer.eosId(), tokenizer.requiredId("<end_of_turn>", PURPOSE)};
    }

    /// Says how the model should behave; only before the first turn.
    public Chat system(String text) {
        requireTurn(last == Speaker.NOBODY, Speaker.SYSTEM);
        return new Chat(tokenizer, text + "\n\n", ids, Speaker.SYSTEM);
    }

    /// What the user says.
    public Chat user(String text) {
        requireTurn(last != Speaker.USER, Speaker.USER);
        return new Chat(tokenizer, "", turn("user", tokenizer.encodePlain(system + text.strip())), Speaker.USER);
    }

    /// What the model said, as text. Where the ids are known, [#model(int...)] is exact: a text may have more than
    /// one spelling in ids.
    public Chat model(String text) {
        requireTurn(last == Speaker.USER, Speaker.MODEL);
        return new Chat(tokenizer, "", turn("model", tokenizer.encodePlain(text.strip())), Speaker.MODEL);
    }

    /// What the model said, as the ids it gave; a stop id at their end is not part of it.
    public Chat model(int... said) {
        requireTurn(last == Speaker.USER, Speaker.MODEL);
        int length = said.length;
        if (length > 0 && Arrays.stream(stopIds(tokenizer)).anyMatch(stop -> stop == said[length - 1])) {
            return new Chat(tokenizer, "", turn("model", Arrays.copyOf(said, length - 1)), Speaker.MODEL);
        }
        return new Chat(tokenizer, "", turn("model", said), Speaker.MODEL);
    }

    /// The whole conversation from begin of sequence to `<start_of_turn>model\n`, after which the model answers.
    /// Throws `IllegalStateException` unless the last turn is the user's.
    public int[] ids() {
        if (last != Speaker.USER) {
            throw new IllegalStateException("chat: got %s last, need a user turn to answer".formatted(last));
        }
        IntList all = new IntList();
        all.addAll(ids);
        startTurn(all, "model");
        return all.toArray();
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

    private int[] turn(String role, int[] text) {
        IntList all = new IntList();
        all.addAll(ids);
        startTurn(all, role);
        all.addAll(text);
        all.add(tokenizer.requiredId("<end_of_turn>", PURPOSE));
        all.addAll(tokenizer.encodePlain("\n"));
        return all.toArray();
    }

    private void startTurn(IntList all, String role) {
        all.add(tokenizer.requiredId("<start_of_turn>", PURPOSE));
        all.addAll(tokenizer.encodePlain(role + "\n"));
    }

    private void requireTurn(boolean fits, Speaker next) {
        if (!fits) {
            throw new IllegalStateException("chat: got %s after %s".formatted(next, last));
        }
    }
}
