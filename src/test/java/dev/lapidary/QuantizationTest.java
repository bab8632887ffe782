package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.DataType;
import dev.lapidary.model.Golden;
import dev.lapidary.model.TinyCheckpoint;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Checkpoints written in other formats are the same models.
class QuantizationTest {
    static final List<String> CASES = Golden.GGUF_CASES;

    private static final Options OPTIONS = Options.defaults().withCompute(Compute.F32);
    private static final Path DEMO = Path.of("src/demo");

    @TempDir
    private Path folder = Path.of("");

    /// Out as GGUF, from there to a folder, from there to GGUF again: nothing is lost on the way.
    @ParameterizedTest
    @FieldSource("CASES")
    void logitsStayTheSameFromFormatToFormat(String name) throws IOException {
        Golden golden = Golden.of(name);
        float[][] expected = logits(golden.folder(), golden);
        Path gguf = folder.resolve("m.gguf");
        Path back = folder.resolve("back");
        Path again = folder.resolve("again.gguf");
        Quantization.to(StoredFormat.F32).write(golden.folder(), gguf);
        Quantization.to(StoredFormat.F32).write(gguf, back);
        Quantization.to(StoredFormat.F32).write(back, again);
        assertThat(logits(gguf, golden)).isDeepEqualTo(expected);
        assertThat(logits(back, golden)).isDeepEqualTo(expected);
        assertThat(logits(again, golden)).isDeepEqualTo(expected);
        assertThat(names(folder)).containsExactly("again.gguf", "back", "m.gguf");
    }

    /// Computing with what a file holds, and quantizing on opening, are the same.
    @ParameterizedTest
    @ValueSource(strings = {"Q8_0", "Q4_0"})
    void blocksAreThoseOfQuantizingOnOpening(String format) throws IOException {
        Path file = folder.resolve("demo.gguf");
        Quantization.to(StoredFormat.valueOf(format)).write(DEMO, file);
        float[] expected = last(DEMO, OPTIONS.withWeights(WeightFormat.valueOf(format)));
        assertThat(last(file, OPTIONS)).isEqualTo(expected);
    }

    @Test
    void theTokenizerComesAlong() throws IOException {
        Path gguf = folder.resolve("demo.gguf");
        Path back = folder.resolve("back");
        assertThat(Quantization.to(StoredFormat.Q4_0).write(DEMO, gguf)).isEmpty();
        assertThat(Quantization.to(StoredFormat.BF16).write(gguf, back))
                .containsExactly(
                        "rounded twice, since quantized already: 42 matrices, Q4_0 to BF16",
                        "rounded twice, since quantized already: 1 matrices, Q8_0 to BF16");
        String text = "In the beginning  <start_of_turn>user\n\n\nWas it so? \u00e9\ud83d\ude00";
        int[] ids = Tokenizer.load(DEMO).encode(text);
        for (Path written : List.of(gguf, back)) {
            Tokenizer tokenizer = Tokenizer.load(written);
            assertThat(tokenizer.encode(text)).isEqualTo(ids);
            assertThat(tokenizer.vocabSize()).isEqualTo(Tokenizer.load(DEMO).vocabSize());
        }
        try (Gemma gemma = Gemma.open(back, OPTIONS);
                Gemma original = Gemma.open(DEMO, OPTIONS)) {
            assertThat(gemma.stopTokens()).isEqualTo(original.stopTokens());
            assertThat(gemma.maxPositions()).isEqualTo(original.maxPositions());
        }
    }

    @Test
    void columnsThatAreNoWholeBlocksBecomeF16() throws IOException {
        new TinyCheckpoint(9, 2, DataType.BF16).write(folder);
        Path out = folder.resolve("out.gguf");
        List<String> notes = Quantization.to(StoredFormat.Q8_0).write(folder, out);
        assertThat(notes)
                .contains("written as F16: 11 matrices, whose 12 columns are no whole Q8_0 blocks")
                .contains("written as F16: 2 matrices, whose 20 columns are no whole Q8_0 blocks")
                .contains("there is no tokenizer beside the model, and none is written");
        try (Checkpoint checkpoint = Checkpoint.open(out)) {
            assertThat(checkpoint.tensors().get("blk.0.attn_output.weight").storedType())
                    .isEqualTo("Q8_0");
            assertThat(checkpoint.tensors().get("blk.0.ffn_down.weight").storedType())
                    .isEqualTo("F16");
            assertThat(checkpoint.tensors().get("blk.1.ffn_norm.weight").storedType())
                    .isEqualTo("F32");
        }
    }

