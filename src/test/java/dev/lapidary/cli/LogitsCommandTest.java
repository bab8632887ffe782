package dev.lapidary.cli;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LogitsCommandTest {
    @TempDir
    private Path folder = Path.of("");

    static Stream<Arguments> waysToCompute() {
        return Golden.TEXT_CASES.stream()
                .flatMap(name -> Stream.of(List.of("--chunk", "512"), List.of("--chunk", "7"), List.of("--one-by-one"))
                        .map(way -> Arguments.of(name, way)));
    }

    @ParameterizedTest
    @MethodSource("waysToCompute")
    void theFileHoldsTheReferencesLogits(String name, List<String> way) throws IOException {
        Golden golden = Golden.of(name);
        Path file = folder.resolve("logits.safetensors");
        Run run = run(golden, file, way);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).isEmpty();
        try (Arena arena = Arena.ofConfined()) {
            Matrix expected = golden.tensor("logits", arena);
            Tensor tensor = Objects.requireNonNull(
                    SafetensorsFile.map(file, arena).tensors().get("logits"));
            assertThat(tensor.type()).isEqualTo(DataType.F32);
            assertThat(tensor.shape()).containsExactly((long) expected.rows(), (long) expected.cols());
            assertThat(difference(tensor, expected)).isLessThan(Golden.F32_TOLERANCE);
        }
    }

    @Test
    void nothingIsLeftBehindByAFailure() throws IOException {
        Path file = folder.resolve("logits.safetensors");
        Run run = Run.of("logits", "-m", Run.DEMO, "--ids", "2,99999", "--out", file.toString());
        assertThat(run.code()).isEqualTo(Failures.USAGE);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    private static Run run(Golden golden, Path file, List<String> way) {
        List<String> arguments = List.of(
                "logits",
                "--model",
                golden.folder().toString(),
                "--ids",
                TokenIds.text(golden.prompt()),
                "--compute",
                "f32",
                "--out",
                file.toString());
        return Run.of(Stream.concat(arguments.stream(), way.stream()).toArray(String[]::new));
    }

    private static double difference(Tensor got, Matrix expected) {
        double worst = 0;
        double largest = 0;
        for (int row = 0; row < expected.rows(); row++) {
            for (int id = 0; id < expected.cols(); id++) {
                float value = got.data().getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * expected.cols() + id);
                worst = Math.max(worst, Math.abs(value - get(expected, row, id)));
                largest = Math.max(largest, Math.abs(get(expected, row, id)));
            }
        }
        return worst / largest;
    }
}
