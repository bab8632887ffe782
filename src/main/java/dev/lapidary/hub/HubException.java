package dev.lapidary.hub;

import java.io.IOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What the hub refused, or what it sent that cannot be right. The message names the repository, the file, and what
/// to do.
public final class HubException extends IOException {
    private static final long serialVersionUID = 1L;
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    HubException(String message) {
        this(message, null);
    }

    HubException(String message, @Nullable Throwable cause) {
        super(CONTROL.matcher(message).replaceAll("?"), cause); // servers' words must not drive a terminal
    }
}
