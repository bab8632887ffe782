package dev.lapidary.tokenizer;

import java.io.IOException;

/// A tokenizer file that cannot be used. The message names the file and the field, and says what was found and
/// what is needed.
public class TokenizerException extends IOException {
    private static final long serialVersionUID = 1L;

    public TokenizerException(String message) {
        super(message);
    }

    public TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }
}
