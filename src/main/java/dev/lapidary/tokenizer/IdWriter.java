package dev.lapidary.tokenizer;

import java.util.Arrays;
import java.util.function.Function;

/// Ids being written: texts, which are tokenized as one where nothing stands between them, and symbols.
final class IdWriter {
    private final Function<String, int[]> encoding;
    private final IntList all = new IntList();
    private final StringBuilder pending = new StringBuilder();

    /// @param encoding of texts, [Tokenizer#encode] or [Tokenizer#encodePlain]
    IdWriter(Function<String, int[]> encoding) {
        this.encoding = encoding;
    }

    void text(CharSequence text) {
        pending.append(text);
    }

    void ids(int... ids) {
        flush();
        all.addAll(ids);
    }

    /// An image as Gemma 3's processor writes it: itself, and its crops if it is seen in several views.
    ///
    /// Source: huggingface/transformers 5.14, `models/gemma3/processing_gemma3.py`.
    ///
    /// @param views the image and its crops
    void image(ImageSymbols symbols, int views) {
        if (views > 1) {
            text("Here is the original image ");
        }
        view(symbols);
        if (views > 1) {
            text(" and here are some crops to help you see better ");
            for (int crop = 1; crop < views; crop++) {
                text(crop == 1 ? "" : " ");
                view(symbols);
            }
        }
    }

    private void view(ImageSymbols symbols) {
        int[] tokens = new int[symbols.count()];
        Arrays.fill(tokens, symbols.image());
        text("\n\n");
        ids(symbols.begin());
        ids(tokens);
        ids(symbols.end());
        text("\n\n");
    }

    int[] toArray() {
        flush();
        return all.toArray();
    }

    private void flush() {
        if (!pending.isEmpty()) {
            all.addAll(encoding.apply(pending.toString()));
            pending.setLength(0);
        }
    }
}
