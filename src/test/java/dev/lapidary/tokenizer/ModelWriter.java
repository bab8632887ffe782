package dev.lapidary.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/// Writes `tokenizer.model` files for tests, also broken ones.
final class ModelWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /// A whole file with the settings of the Gemma family.
    static byte[] write(List<TestPiece> pieces) {
        boolean byteFallback = pieces.stream().anyMatch(piece -> piece.type() == PieceType.BYTE);
        return new ModelWriter()
                .pieces(pieces)
                .trainer(2, byteFallback)
                .normalizer(false)
                .toBytes();
    }

    ModelWriter pieces(List<TestPiece> pieces) {
        for (TestPiece piece : pieces) {
            message(
                    1,
                    message -> message.text(1, piece.text())
                            .float32(2, piece.score())
                            .varint(3, number(piece.type())));
        }
        return this;
    }

    static int number(PieceType type) {
        return switch (type) {
            case NORMAL -> 1;
            case UNKNOWN -> 2;
            case CONTROL -> 3;
            case USER_DEFINED -> 4;
            case UNUSED -> 5;
            case BYTE -> 6;
        };
    }

    ModelWriter trainer(int modelType, boolean byteFallback) {
        return message(
                2,
                message -> message.varint(3, modelType)
                        .varint(35, byteFallback ? 1 : 0)
                        .text(45, "<unk>")
                        .text(46, "<bos>")
                        .text(47, "<eos>")
                        .text(48, "<pad>"));
    }

    ModelWriter normalizer(boolean addDummyPrefix) {
        return message(
                3,
                message -> message.text(1, "identity")
                        .text(2, "")
                        .varint(3, addDummyPrefix ? 1 : 0)
                        .varint(4, 0));
    }

    ModelWriter message(int field, Consumer<ModelWriter> content) {
        ModelWriter inner = new ModelWriter();
        content.accept(inner);
        return bytes(field, inner.toBytes());
    }

    ModelWriter text(int field, String text) {
        return bytes(field, text.getBytes(StandardCharsets.UTF_8));
    }

    ModelWriter bytes(int field, byte[] value) {
        tag(field, 2);
        number(value.length);
        bytes.writeBytes(value);
        return this;
    }

    ModelWriter varint(int field, long value) {
        tag(field, 0);
        number(value);
        return this;
    }

    ModelWriter float32(int field, float value) {
        tag(field, 5);
        bytes.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array());
        return this;
    }

    ModelWriter tag(int field, int wireType) {
        number(((long) field << 3) | wireType);
        return this;
    }

    private void number(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        bytes.write((int) rest);
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }
}
