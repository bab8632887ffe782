package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.ReferenceKernels;
import dev.lapidary.kernels.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which tensors make a model, under which names, and what is said of those that do not.
class WeightsReaderTest {
    private static final int VOCAB = 40;
    private static final int LAYERS = 2;

    private final Arena arena = Arena.ofConfined();

    @TempDir
    private Path folder;

    @AfterEach
    void free() {
        arena.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        model.embed_tokens.weight                       | [40, 12]
        model.norm.weight                               | [12]
        model.layers.1.self_attn.q_proj.weight          | [32, 12]
        model.layers.1.self_attn.k_proj.weight          | [16, 12]
        model.layers.0.self_attn.v_proj.weight          | [16, 12]
        model.layers.0.self_attn.o_proj.weight          | [12, 32]
        model.layers.0.self_attn.q_norm.weight          | [8]
        model.layers.1.self_attn.k_norm.weight          | [8]
        model.layers.1.input_layernorm.weight           | [12]
        model.layers.0.post_attention_layernorm.weight  | [12]
        model.layers.0.pre_feedforward_layernorm.weight | [12]
        model.layers.0.post_feedforward_layernorm.weight | [12]
        model.layers.0.mlp.gate_proj.weight             | [20, 12]
        model.layers.0.mlp.up_proj.weight               | [20, 12]
        model.layers.1.mlp.down_proj.weight             | [12, 20]
        """)
    void everyTensorIsNeededWithItsShape(String name, String shape) {
        assertRefused(
                tiny().without(name), "%s: tensor %s is missing, need it with shape %s".formatted(folder, name, shape));
        long[] extents = Arrays.stream(shape.substring(1, shape.length() - 1).split(", ", -1))
                .mapToLong(Long::parseLong)
                .toArray();
        extents[extents.length - 1]++;
        assertRefused(
                tiny().tensor(name, DataType.F32, extents),
                "%s: %s is F32 %s, need shape %s".formatted(file(), name, Arrays.toString(extents), shape));
    }

    @Test
    void aShapeOfTheSameSizeIsNotTheSameShape() {
        assertRefused(
                tiny().tensor("model.layers.0.mlp.down_proj.weight", DataType.F32, 20, 12),
                "%s: model.layers.0.mlp.down_proj.weight is F32 [20, 12], need shape [12, 20]".formatted(file()));
        assertRefused(
                tiny().tensor("model.norm.weight", DataType.F32, 1, 12),
                "%s: model.norm.weight is F32 [1, 12], need shape [12]".formatted(file()));
    }

    @Test
    void whatIsLeftOverIsNamed() {
        assertRefused(
                tiny().tensor("model.layers.0.self_attn.q_proj.bias", DataType.F32, 32),
                "%s: got 1 tensors that a gemma3_text model with 2 layers does not have: model.layers.0.self_attn.q_proj.bias"
                        .formatted(folder));
        TinyCheckpoint oneLayerLess = tiny().config("num_hidden_layers", "1");
        assertRefused(
                oneLayerLess,
                "%s: got 13 tensors that a gemma3_text model with 1 layers does not have: ".formatted(folder)
                        + "model.layers.1.input_layernorm.weight, model.layers.1.mlp.down_proj.weight, "
                        + "model.layers.1.mlp.gate_proj.weight, model.layers.1.mlp.up_proj.weight, "
                        + "model.layers.1.post_attention_layernorm.weight, ...");
    }

    @Test
    void queryKeyAndValueMayHaveTypesOfTheirOwn() throws IOException {
        tiny().tensor("model.layers.1.self_attn.v_proj.weight", DataType.BF16, 16, 12)
                .write(folder);
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Arena arena = Arena.ofConfined()) {
            Weights weights = WeightsReader.read(checkpoint, config(checkpoint), arena);
            assertThat(weights.layers().get(1).inputProjection().parts())
                    .map(WeightMatrix::format)
                    .containsExactly("F32", "F32", "BF16");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.norm.weight", "model.layers.0.mlp.up_proj.weight"})
    void aTypeThatIsNoWeightIsNamed(String name) throws IOException {
        Path written = tiny().write(folder).resolve("model.safetensors");
        String bytes = Files.readString(written, StandardCharsets.ISO_8859_1);
        String entry = "\"%s\":{\"dtype\":\"".formatted(name);
        Files.writeString(written, bytes.replace(entry + "F32", entry + "I32"), StandardCharsets.ISO_8859_1);
        assertThatThrownBy(this::read)
                .isInstanceOf(CheckpointException.class)
                .hasMessageMatching(
                        "\\Q%s: %s is I32\\E \\[.*], need a type of \\[F32, BF16, F16]".formatted(file(), name));
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void everyTypeIsUsedAsItIsStored(DataType type) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyCheckpoint(VOCAB, LAYERS, type).write(folder))) {
            Weights weights = WeightsReader.read(checkpoint, config(checkpoint), arena);
            Matrix embedding = (Matrix) weights.embedding();
            assertThat(embedding.type()).isEqualTo(type);
            assertThat(embedding.data().address())
                    .isEqualTo(checkpoint
                            .tensors()
                            .get("model.embed_tokens.weight")
                            .data()
                            .address());
            assertThat(weights.layers().get(1).down().parts().getFirst().format())
                    .isEqualTo(type.name());
            Matrix norm = weights.finalNorm();
            assertThat(norm.type()).isEqualTo(DataType.F32);
            Matrix stored =
                    Matrix.dense(checkpoint.tensors().get("model.norm.weight").data(), type, 1, norm.cols());
            for (int i = 0; i < norm.cols(); i++) {
                assertThat(norm.data().getAtIndex(ValueLayout.JAVA_FLOAT, i))
                        .isEqualTo((float) ReferenceKernels.get(stored, 0, i) + 1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "model., ''",
        "language_model.model., language_model.",
        "model.language_model., ''",
        "language_model., ''",
        "'', ''"
    })
    void everyPrefixOfTheFormatIsFound(String decoder, String head) throws IOException {
        UnaryOperator<String> names =
                name -> name.startsWith("lm_head") ? head + name : name.replaceFirst("^model\\.", decoder);
        assertThat(logits(tiny().renamed(names))).isEqualTo(logits(tiny()));
        assertThat(logits(untied().renamed(names))).isEqualTo(logits(untied()));
    }

    @Test
    void tensorsUnderAnotherPrefixAreLeftOver() {
        assertRefused(
                tiny().tensor("language_model.model.norm.weight", DataType.F32, 12),
                "%s: got 1 tensors that a gemma3_text model with 2 layers does not have: language_model.model.norm.weight"
                        .formatted(folder));
    }

    @Test
    void aHeadOfItsOwnIsUsedWhetherTheConfigSaysSoOrNot() throws IOException {
        float[] tied = logits(tiny());
        float[] own = logits(untied());
        assertThat(own).isNotEqualTo(tied);
        assertThat(logits(untied().config("tie_word_embeddings", "false"))).isEqualTo(own);
    }

    @Test
    void anUntiedModelNeedsAHead() {
        assertRefused(
                tiny().config("tie_word_embeddings", "false"),
                "%s: tensor lm_head.weight is missing, need it with shape [40, 12]".formatted(folder));
    }

    @Test
    void ropeBuffersOfOldExportsAreIgnored() throws IOException {
        TinyCheckpoint old = tiny().tensor("model.layers.0.self_attn.rotary_emb.inv_freq", DataType.F32, 4);
        assertThat(logits(old)).isEqualTo(logits(tiny()));
    }

    @Test
    void theTextOfAMultimodalCheckpointRunsWithoutItsOtherParts() throws IOException {
        Golden golden = Golden.of("gemma3-mm");
        int text = Arrays.stream(golden.prompt()).boxed().toList().indexOf(262);
        assertThat(text).isGreaterThan(4);
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder())) {
            assertThat(checkpoint.tensors().keySet())
                    .anyMatch(name -> name.contains("vision_tower"))
                    .anyMatch(name -> name.contains("multi_modal_projector"));
            TextModel model = Models.read(checkpoint, text, arena);
            Batch batch = new Batch().add(model.newCache(text, arena), 0, golden.prompt(), 0, text);
            Matrix residual = model.decoder().forward(batch, () -> false, null);
            Matrix expected = golden.tensor("logits", arena).rows(0, text);
            assertThat(LogitsDifference.relative(expected, model.decoder()::logits, residual))
                    .isLessThan(Golden.F32_TOLERANCE / 4);
        }
    }

    private static TinyCheckpoint tiny() {
        return new TinyCheckpoint(VOCAB, LAYERS, DataType.F32);
    }

    private static TinyCheckpoint untied() {
        return tiny().tensor("lm_head.weight", DataType.F32, VOCAB, 12);
    }

    private Path file() {
        return folder.resolve("model.safetensors");
    }

    private static GemmaConfig config(Checkpoint checkpoint) throws CheckpointException {
        return CheckpointConfig.read(checkpoint);
    }

    private void assertRefused(TinyCheckpoint tiny, String message) {
        tiny.write(folder);
        assertThatThrownBy(this::read).isInstanceOf(CheckpointException.class).hasMessage(message);
    }

    private void read() throws CheckpointException {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            Models.read(checkpoint, 4, arena);
        }
    }

    /// Logits after a few tokens.
    private float[] logits(TinyCheckpoint tiny) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(tiny.write(folder))) {
            TextModel model = Models.read(checkpoint, 9, arena);
            int[] ids = {2, 5, 39, 0, 17, 17, 8, 30, 1};
            Batch batch = new Batch().add(model.newCache(ids.length, arena), 0, ids, 0, ids.length);
            Matrix residual = model.decoder().forward(batch, () -> false, null);
            Matrix logits = model.decoder().logits(residual.row(ids.length - 1));
            return logits.data().asSlice(0, logits.elementBytes()).toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
