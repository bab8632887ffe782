package dev.lapidary.tokenizer;

import dev.lapidary.tokenizer.Turn.Speaker;
import java.util.List;

/// How turns become ids.
interface TurnFormat {
    /// Refuses a turn that may not follow these.
    void check(List<Turn> turns, Speaker next);

    /// All turns, and what makes the model answer.
    int[] ids(List<Turn> turns);

    /// Whether images may stand in a turn.
    boolean seesImages();

    /// Whether an id ends a model's turn.
    boolean isStop(int id);
}
