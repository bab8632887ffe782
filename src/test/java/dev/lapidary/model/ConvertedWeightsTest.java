package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.TestBackends;
import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.Backends;
import dev.lapidary.kernels.BlockFormat;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.NativeKernels;
import dev.lapidary.kernels.PageMemory;
import dev.lapidary.kernels.ReferenceKernels;
import dev.lapidary.kernels.WeightConversion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Models whose weights were converted on opening: the decoder computes with exactly what the conversion made.
class ConvertedWeightsTest {
    private final Arena arena = Arena.ofShared();
    private final List<Long> begun = new ArrayList<>();
    private long read;

    private final ConversionObserver observer = new ConversionObserver() {
        @Override
        public void begin(long newBytes, long storedBytes) {
            begun.add(newBytes);
            begun.add(storedBytes);
        }

        @Override
        public void read(long storedBytes) {
            read += storedBytes;
        }
    };

    @BeforeEach
    void load() {
        DriverThread.run(() -> Backends.open(Backends.DEFAULT));
    }

    @AfterEach
    void free() {
        arena.close();
    }

    /// Cases with columns that are whole blocks, and some of whose down projections and experts have others.
    static Stream<Arguments> cases() {
        return TestBackends.all().stream()
                .flatMap(backend -> Stream.of(
                                "gemma1-mha", "gemma2", "gemma3-text", "gemma4-text-ple", "gemma4-text-moe")
                        .flatMap(name ->
                                Stream.of(BlockFormat.values()).map(format -> Arguments.of(backend, name, format))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void inF32TheDecoderAgreesWithTheReferenceOnTheSameBlocks(String backend, String name, BlockFormat format)
            throws IOException {
        Golden golden = Golden.of(name);
        WeightConversion conversion = WeightConversion.to(format);
        WeightFormats formats = new WeightFormats(conversion, conversion);
        int[] ids = golden.prompt();
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder())) {
            Matrix expected = run(checkpoint, formats, new ReferenceKernels(), ids);
            double difference = DriverThread.call(() -> {
                try (NativeKernels kernels = new NativeKernels(Backends.open(backend), 2, false)) {
                    TextModel model = read(checkpoint, formats, kernels, ids.length);
                    return LogitsDifference.relative(expected, model.decoder()::logits, forward(model, ids));
                }
            });
            assertThat(difference).isLessThan(Golden.F32_TOLERANCE);
        }
    }

    /// An input row is quantized by itself: a few tokens at a time give the bits of one after the other. All at once
    /// attention is summed in another order, and a value that is rounded to int8 may then go the other way.
    @ParameterizedTest
    @EnumSource
    void inInt8ThePromptAtOnceIsThePromptTokenByToken(BlockFormat format) throws IOException {
        Golden golden = Golden.of("gemma3-text");
        WeightConversion conversion = WeightConversion.to(format);
        WeightFormats formats = new WeightFormats(conversion, conversion);
        int[] ids = golden.prompt();
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder())) {
            DriverThread.call(() -> {
                try (NativeKernels kernels = new NativeKernels(Backends.open(Backends.DEFAULT), 2, true)) {
                    Matrix single = residuals(checkpoint, formats, kernels, ids, 1);
                    Matrix four = residuals(checkpoint, formats, kernels, ids, 4);
                    assertThat(four.data().mismatch(single.data())).isEqualTo(-1);
                    TextModel model = read(checkpoint, formats, kernels, 1);
                    Matrix atOnce = run(checkpoint, formats, kernels, ids);
                    assertThat(LogitsDifference.relative(atOnce, model.decoder()::logits, single))
                            .isLessThan(0.1);
                }
                return null;
            });
        }
    }

    /// What the decoder makes of the tokens, `step` of them at a time.
    private Matrix residuals(Checkpoint checkpoint, WeightFormats formats, NativeKernels kernels, int[] ids, int step)
            throws IOException {
        TextModel model = read(checkpoint, formats, kernels, step);
        KvCache cache = model.newCache(ids.length, arena);
        Matrix residuals = Matrix.allocate(arena, ids.length, model.config().embedding());
        for (int i = 0, count; i < ids.length; i += count) {
            count = Math.min(step, ids.length - i);
            Batch batch = new Batch().add(cache, i, ids, i, count);
            Matrix residual = model.decoder().forward(batch, () -> false, null);
            for (int row = 0; row < count; row++) {
                Matrix from = residual.row(row);
                residuals.row(i + row).data().copyFrom(from.data().asSlice(0, from.elementBytes()));
            }
        }
        return residuals;
    }

    @Test
    void progressCoversEveryMatrixOnceAndTheFileStaysAsItWas() throws IOException {
        Golden golden = Golden.of("gemma3-text");
        WeightConversion four = WeightConversion.to(BlockFormat.Q4_0);
        WeightFormats formats = new WeightFormats(four, WeightConversion.to(BlockFormat.Q8_0));
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder())) {
            TextModel stored = Models.read(checkpoint, 4, arena);
            Matrix before = run(checkpoint, WeightFormats.STORED, new ReferenceKernels(), golden.prompt());
            TextModel converted = read(checkpoint, formats, new ReferenceKernels(), 4);
            assertThat(begun).hasSize(2);
            assertThat(begun.get(0)).isEqualTo(converted.convertedBytes());
            assertThat(begun.get(1)).isEqualTo(read);
            assertThat(read).isEqualTo(stored.moduleTree().bytes() - normBytes(stored.moduleTree()));
            assertThat(converted.moduleTree().bytes())
                    .isEqualTo(converted.convertedBytes() + normBytes(stored.moduleTree()));
            assertThat(converted.layerWeights().format()).isEqualTo("Q4_0");
            assertThat(converted.headWeights().format()).isEqualTo("Q8_0");
            assertThat(converted.moduleTree().child("head").shape()).endsWith("tied to embedding");
            Matrix after = run(checkpoint, WeightFormats.STORED, new ReferenceKernels(), golden.prompt());
            assertThat(after.data().mismatch(before.data())).isEqualTo(-1);
        }
    }

    @Test
    void weightsOfTheFormatAlreadyStayInPlace() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(Golden.of("gemma3-text").folder())) {
            TextModel stored = Models.read(checkpoint, 4, arena);
            DataType type = ((Matrix) stored.layerWeights()).type();
            WeightConversion same = WeightConversion.to(type);
            TextModel model = read(checkpoint, new WeightFormats(same, same), new ReferenceKernels(), 4);
            assertThat(model.layerWeights()).isEqualTo(stored.layerWeights());
            assertThat(model.convertedBytes()).isZero();
            assertThat(begun).isEmpty();
        }
    }

    /// It may be larger than the memory: rows are gathered from the file.
    @Test
    void theTableOfPerLayerEmbeddingsStaysWhereItIs() throws IOException {
        try (Checkpoint checkpoint =
                Checkpoint.open(Golden.of("gemma4-text-ple").folder())) {
            WeightConversion eight = WeightConversion.to(BlockFormat.Q8_0);
            TextModel model = read(checkpoint, new WeightFormats(eight, eight), new ReferenceKernels(), 4);
            ModuleTree perLayer = model.moduleTree().child("perLayerEmbedding");
            assertThat(perLayer.child("table").shape()).isEqualTo("BF16 [256, 128]");
            assertThat(perLayer.child("projection").shape()).isEqualTo("Q8_0 [128, 64]");
            ModuleTree layer = model.moduleTree().child("layers").child("0").child("perLayerEmbedding");
            assertThat(layer.child("gate").shape()).isEqualTo("Q8_0 [16, 64]");
            assertThat(begun.get(0)).isEqualTo(model.convertedBytes());
            assertThat(begun.get(1)).isEqualTo(read);
        }
    }

    @Test
    void expertsAreConvertedOneByOneAndTheRouterStays() throws IOException {
        try (Checkpoint checkpoint =
                Checkpoint.open(Golden.of("gemma4-text-moe").folder())) {
            WeightConversion four = WeightConversion.to(BlockFormat.Q4_0);
            TextModel model = read(checkpoint, new WeightFormats(four, four), new ReferenceKernels(), 4);
            ModuleTree mixture = model.moduleTree().child("layers").child("0").child("mixture");
            assertThat(mixture.child("router").shape()).isEqualTo("BF16 [6, 64]");
            assertThat(mixture.child("experts").child("gate").shape()).isEqualTo("6 x Q4_0 [24, 64]");
            assertThat(mixture.child("experts").child("down").shape()).isEqualTo("6 x BF16 [64, 24]");
        }
    }

    @Test
    void theHeadAloneMayBeConverted() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(Golden.of("gemma3-text").folder())) {
            WeightFormats formats = new WeightFormats(null, WeightConversion.to(BlockFormat.Q8_0));
            TextModel model = read(checkpoint, formats, new ReferenceKernels(), 4);
            assertThat(model.layerWeights()).isInstanceOf(Matrix.class);
            assertThat(model.headWeights().format()).isEqualTo("Q8_0");
            assertThat(model.convertedBytes()).isEqualTo(model.headWeights().elementBytes());
        }
    }

    @Test
    void anObserverThatRefusesEndsTheConversion() throws IOException {
        ConversionObserver refusing = new ConversionObserver() {
            @Override
            public void begin(long newBytes, long storedBytes) {
                throw new IllegalStateException("no room");
            }

            @Override
            public void read(long storedBytes) {
                throw new AssertionError("begun");
            }
        };
        WeightConversion conversion = WeightConversion.to(BlockFormat.Q8_0);
        WeightFormats formats = new WeightFormats(conversion, conversion);
        try (Checkpoint checkpoint = Checkpoint.open(Golden.of("gemma3-text").folder())) {
            assertThatThrownBy(() ->
                            TextModel.read(checkpoint, formats, refusing, new ReferenceKernels(), 4, arena, arena))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("no room");
        }
    }

    private TextModel read(Checkpoint checkpoint, WeightFormats formats, Kernels kernels, int chunk)
            throws IOException {
        return TextModel.read(checkpoint, formats, observer, kernels, chunk, arena, new PageMemory(arena));
    }

    /// Logits of every position `[seq, vocab]`.
    private Matrix run(Checkpoint checkpoint, WeightFormats formats, Kernels kernels, int[] ids) throws IOException {
        TextModel model = read(checkpoint, formats, kernels, ids.length);
        Matrix residual = forward(model, ids);
        Matrix all = Matrix.allocate(arena, ids.length, model.config().vocab());
        for (int i = 0; i < ids.length; i++) {
            Matrix logits = model.decoder().logits(residual.row(i));
            all.row(i).data().copyFrom(logits.data().asSlice(0, logits.elementBytes()));
        }
        return all;
    }

    private Matrix forward(TextModel model, int[] ids) {
        Batch batch = new Batch().add(model.newCache(ids.length, new PageMemory(arena)), 0, ids, 0, ids.length);
        return model.decoder().forward(batch, () -> false, null);
    }

    private static long normBytes(ModuleTree tree) {
        return sum(tree, node -> node.name().endsWith("Norm") ? node.bytes() : 0);
    }

    private static long sum(ModuleTree tree, Function<ModuleTree, Long> of) {
        return of.apply(tree)
                + tree.children().stream().mapToLong(child -> sum(child, of)).sum();
    }
}
