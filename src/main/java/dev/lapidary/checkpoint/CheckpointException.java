package dev.lapidary.checkpoint;

import java.io.IOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A checkpoint that cannot be read, or does not hold what the model needs. The message names the file, the tensor or
/// the key, what was found and what is needed: `model.safetensors: model.norm.weight is F32 [2304], need BF16 [2560]`.
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1L;
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    public CheckpointException(String message) {
        this(message, null);
    }

    public CheckpointException(String message, @Nullable Throwable cause) {
        super(printable(message), cause);
    }

    /// Names in a message come out of the file: they must not drive the terminal that shows them.
    private static String printable(String message) {
        return CONTROL.matcher(message).replaceAll("?");
    }
}
