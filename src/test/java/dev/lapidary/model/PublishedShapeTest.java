package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.nio.file.Path;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PublishedShapeTest {
    /// The files are the hub's own, but for EmbeddingGemma's, which is put together from what others say of it; only
    /// the
    /// stop tokens differ between them and the shapes.
    @ParameterizedTest
    @CsvSource({
        "gemma-1-2b, gemma-2b",
        "gemma-1-7b, gemma-7b",
        "gemma-2-2b, gemma-2-2b-it",
        "gemma-2-9b, gemma-2-9b",
        "gemma-2-27b, gemma-2-27b",
        "gemma-3-270m, gemma-3-270m",
        "gemma-3-1b, gemma-3-1b-it",
        "gemma-3-4b, gemma-3-4b-it",
        "gemma-3-12b, gemma-3-12b-it",
        "gemma-3-27b, gemma-3-27b-it",
        "embeddinggemma-300m, embeddinggemma-300m",
        "recurrentgemma-2b, recurrentgemma-2b",
        "recurrentgemma-9b, recurrentgemma-9b"
    })
    void everyShapeIsThatOfItsConfig(String name, String file) throws CheckpointException {
        GemmaConfig published =
                HuggingFaceConfig.read(ConfigKeys.read(Path.of("src/test/resources/configs", file + ".json")), null);
        PublishedShape shape = PublishedShape.named(name);
        assertThat(shape.shapeName()).isEqualTo(name);
        assertThat(shape.config())
                .usingRecursiveComparison()
                .ignoringFields("stopIds")
                .isEqualTo(published);
    }

    /// Parameters of the text models as their model cards count them, in millions; of E2B and E4B all but the
    /// towers' 450.
    @ParameterizedTest
    @CsvSource({
        "gemma-3n-e2b, 4440",
        "gemma-3n-e4b, 6840",
        "gemma-4-e2b, 4630",
        "gemma-4-e4b, 7460",
        "gemma-4-26b-a4b, 25220",
        "gemma-4-31b, 30700"
    })
    void newerShapesHaveAsManyParametersAsTheirCardsSay(String name, long millions) {
        GemmaConfig config = PublishedShape.named(name).config();
        PerLayerConfig perLayer = config.perLayer();
        long table = perLayer == null ? 0 : (long) perLayer.vocab() * config.perLayerCols();
        long parameters = table + RandomWeights.bytes(config) / Short.BYTES;
        assertThat(parameters / 1e6).isCloseTo((double) millions, Offset.offset(20.0));
    }

    @Test
    void anUnknownNameIsAnsweredWithThoseThereAre() {
        assertThatThrownBy(() -> PublishedShape.named("gemma-9"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("shape: got \"gemma-9\", need one of gemma-1-2b, gemma-1-7b, ")
                .hasMessageContaining("gemma-3-1b");
    }
}
