package dev.lapidary.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A command that ran in this process, as a shell would see it.
///
/// @param code the exit code
/// @param out  standard output
/// @param err  standard error
record Run(int code, String out, String err) {
    static final String DEMO = "src/demo";

    static {
        System.setProperty("lapidary.demo", DEMO);
    }

    /// Runs with an empty standard input.
    static Run of(String... arguments) {
        return withInput("", arguments);
    }

    /// Runs with `input` on standard input.
    static Run withInput(String input, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = Console.of(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), out, err);
        int code = Main.run(console, arguments);
        return new Run(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /// Standard output as the one object that it must be.
    JsonObject json() {
        if (code != 0 || out.lines().count() != 1) {
            throw new AssertionError("need one line of JSON and code 0: got " + this);
        }
        return JsonParser.parseString(out).getAsJsonObject();
    }

    /// The numbers of an array in it.
    List<Integer> ids(String key) {
        return json().getAsJsonArray(key).asList().stream()
                .map(id -> id.getAsInt())
                .toList();
    }
}
