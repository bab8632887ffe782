package dev.lapidary.model;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.lapidary.kernels.Matrix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

/// The reference's results for a model with an encoder.
///
/// @param folder       the checkpoint
/// @param encoderIds   what the encoder read
/// @param start        what the decoder begins with
/// @param continuation greedy ids after it
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EncoderGolden(Path folder, int[] encoderIds, int[] start, int[] continuation) {
    /// The official code's.
    public static EncoderGolden official() {
        return of("t5gemma");
    }

    /// Of stacks that differ in width, heads, layers and windows, and a text of several blocks of queries, computed by
    /// `src/test/python/encoder_widths.py`, which first checks itself against the official results.
    public static EncoderGolden ofOtherWidths() {
        return of("t5gemma-widths");
    }

    private static EncoderGolden of(String name) {
        Path folder = Path.of("src/test/resources/oracle", name);
        try {
            JsonObject json = new Gson().fromJson(Files.readString(folder.resolve("golden.json")), JsonObject.class);
            return new EncoderGolden(
                    folder,
                    ints(json.get("encoder_ids")),
                    ints(json.get("decoder_start")),
                    ints(json.get("continuation")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What the decoder reads: the tokens whose successors the reference chose.
    public int[] decoderIds() {
        return new Golden(folder, start, continuation).sequence();
    }

    /// `decode_logits` `[continuation, vocab]` or `encoder_last_hidden` `[encoder ids, embedding]`.
    public Matrix tensor(String name, Arena arena) {
        return new Golden(folder, start, continuation).tensor(name, arena);
    }

    private static int[] ints(JsonElement array) {
        return new Gson().fromJson(array, int[].class);
    }
}
