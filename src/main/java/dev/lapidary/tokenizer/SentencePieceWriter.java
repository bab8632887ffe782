package dev.lapidary.tokenizer;

/// Writes SentencePiece's `ModelProto` with the settings of the Gemma family.
final class SentencePieceWriter {
    private static final int BPE = 2;

    private SentencePieceWriter() {}

    /// A whole `tokenizer.model`.
    static byte[] bytes(ScoredPieces pieces) {
        TokenizerModel model = pieces.model();
        Vocabulary vocabulary = model.vocabulary();
        SpecialIds special = model.special();
        ProtoWriter file = new ProtoWriter();
        for (int id = 0; id < vocabulary.pieces(); id++) {
            int piece = id;
            file.message(
                    1,
                    message -> message.text(1, vocabulary.text(piece))
                            .float32(2, pieces.scores()[piece])
                            .varint(3, vocabulary.type(piece).number()));
        }
        return file.message(
                        2,
                        trainer -> trainer.varint(3, BPE)
                                .varint(4, vocabulary.pieces())
                                .varint(35, model.bytes().none() ? 0 : 1)
                                .varint(40, special.unknown())
                                .varint(41, special.bos())
                                .varint(42, special.eos())
                                .varint(43, special.pad())
                                .text(45, vocabulary.text(special.unknown()))
                                .text(46, vocabulary.text(special.bos()))
                                .text(47, vocabulary.text(special.eos()))
                                .text(48, vocabulary.text(special.pad())))
                .message(
                        3,
                        normalizer -> normalizer
                                .text(1, "identity")
                                .varint(3, 0)
                                .varint(4, 0)
                                .varint(5, 1))
                .toBytes();
    }
}
