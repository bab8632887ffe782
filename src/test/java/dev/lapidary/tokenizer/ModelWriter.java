package dev.lapidary.tokenizer;

import java.util.List;

/// Writes `tokenizer.model` files for tests, whole or in parts that make broken ones.
final class ModelWriter {
    private ModelWriter() {}

    /// A whole file with the settings of the Gemma family.
    static byte[] write(List<TestPiece> pieces) {
        boolean byteFallback = pieces.stream().anyMatch(piece -> piece.type() == PieceType.BYTE);
        return normalizer(trainer(pieces(pieces), 2, byteFallback), false).toBytes();
    }

    static ProtoWriter pieces(List<TestPiece> pieces) {
        ProtoWriter file = new ProtoWriter();
        for (TestPiece piece : pieces) {
            file.message(
                    1,
                    message -> message.text(1, piece.text())
                            .float32(2, piece.score())
                            .varint(3, piece.type().number()));
        }
        return file;
    }

    static ProtoWriter trainer(ProtoWriter file, int modelType, boolean byteFallback) {
        return file.message(
                2,
                message -> message.varint(3, modelType)
                        .varint(35, byteFallback ? 1 : 0)
                        .text(45, "<unk>")
                        .text(46, "<bos>")
                        .text(47, "<eos>")
                        .text(48, "<pad>"));
    }

    static ProtoWriter normalizer(ProtoWriter file, boolean addDummyPrefix) {
        return file.message(
                3,
                message -> message.text(1, "identity")
                        .text(2, "")
                        .varint(3, addDummyPrefix ? 1 : 0)
                        .varint(4, 0));
    }
}
