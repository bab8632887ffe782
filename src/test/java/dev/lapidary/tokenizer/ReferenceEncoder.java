package dev.lapidary.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// SentencePiece's BPE as its definition reads, over strings and in quadratic time: the measure for the fast
/// encoder.
final class ReferenceEncoder {
    private record Symbol(String text, boolean frozen) {}

    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, Float> scores = new HashMap<>();
    private final List<String> userDefined = new ArrayList<>();

    ReferenceEncoder(List<TestPiece> pieces) {
        for (int id = 0; id < pieces.size(); id++) {
            TestPiece piece = pieces.get(id);
            ids.put(piece.text(), id);
            if (piece.type() == PieceType.NORMAL) {
                scores.put(piece.text(), piece.score());
            } else if (piece.type() == PieceType.USER_DEFINED) {
                userDefined.add(piece.text());
            }
        }
    }

    List<Integer> encode(String text) {
        List<Symbol> symbols = split(text.replace(' ', '\u2581'));
        while (true) {
            int best = bestMerge(symbols);
            if (best < 0) {
                break;
            }
            Symbol right = symbols.remove(best + 1);
            symbols.set(best, new Symbol(symbols.get(best).text() + right.text(), false));
        }
        List<Integer> encoded = new ArrayList<>();
        for (Symbol symbol : symbols) {
            if (symbol.frozen() || scores.containsKey(symbol.text())) {
                encoded.add(ids.get(symbol.text()));
            } else {
                addUnknown(symbol.text(), encoded);
            }
        }
        return encoded;
    }

    private List<Symbol> split(String text) {
        List<Symbol> symbols = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            String longest = "";
            for (String symbol : userDefined) {
                if (text.startsWith(symbol, at) && symbol.length() > longest.length()) {
                    longest = symbol;
                }
            }
            String piece = longest.isEmpty() ? Character.toString(text.codePointAt(at)) : longest;
            symbols.add(new Symbol(piece, !longest.isEmpty()));
            at += piece.length();
        }
        return symbols;
    }

    private int bestMerge(List<Symbol> symbols) {
        int best = -1;
        float bestScore = 0;
        for (int i = 0; i + 1 < symbols.size(); i++) {
            Symbol left = symbols.get(i);
            Symbol right = symbols.get(i + 1);
            Float score = left.frozen() || right.frozen() ? null : scores.get(left.text() + right.text());
            if (score != null && (best < 0 || score > bestScore)) {
                best = i;
                bestScore = score;
            }
        }
        return best;
    }

    private void addUnknown(String character, List<Integer> encoded) {
        byte[] bytes = character.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        for (byte value : bytes) {
            Integer id = ids.get("<0x%02X>".formatted(value));
            if (id != null) {
                encoded.add(id);
            } else if (encoded.isEmpty() || !encoded.getLast().equals(ids.get("<unk>"))) {
                encoded.add(ids.get("<unk>"));
            }
        }
    }
}
