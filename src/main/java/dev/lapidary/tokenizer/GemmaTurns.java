package dev.lapidary.tokenizer;

import dev.lapidary.tokenizer.Turn.Speaker;
import java.util.List;

/// Turns as Gemma 1 to 3 know them, for checkpoints that come without a template. Texts become plain ids; white space
/// around them goes. These models know no system role: its text stands in front of the first user turn.
final class GemmaTurns implements TurnFormat {
    private static final String START = "<start_of_turn>";
    private static final String END = "<end_of_turn>";

    /// What begins and ends a turn.
    static final List<String> SYMBOLS = List.of(START, END);

    private static final String PURPOSE = "chat turns";

    private final Tokenizer tokenizer;
    private final int startOfTurn;
    private final int endOfTurn;

    /// Throws `IllegalArgumentException` if the vocabulary has no turn symbols.
    GemmaTurns(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        startOfTurn = tokenizer.requiredId(START, PURPOSE);
        endOfTurn = tokenizer.requiredId(END, PURPOSE);
    }

    @Override
    public void check(List<Turn> turns, Speaker next) {
        boolean fits = switch (next) {
            case SYSTEM -> turns.isEmpty();
            case USER -> turns.isEmpty() || turns.getLast().speaker() != Speaker.USER;
            case MODEL -> !turns.isEmpty() && turns.getLast().speaker() == Speaker.USER;
        };
        if (!fits) {
            throw new IllegalStateException("chat: got %s after %s"
                    .formatted(
                            next, turns.isEmpty() ? "no turn" : turns.getLast().speaker()));
        }
    }

    @Override
    public int[] ids(List<Turn> turns) {
        IntList all = new IntList();
        all.add(tokenizer.bosId());
        String system = "";
        for (Turn turn : turns) {
            if (turn.speaker() == Speaker.SYSTEM) {
                system = turn.text() + "\n\n";
                continue;
            }
            start(all, turn.speaker() == Speaker.USER ? "user" : "model");
            String before = system;
            all.addAll(turn.ids()
                    .orElseGet(() -> tokenizer.encodePlain(before + turn.text().strip())));
            all.add(endOfTurn);
            all.addAll(tokenizer.encodePlain("\n"));
            system = "";
        }
        start(all, "model");
        return all.toArray();
    }

    @Override
    public boolean isStop(int id) {
        return id == tokenizer.eosId() || id == endOfTurn;
    }

    private void start(IntList all, String role) {
        all.add(startOfTurn);
        all.addAll(tokenizer.encodePlain(role + "\n"));
    }
}
