package dev.lapidary.hub;

import java.util.regex.Pattern;

/// What shows the hub who asks. It is sent to the hub's own address and nowhere else, and printed by nobody.
///
/// @param source where it was found, for messages: `HF_TOKEN` or a file
public record AccessToken(String secret, String source) {
    private static final Pattern PRINTABLE = Pattern.compile("[\\x21-\\x7e]+");

    /// @throws IllegalArgumentException if a header cannot carry it
    public AccessToken {
        if (!PRINTABLE.matcher(secret).matches()) {
            throw new IllegalArgumentException(
                    "%s: got a token with spaces or characters beyond ASCII, need one like hf_..., from"
                                    .formatted(source)
                            + " https://huggingface.co/settings/tokens");
        }
    }

    @Override
    public String toString() {
        return "token from " + source;
    }
}
