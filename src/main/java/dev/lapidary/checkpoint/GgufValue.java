package dev.lapidary.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// A metadata value as it lies in the file: nothing is decoded before somebody asks, so it takes no more memory than
/// its bytes, whatever a file says.
///
/// @param type  of the value, or of each element of an array
/// @param array whether it is an array
/// @param count elements; 1 for a value that is no array
/// @param bytes little-endian, strings each behind the 8 bytes of its length
@SuppressWarnings("ArrayRecordComponent") // never compared
record GgufValue(GgufType type, boolean array, int count, byte[] bytes) {
    ByteBuffer buffer() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// The next number of an integer type.
    static long integer(GgufType type, ByteBuffer at) {
        return switch (type) {
            case UINT8, BOOL -> at.get() & 0xFF;
            case INT8 -> at.get();
            case UINT16 -> at.getShort() & 0xFFFF;
            case INT16 -> at.getShort();
            case UINT32 -> at.getInt() & 0xFFFF_FFFFL;
            case INT32 -> at.getInt();
            case UINT64, INT64 -> at.getLong();
            case FLOAT32, FLOAT64, STRING, ARRAY -> throw new IllegalArgumentException("type: got " + type);
        };
    }

    /// The next string, whose length was checked when the file was read.
    static String string(ByteBuffer at) throws CharacterCodingException {
        int length = Math.toIntExact(at.getLong());
        ByteBuffer utf8 = at.slice(at.position(), length);
        at.position(at.position() + length);
        CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(utf8);
        return text.toString();
    }

    /// For messages: the value, or what kind of array it is.
    String shown() {
        if (array) {
            return "an array of %d %s".formatted(count, type);
        }
        return switch (type) {
            case FLOAT32 -> Float.toString(buffer().getFloat());
            case FLOAT64 -> Double.toString(buffer().getDouble());
            case BOOL -> Boolean.toString(bytes[0] != 0);
            case UINT64 -> Long.toUnsignedString(buffer().getLong());
            case STRING -> {
                try {
                    yield StrictJson.quoted(string(buffer()));
                } catch (CharacterCodingException e) {
                    yield "bytes that are not UTF-8";
                }
            }
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, INT64, ARRAY -> Long.toString(integer(type, buffer()));
        };
    }
}
