package dev.lapidary.tokenizer;

import org.jspecify.annotations.Nullable;

/// Reads the fields of one Protocol Buffers message out of a file's bytes, and refuses what does not fit, naming
/// field and byte.
final class ProtoReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final byte[] file;
    private final @Nullable ProtoReader parent;
    private final String name;
    private final int index; // -1 where the message is not one of several
    private final int end;
    private int position;
    private int wireType;

    /// The message that is the whole file.
    ProtoReader(byte[] file, String name) {
        this(file, null, name, -1, 0, file.length);
    }

    private ProtoReader(byte[] file, @Nullable ProtoReader parent, String name, int index, int position, int end) {
        this.file = file;
        this.parent = parent;
        this.name = name;
        this.index = index;
        this.position = position;
        this.end = end;
    }

    /// The number of the next field, or 0 at the end of the message. Read or skip its value before the next call.
    int nextField() throws TokenizerException {
        if (position == end) {
            return 0;
        }
        long tag = readVarint("field");
        wireType = (int) tag & 7;
        if (tag >>> 3 == 0 || tag >>> 3 > 0x1FFFFFFF) {
            throw broken("field", "got number %d, need 1 to 536870911".formatted(tag >>> 3));
        }
        return (int) (tag >>> 3);
    }

    long varint(String field) throws TokenizerException {
        require(field, VARINT);
        return readVarint(field);
    }

    boolean bool(String field) throws TokenizerException {
        return varint(field) != 0;
    }

    float float32(String field) throws TokenizerException {
        require(field, FIXED32);
        int from = take(field, 4);
        int bits = 0;
        for (int i = 3; i >= 0; i--) {
            bits = (bits << Byte.SIZE) | (file[from + i] & 0xFF);
        }
        return Float.intBitsToFloat(bits);
    }

    /// A message inside this one; `index` tells several of the same field apart, -1 if there is only one.
    ProtoReader message(String field, int index) throws TokenizerException {
        require(field, BYTES);
        int length = length(field);
        int from = take(field, length);
        return new ProtoReader(file, this, field, index, from, from + length);
    }

    /// Decodes UTF-8 text into `out` from 0 and returns the number of chars; refuses text longer than `out`.
    int text(String field, char[] out) throws TokenizerException {
        require(field, BYTES);
        int length = length(field);
        int at = take(field, length);
        int to = at + length;
        int chars = 0;
        while (at < to) {
            int codePoint = Utf8.codePoint(file, at, to);
            if (codePoint == Utf8.MALFORMED) {
                throw brokenAt(field, at, "got bytes that are not UTF-8");
            }
            if (chars + Character.charCount(codePoint) > out.length) {
                throw broken(field, "got more than %d characters".formatted(out.length));
            }
            chars += Character.toChars(codePoint, out, chars);
            at += Utf8.bytes(file[at]);
        }
        return chars;
    }

    String text(String field) throws TokenizerException {
        char[] chars = new char[Vocabulary.MAX_PIECE_CHARS];
        return new String(chars, 0, text(field, chars));
    }

    /// The number of bytes of a field, which are skipped.
    int skipBytes(String field) throws TokenizerException {
        require(field, BYTES);
        int length = length(field);
        take(field, length);
        return length;
    }

    void skip() throws TokenizerException {
        switch (wireType) {
            case VARINT -> readVarint("field");
            case FIXED64 -> take("field", 8);
            case BYTES -> take("field", length("field"));
            case FIXED32 -> take("field", 4);
            default -> throw broken("field", "got wire type %d, need 0, 1, 2 or 5".formatted(wireType));
        }
    }

    TokenizerException broken(String field, String what) {
        return brokenAt(field, position, what);
    }

    private TokenizerException brokenAt(String field, int at, String what) {
        return new TokenizerException("%s.%s: %s (byte %d)".formatted(path(), field, what, at));
    }

    private String path() {
        String own = index < 0 ? name : "%s[%d]".formatted(name, index);
        if (parent == null) {
            return own;
        }
        return parent.parent == null ? parent.path() + ": " + own : parent.path() + "." + own;
    }

    private void require(String field, int need) throws TokenizerException {
        if (wireType != need) {
            throw broken(field, "got wire type %d, need %d".formatted(wireType, need));
        }
    }

    private int length(String field) throws TokenizerException {
        long length = readVarint(field);
        if (length < 0 || length > end - position) {
            throw broken(field, "got %s bytes, %d are left".formatted(Long.toUnsignedString(length), end - position));
        }
        return (int) length;
    }

    private int take(String field, int bytes) throws TokenizerException {
        if (bytes > end - position) {
            throw broken(field, "got an end after %d of %d bytes".formatted(end - position, bytes));
        }
        position += bytes;
        return position - bytes;
    }

    private long readVarint(String field) throws TokenizerException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            if (position == end) {
                throw broken(field, "got an end inside a number");
            }
            byte next = file[position++];
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw broken(field, "got a number of more than 10 bytes");
    }
}
