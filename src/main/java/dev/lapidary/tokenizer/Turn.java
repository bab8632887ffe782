package dev.lapidary.tokenizer;

import java.util.List;
import java.util.Optional;

/// What somebody said in a conversation.
///
/// @param text  empty where the ids are known
/// @param ids   what the model said exactly, without a stop id
/// @param views of the images that stand in front of the text: of each how many, itself and its crops
record Turn(Speaker speaker, String text, Optional<int[]> ids, List<Integer> views) {
    Turn {
        views = List.copyOf(views);
    }

    enum Speaker {
        SYSTEM("system text"),
        USER("a user turn"),
        MODEL("a model turn");

        private final String words;

        Speaker(String words) {
            this.words = words;
        }

        /// For messages.
        @Override
        public String toString() {
            return words;
        }
    }

    static Turn of(Speaker speaker, String text) {
        return new Turn(speaker, text, Optional.empty(), List.of());
    }

    static Turn ofUser(String text, List<Integer> views) {
        return new Turn(Speaker.USER, text, Optional.empty(), views);
    }

    static Turn said(int[] ids) {
        return new Turn(Speaker.MODEL, "", Optional.of(ids), List.of());
    }
}
