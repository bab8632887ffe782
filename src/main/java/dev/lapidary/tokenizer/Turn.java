package dev.lapidary.tokenizer;

import java.util.Optional;

/// What somebody said in a conversation.
///
/// @param text empty where the ids are known
/// @param ids  what the model said exactly, without a stop id
record Turn(Speaker speaker, String text, Optional<int[]> ids) {
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
        return new Turn(speaker, text, Optional.empty());
    }

    static Turn said(int[] ids) {
        return new Turn(Speaker.MODEL, "", Optional.of(ids));
    }
}
