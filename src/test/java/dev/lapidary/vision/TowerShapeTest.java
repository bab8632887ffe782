package dev.lapidary.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.kernels.ReferenceKernels;
import dev.lapidary.model.ConversionObserver;
import dev.lapidary.model.PublishedShape;
import dev.lapidary.vision.VisionConfig.Projector;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Towers without a checkpoint.
class TowerShapeTest {
    /// The files are the hub's own.
    @ParameterizedTest
    @CsvSource({"gemma-3-4b, gemma-3-4b-it", "gemma-3-12b, gemma-3-12b-it", "gemma-3-27b, gemma-3-27b-it"})
    void towersAreThoseOfTheConfigs(String name, String file) throws CheckpointException {
        ConfigKeys keys = ConfigKeys.read(Path.of("src/test/resources/configs", file + ".json"));
        int embedding = PublishedShape.named(name).config().embedding();
        assertThat(VisionModel.config(PublishedShape.named(name), embedding))
                .contains(VisionConfigReader.read(keys, embedding));
    }

    @ParameterizedTest
    @EnumSource
    void paliGemmasHaveAsManyTokensAsPatches(PublishedShape shape) {
        int embedding = shape.config().embedding();
        var tower = VisionModel.config(shape, embedding);
        boolean pali = shape.shapeName().startsWith("paligemma");
        assertThat(tower.isPresent())
                .isEqualTo(pali || shape.config().architecture().equals("gemma3"));
        if (pali) {
            int side = Integer.parseInt(shape.shapeName().replaceAll(".*-", "")) / 14;
            assertThat(tower.orElseThrow().tokensPerImage()).isEqualTo(side * side);
            assertThat(shape.config().vocab()).isEqualTo(257216);
        }
    }

    @Test
    void randomTowersRun() {
        for (Projector projector : Projector.values()) {
            int tokens = projector == Projector.POOLED ? 4 : 16;
            VisionConfig config = new VisionConfig(16, 4, 3, 24, 40, 2, 3, 1e-6f, projector, tokens, 20, 9, 7, 8);
            try (Arena arena = Arena.ofConfined()) {
                VisionModel model =
                        VisionModel.random(config, null, new NoConversion(), new ReferenceKernels(), arena, arena);
                float[] pixels = new float[config.imageElements()];
                for (int i = 0; i < pixels.length; i++) {
                    pixels[i] = (float) Math.sin(i);
                }
                for (float value : model.softTokens(pixels, () -> false)) {
                    assertThat(value).isFinite().isNotZero();
                }
                // 24 wide: norms of 24 and 24, four a layer and one at the end; biases of 3, 1, 40/24 and 1
                int small = 24 + 2 * (4 * 24 + 4 * 24 + 40 + 24) + 2 * 24 + (projector == Projector.POOLED ? 24 : 20);
                assertThat(model.moduleTree().bytes())
                        .isEqualTo(VisionModel.randomWeightBytes(config) + (long) small * Float.BYTES);
            }
        }
    }

    private static final class NoConversion implements ConversionObserver {
        @Override
        public void begin(long newBytes, long storedBytes) {
            throw new AssertionError("nothing was to be converted");
        }

        @Override
        public void read(long storedBytes) {
            throw new AssertionError("nothing was to be converted");
        }
    }
}
