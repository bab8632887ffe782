package dev.lapidary;

import dev.lapidary.tokenizer.StreamingDecoder;
import dev.lapidary.tokenizer.Tokenizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Text of a running generation: complete characters only, and nothing that may turn out to begin a stop string.
final class TextStream {
    private final @Nullable StreamingDecoder decoder;
    private final int decodable;
    private final List<String> stopStrings;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /// @param tokenizer null for a checkpoint without one: all text is empty then
    TextStream(@Nullable Tokenizer tokenizer, List<String> stopStrings) {
        decoder = tokenizer == null ? null : tokenizer.streamingDecoder();
        decodable = tokenizer == null ? 0 : tokenizer.vocabSize();
        this.stopStrings = stopStrings;
    }

    /// What `id` makes certain of the text. Rows that pad the embedding table beyond the tokenizer's pieces have
    /// none.
    String append(int id) {
        if (decoder == null || id >= decodable) {
            return "";
        }
        held.append(decoder.append(id));
        return release(false);
    }

    /// What was still held back when the generation ends for another reason.
    String finish() {
        if (decoder == null || stopped) {
            return "";
        }
        held.append(decoder.finish());
        return release(true);
    }

    /// Whether the text has reached a stop string.
    boolean stopped() {
        return stopped;
    }

    private String release(boolean all) {
        int stop = firstStop();
        if (stop >= 0) {
            stopped = true;
            held.setLength(stop);
        }
        int certain = stopped || all ? held.length() : held.length() - possibleStopLength();
        String text = held.substring(0, certain);
        held.delete(0, certain);
        return text;
    }

    private int firstStop() {
        int first = -1;
        for (String stop : stopStrings) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        return first;
    }

    /// Length of the longest end of the held text that begins a stop string.
    private int possibleStopLength() {
        int longest = 0;
        for (String stop : stopStrings) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
