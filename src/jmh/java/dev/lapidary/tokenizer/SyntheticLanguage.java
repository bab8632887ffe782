package dev.lapidary.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// Made-up words, a vocabulary as large as Gemma 3's that is built from them the way training builds one, and text
/// in which few words are frequent and many are rare.
final class SyntheticLanguage {
    private static final int PIECES = 262_144;
    private static final String LETTERS =
            "eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnssssssrrrrrrhhhhhhddddlllluuuccmmmffyywwggppbvkxqjz";

    private final Random random = new Random(42);
    private final List<String> words = new ArrayList<>();
    private final Set<String> texts = new LinkedHashSet<>();

    SyntheticLanguage() {
        "\u2581etaoinshrdlucmfywgpbvkxqjz.,;:!?-'\"()0123456789"
                .codePoints()
                .forEach(c -> texts.add(Character.toString(c)));
        for (int codePoint = 0x4E00; codePoint < 0x6000; codePoint++) {
            texts.add(Character.toString(codePoint));
        }
        while (texts.size() < PIECES - 300) {
            String word = "\u2581" + word();
            words.add(word);
            addPieces(word);
        }
    }

    /// A `tokenizer.model` with special pieces, bytes, symbols and the pieces of all words, frequent ones first.
    byte[] model() {
        List<TestPiece> pieces = TestPiece.specialAndBytes();
        for (String symbol :
                List.of("<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "\u2581\u2581", "\u2581\u2581\u2581\u2581")) {
            pieces.add(TestPiece.userDefined(symbol));
        }
        int rank = 0;
        for (String text : texts) {
            pieces.add(TestPiece.normal(text, -rank++));
        }
        return ModelWriter.write(pieces);
    }

    /// Text of about so many characters, all of them ASCII.
    String text(int chars) {
        StringBuilder text = new StringBuilder();
        while (text.length() < chars) {
            int rank = (int) Math.pow(words.size(), random.nextDouble()); // as Zipf has it
            text.append(words.get(rank - 1).replace('\u2581', ' '));
            switch (random.nextInt(40)) {
                case 0 -> text.append(".\n");
                case 1, 2 -> text.append(',');
                case 3 -> text.append(' ').append(random.nextInt(10_000));
                case 4 -> text.append("\n    ").append(word());
                default -> {}
            }
        }
        return text.toString();
    }

    private String word() {
        int letters = 2 + random.nextInt(5) + random.nextInt(6);
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < letters; i++) {
            word.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return word.toString();
    }

    /// Adds a word and the parts it is merged from, parts first.
    private void addPieces(String word) {
        if (word.length() > 1 && !texts.contains(word)) {
            int middle = 1 + random.nextInt(word.length() - 1);
            addPieces(word.substring(0, middle));
            addPieces(word.substring(middle));
            texts.add(word);
        }
    }
}
