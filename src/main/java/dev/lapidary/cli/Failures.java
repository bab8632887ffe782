package dev.lapidary.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;

/// What a failure means for whoever ran the command: one line and an exit code.
final class Failures {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    /// As a shell reports a program that Ctrl-C ended.
    static final int INTERRUPTED = 130;

    private Failures() {}

    /// Tells the console, with the stack trace if `trace`, and gives the exit code.
    static int report(Console console, Throwable failure, boolean trace) {
        if (failure instanceof OutputFailure output && output.readerLeft()) {
            return OK;
        }
        if (trace) {
            failure.printStackTrace(console.err());
        }
        if (failure instanceof CancellationException || Thread.currentThread().isInterrupted()) {
            return INTERRUPTED;
        }
        console.err().println("lapidary: " + message(failure));
        return failure instanceof IllegalArgumentException ? USAGE : FAILED;
    }

    /// One line for people.
    static String message(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        return switch (failure) {
            case NoSuchFileException e -> "%s: no such file or folder".formatted(e.getFile());
            case AccessDeniedException e -> "%s: permission denied".formatted(e.getFile());
            case FileSystemException e -> "%s: %s".formatted(e.getFile(), e.getReason());
            case OutputFailure _ -> message;
            case UncheckedIOException e when e.getCause() != null -> message(e.getCause());
            case OutOfMemoryError _ -> "out of memory: " + message;
            case IllegalArgumentException _, IllegalStateException _, IOException _, LinkageError _
            when failure.getMessage() != null -> message;
            default -> "a mistake of the program, please report it with the output of --stack-trace: " + failure;
        };
    }
}
