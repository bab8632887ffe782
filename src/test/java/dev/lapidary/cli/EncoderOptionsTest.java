package dev.lapidary.cli;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.EncoderGolden;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--encoder-ids` and `--encoder-text`, on the reference's own text.
class EncoderOptionsTest {
    private static final EncoderGolden GOLDEN = EncoderGolden.official();
    private static final String MODEL = GOLDEN.folder().toString();
    private static final String IDS = TokenIds.text(GOLDEN.encoderIds());

    @TempDir
    private Path folder = Path.of("");

    @Test
    void logitsAreTheReferences() throws IOException {
        for (List<String> more : List.of(List.<String>of(), List.of("--one-by-one"))) {
            Path out = folder.resolve("logits.safetensors");
            List<String> args = new ArrayList<>(List.of(
                    "logits", "-m", MODEL, "--compute", "f32", "--encoder-ids", IDS, "-o", out.toString(), "--ids"));
            args.add(TokenIds.text(GOLDEN.decoderIds()));
            args.addAll(more);
            Run run = Run.of(args.toArray(String[]::new));
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(difference(out)).isLessThan(Golden.F32_TOLERANCE);
        }
    }

    @Test
    void theGreedyContinuationIsTheReferences() {
        List<Integer> expected = IntStream.of(GOLDEN.continuation()).boxed().toList();
        String[] args = {
            "generate",
            "-m",
            MODEL,
            "--compute",
            "f32",
            "--encoder-ids",
            IDS,
            "--temperature",
            "0",
            "--ignore-eos",
            "--json"
        };
        Run run = Run.of(Stream.concat(Stream.of(args), Stream.of("-n", "26")).toArray(String[]::new));
        assertThat(run.ids("ids")).containsExactlyElementsOf(expected);
        Run behind = Run.of(Stream.concat(Stream.of(args), Stream.of("-n", "24", "--ids", "2,32,164"))
                .toArray(String[]::new));
        assertThat(behind.ids("ids")).containsExactlyElementsOf(expected.subList(2, 26));
    }

    @Test
    void aTextIsEncodedWithBosInFront() throws IOException {
        copyModel();
        // The demo's tokenizer has more tokens than the model; those of bytes are among its first.
        String ids = Run.of("tokenize", "-m", folder.toString(), "--bos", "日\t")
                .out()
                .strip();
        assertThat(ids).startsWith("2,");
        assertThat(logProbs("--encoder-text", "日\t")).hasSize(5).isEqualTo(logProbs("--encoder-ids", ids));
        assertThat(logProbs("--encoder-text", "日")).isNotEqualTo(logProbs("--encoder-ids", ids));
    }

    @Test
    void bosIsLeftOutWhereTheTokenizersConfigSaysSo() throws IOException {
        copyModel();
        String ids = Run.of("tokenize", "-m", folder.toString(), "日").out().strip();
        JsonArray without = logProbs("--encoder-ids", ids);
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"add_bos_token\":false}");
        assertThat(logProbs("--encoder-text", "日")).isEqualTo(without);
        for (String with : List.of("{\"add_bos_token\":true}", "{\"tokenizer_class\":\"GemmaTokenizer\"}")) {
            Files.writeString(config, with);
            assertThat(logProbs("--encoder-text", "日"))
                    .isEqualTo(logProbs("--encoder-ids", "2," + ids))
                    .isNotEqualTo(without);
        }
        Files.writeString(config, "{\"add_bos_token\":\"no\"}");
        assertThat(refusal("--encoder-text", "日"))
                .contains("tokenizer_config.json: add_bos_token: got \"no\", need true or false");
    }

    /// What the encoder refuses, since the words of a turn are outside the vocabulary, are the ids of a turn.
    @Test
    void inAChatTheTextIsTheUsersTurn() throws IOException {
        copyModel();
        String turn = "<start_of_turn>user\n日<end_of_turn>\n<start_of_turn>model\n";
        String expected = refusal("--encoder-text", turn);
        assertThat(expected).contains("text to encode: ids[");
        assertThat(refusal("--chat", "--encoder-text", "日")).isEqualTo(expected);
    }

    private String refusal(String... encoder) {
        Run run = Run.of(Stream.concat(Stream.of("generate", "-m", folder.toString()), Stream.of(encoder))
                .toArray(String[]::new));
        assertThat(run.code()).isNotZero();
        return run.err();
    }

    private void copyModel() throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(GOLDEN.folder().resolve(file), folder.resolve(file));
        }
        Files.copy(Path.of("src/test/resources/tokenizer/demo.model"), folder.resolve("tokenizer.model"));
    }

    /// Of five tokens that the model in `folder` chooses.
    private JsonArray logProbs(String... encoder) {
        Stream<String> args = Stream.of(
                "generate", "-m", folder.toString(), "-n", "5", "--temperature", "0", "--json", "--ignore-eos");
        Run run = Run.of(Stream.concat(args, Stream.concat(Stream.of("--log-probs"), Stream.of(encoder)))
                .toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isZero();
        return run.json().getAsJsonArray("log_probs");
    }

    @Test
    void whatDoesNotFitIsRefused() {
        String other = Golden.of("gemma2").folder().toString();
        assertRefused(
                "encoder: got nothing to read, need --encoder-text or --encoder-ids for this model",
                MODEL,
                "--ids",
                "2");
        assertRefused("got a text to encode, need a model with an encoder", other, "--encoder-ids", "5");
        assertRefused(
                "encoder: got --encoder-text and --encoder-ids, need one of them",
                MODEL,
                "--encoder-ids",
                "5",
                "--encoder-text",
                "a");
        assertRefused("--encoder-ids: got \"x\", need token ids like 2,17,5", MODEL, "--encoder-ids", "5,x");
        assertRefused(
                "--encoder-text, --encoder-ids: got images or a gap to fill too, need a prompt or nothing",
                MODEL,
                "--encoder-ids",
                "5",
                "--fim-prefix",
                "a");
    }

    @Test
    void inspectShowsBothStacks() {
        Run text = Run.of("inspect", "-m", MODEL);
        assertThat(text.out())
                .contains(
                        "(crossAttention): (", "(textEncoder): (", "(0-3): 4 x (", "Encoded text\nper token  2.0 KiB");
        assertThat(Run.of("inspect", "-m", MODEL, "--json")
                        .json()
                        .get("encoded_bytes_per_token")
                        .getAsInt())
                .isEqualTo(2048);
    }

    @Test
    void quantizeRefusesIt() {
        Run run = Run.of("quantize", MODEL, folder.resolve("m.gguf").toString(), "--type", "q8_0");
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains("got a t5gemma model, need one without an encoder to write it anew");
    }

    @Test
    void commandsThatKnowNoEncoderRefuseIt() {
        Run score = Run.of("score", "-m", MODEL, "--ids", "2,5,6");
        assertThat(score.code()).isNotZero();
        assertThat(score.err()).contains("session: got tokens, need a text encoded first: the model attends to it");
        Run bench = Run.of("bench", "-m", MODEL, "--prefill", "8");
        assertThat(bench.code()).isNotZero();
        assertThat(bench.err()).contains("benchmark: got a model with an encoder, need one whose tokens");
    }

    private static double difference(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Tensor got = SafetensorsFile.map(file, arena).tensors().get("logits");
            Matrix expected = GOLDEN.tensor("decode_logits", arena);
            assertThat(got.shape()).containsExactly((long) expected.rows(), (long) expected.cols());
            double worst = 0;
            double largest = 0;
            for (int row = 0; row < expected.rows(); row++) {
                for (int id = 0; id < expected.cols(); id++) {
                    float value =
                            got.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) row * expected.cols() + id);
                    worst = Math.max(worst, Math.abs(value - get(expected, row, id)));
                    largest = Math.max(largest, Math.abs(get(expected, row, id)));
                }
            }
            return worst / largest;
        }
    }

    private static void assertRefused(String message, String model, String... more) {
        Run run = Run.of(Stream.concat(Stream.of("generate", "-m", model), Stream.of(more))
                .toArray(String[]::new));
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains(message);
    }
}
