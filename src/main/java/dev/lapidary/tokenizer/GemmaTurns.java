package dev.lapidary.tokenizer;

import dev.lapidary.tokenizer.Turn.Speaker;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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
    private final @Nullable ImageSymbols images;

    /// Throws `IllegalArgumentException` if the vocabulary has no turn symbols.
    ///
    /// @param images how images are written; null for a model that sees none
    GemmaTurns(Tokenizer tokenizer, @Nullable ImageSymbols images) {
        this.tokenizer = tokenizer;
        this.images = images;
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
        IdWriter all = new IdWriter(tokenizer::encodePlain);
        all.ids(tokenizer.bosId());
        String system = "";
        for (Turn turn : turns) {
            if (turn.speaker() == Speaker.SYSTEM) {
                system = turn.text() + "\n\n";
                continue;
            }
            start(all, turn.speaker() == Speaker.USER ? "user" : "model");
            all.text(system);
            for (int views : turn.views()) {
                all.image(Objects.requireNonNull(images), views);
            }
            turn.ids().ifPresentOrElse(all::ids, () -> all.text(turn.text().strip()));
            all.ids(endOfTurn);
            all.text("\n");
            system = "";
        }
        start(all, "model");
        return all.toArray();
    }

    @Override
    public boolean seesImages() {
        return images != null;
    }

    @Override
    public boolean isStop(int id) {
        return id == tokenizer.eosId() || id == endOfTurn;
    }

    private void start(IdWriter all, String role) {
        all.ids(startOfTurn);
        all.text(role + "\n");
    }
}