    @Test
    void ofAMultimodalModelTheTextIsWritten() throws IOException {
        Golden golden = Golden.of("gemma3-mm");
        Path out = folder.resolve("text");
        List<String> notes = Quantization.to(StoredFormat.F32).write(golden.folder(), out);
        assertThat(notes).anyMatch(note -> note.startsWith("only the text model is written: "));
        try (Gemma gemma = Gemma.open(out, OPTIONS);
                Gemma original = Gemma.open(golden.folder(), OPTIONS)) {
            assertThat(gemma.vocab()).isEqualTo(original.vocab());
        }
    }

    @Test
    void progressReachesTheWhole() throws IOException {
        List<Long> done = new ArrayList<>();
        long[] total = {0};
        Quantization.to(StoredFormat.BF16).write(DEMO, folder.resolve("m.safetensors"), (bytes, all) -> {
            done.add(bytes);
            total[0] = all;
        });
        assertThat(done).isSorted().last().isEqualTo(total[0]);
        assertThat(names(folder)).containsExactly("m.safetensors");
    }

    @Test
    void nothingIsReplacedUnasked() throws IOException {
        Path out = Files.writeString(folder.resolve("m.gguf"), "mine");
        Quantization quantization = Quantization.to(StoredFormat.Q8_0);
        assertThatThrownBy(() -> quantization.write(DEMO, out))
                .isInstanceOf(FileAlreadyExistsException.class)
                .hasMessageContaining("it exists already; need a new name");
        assertThat(out).hasContent("mine");
        quantization.replacing(true).write(DEMO, out);
        assertThat(Tokenizer.load(out).vocabSize()).isEqualTo(2048);
        assertThatThrownBy(() -> quantization.replacing(true).write(out, out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(out + ": got the model itself, need another name");
    }

    @ParameterizedTest
    @ValueSource(strings = {"recurrentgemma", "gemma4-text-dense", "gemma4-text-moe", "gemma3n-text"})
    void modelsThatNoKeysAreWrittenForAreRefused(String name) throws IOException {
        assertThatThrownBy(() ->
                        Quantization.to(StoredFormat.Q8_0).write(Golden.of(name).folder(), folder.resolve("m.gguf")))
                .isInstanceOf(IOException.class)
                .hasMessageEndingWith(" model, need one of Gemma 1 to 3 to write it anew");
        assertThat(names(folder)).isEmpty();
    }

    @Test
    void whatCannotBeWrittenIsRefusedAndLeavesNothing() throws IOException {
        Path out = folder.resolve("out");
        assertThatThrownBy(() -> Quantization.to(StoredFormat.Q4_0).write(DEMO, out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(out + ": got Q4_0, need f32, f16 or bf16, or a name that ends in .gguf: safetensors has no"
                        + " such blocks");
        assertThatThrownBy(() -> Quantization.to(StoredFormat.BF16).write(DEMO, folder.resolve("no/m.gguf")))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("no/m.gguf") + ": its folder does not exist");
        assertThat(names(folder)).isEmpty();
    }

    private static List<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static float[] last(Path model, Options options) throws IOException {
        try (Gemma gemma = Gemma.open(model, options);
                Session session = gemma.newSession(Capacity.tokens(128))) {
            session.append("In the beginning");
            return session.logits();
        }
    }

    private static float[][] logits(Path model, Golden golden) throws IOException {
        int[] ids = golden.sequence();
        float[][] rows = new float[ids.length][];
        try (Gemma gemma = Gemma.open(model, OPTIONS);
                Session session = gemma.newSession(Capacity.tokens(128))) {
            session.append(ids, (position, logits) -> rows[position] = logits.clone());
        }
        return rows;
    }
}
