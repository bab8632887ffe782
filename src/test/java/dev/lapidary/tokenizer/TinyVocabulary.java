package dev.lapidary.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Writes tokenizers for the reference's tiny checkpoints: characters, and symbols where their configs have them.
public final class TinyVocabulary {
    private static final int FIRST_CHARACTER = 4;

    private TinyVocabulary() {}

    /// Writes `tokenizer.model`: special pieces, line's end and printable ASCII from id 4 on, other letters, and
    /// `symbols` in the places that they name.
    public static void write(Path folder, int size, Map<Integer, String> symbols) throws IOException {
        List<TestPiece> pieces = new ArrayList<>(TestPiece.special());
        pieces.add(TestPiece.normal("\n", -1));
        pieces.add(TestPiece.normal("\u2581", -1));
        for (char character = '!'; character <= '~'; character++) {
            pieces.add(TestPiece.normal(Character.toString(character), -1));
        }
        while (pieces.size() < size) {
            pieces.add(TestPiece.normal(Character.toString(0x100 + pieces.size()), -1));
        }
        symbols.forEach((id, symbol) -> pieces.set(id, TestPiece.userDefined(symbol)));
        Files.write(folder.resolve("tokenizer.model"), ModelWriter.write(pieces));
    }

    /// Ids of plain characters.
    public static List<Integer> ids(String text) {
        return text.chars()
                .mapToObj(c -> FIRST_CHARACTER + (c == '\n' ? 0 : c == ' ' ? 1 : 2 + c - '!'))
                .toList();
    }
}
