package dev.lapidary.checkpoint;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.lapidary.checkpoint.SafetensorsHeader.Entry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads the JSON of a safetensors header as a stream, so that what it keeps is bounded however the text is made.
final class SafetensorsHeaderReader {
    private static final int MAX_TENSORS = 100_000;
    private static final int MAX_METADATA = 10_000;
    private static final int MAX_NAME_CHARACTERS = 1024;
    private static final int MAX_RANK = 16;

    private final Path file;
    private final JsonReader json;
    private SequencedMap<String, String> metadata = new LinkedHashMap<>();
    private final List<Entry> entries = new ArrayList<>();

    private SafetensorsHeaderReader(Path file, byte[] utf8) {
        this.file = file;
        this.json = StrictJson.reader(new ByteArrayInputStream(utf8));
    }

    static SafetensorsHeader read(Path file, byte[] utf8) throws CheckpointException {
        SafetensorsHeaderReader reader = new SafetensorsHeaderReader(file, utf8);
        try {
            reader.root();
        } catch (IOException e) {
            throw StrictJson.malformed(file + ": header", e);
        }
        return new SafetensorsHeader(reader.metadata, reader.entries);
    }

    private void root() throws IOException {
        Set<String> names = new HashSet<>();
        begin(JsonToken.BEGIN_OBJECT, "header");
        while (json.hasNext()) {
            String name = json.nextName();
            requireAtMost(name.length(), MAX_NAME_CHARACTERS, "header", "characters in a tensor's name");
            if (!names.add(name)) {
                throw problem(name, "got it twice in the header, need it once");
            }
            requireAtMost(names.size(), MAX_TENSORS, "header", "tensors");
            if (name.equals("__metadata__")) {
                metadata = metadata();
            } else {
                entries.add(entry(name));
            }
        }
        json.endObject();
        StrictJson.requireEnd(json);
    }

    private SequencedMap<String, String> metadata() throws IOException {
        SequencedMap<String, String> strings = new LinkedHashMap<>();
        begin(JsonToken.BEGIN_OBJECT, "__metadata__");
        while (json.hasNext()) {
            String key = json.nextName();
            if (strings.put(key, string("__metadata__")) != null) {
                throw problem("__metadata__", "got the key %s twice, need it once".formatted(StrictJson.quoted(key)));
            }
            requireAtMost(strings.size(), MAX_METADATA, "__metadata__", "keys");
        }
        json.endObject();
        return strings;
    }

    private Entry entry(String name) throws IOException {
        StoredType type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        begin(JsonToken.BEGIN_OBJECT, name);
        while (json.hasNext()) {
            String key = json.nextName();
            switch (key) {
                case "dtype" -> type = once(name, key, type, type(name));
                case "shape" -> shape = once(name, key, shape, integers(name, key));
                case "data_offsets" -> offsets = once(name, key, offsets, integers(name, key));
                default ->
                    throw problem(
                            name,
                            "got the key %s, need dtype, shape and data_offsets only"
                                    .formatted(StrictJson.quoted(key)));
            }
        }
        json.endObject();
        if (type == null || shape == null || offsets == null) {
            String missing = type == null ? "dtype" : shape == null ? "shape" : "data_offsets";
            throw problem(name, "got no %s, need one".formatted(missing));
        }
        if (offsets.size() != 2) {
            throw problem(name, "got data_offsets %s, need [begin, end]".formatted(offsets));
        }
        return new Entry(name, type, shape, offsets.getFirst(), offsets.getLast());
    }

    private <T> T once(String name, String key, @Nullable T before, T now) throws CheckpointException {
        if (before != null) {
            throw problem(name, "got %s twice, need it once".formatted(key));
        }
        return now;
    }

    private StoredType type(String name) throws IOException {
        String dtype = string(name + ": dtype");
        return StoredType.named(dtype)
                .orElseThrow(() -> problem(
                        name,
                        "got dtype %s, need one of the format's (F32, BF16, F16 can be computed with)"
                                .formatted(StrictJson.quoted(dtype))));
    }

    private List<Long> integers(String name, String key) throws IOException {
        String where = name + ": " + key;
        List<Long> integers = new ArrayList<>(4);
        begin(JsonToken.BEGIN_ARRAY, where);
        while (json.hasNext()) {
            require(JsonToken.NUMBER, where);
            String text = json.nextString();
            try {
                integers.add(Long.parseLong(text));
            } catch (NumberFormatException e) {
                throw problem(where, "got %s, need an integer that fits 64 bits".formatted(text));
            }
            requireAtMost(integers.size(), MAX_RANK, where, "numbers");
        }
        json.endArray();
        return integers;
    }

    private String string(String where) throws IOException {
        require(JsonToken.STRING, where);
        return json.nextString();
    }

    private void begin(JsonToken container, String where) throws IOException {
        require(container, where);
        if (container == JsonToken.BEGIN_OBJECT) {
            json.beginObject();
        } else {
            json.beginArray();
        }
    }

    private void require(JsonToken need, String where) throws IOException {
        JsonToken got = json.peek();
        if (got != need) {
            throw problem(where, "got %s, need %s".formatted(StrictJson.words(got), StrictJson.words(need)));
        }
    }

    private void requireAtMost(int count, int limit, String where, String what) throws CheckpointException {
        if (count > limit) {
            throw problem(where, "got %d %s or more, need at most %d".formatted(count, what, limit));
        }
    }

    private CheckpointException problem(String where, String problem) {
        return new CheckpointException("%s: %s: %s".formatted(file, where, problem));
    }
}
