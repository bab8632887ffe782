package dev.lapidary;

import dev.lapidary.tokenizer.ImageSymbols;
import dev.lapidary.tokenizer.Tokenizer;
import dev.lapidary.vision.VisionConfig;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Token ids of prompts with images, as the reference's processors write them.
///
/// Source: huggingface/transformers 5.14, `models/{gemma3,paligemma}/processing_*.py`.
final class ImagePrompts {
    private ImagePrompts() {}

    /// How Gemma 3 writes an image.
    static ImageSymbols symbols(VisionConfig config) {
        return new ImageSymbols(config.beginId(), config.imageId(), config.endId(), config.tokensPerImage());
    }

    /// An image alone, with bos before it where it is the first thing of a prompt that begins with bos.
    static int[] image(VisionConfig config, Tokenizer tokenizer, boolean first, int views) {
        return config.prefix() ? tokens(config, 1).toArray() : symbols(config).prompt(tokenizer, first, "", "", views);
    }

    static int[] ids(VisionConfig config, Tokenizer tokenizer, String before, String after, int... views) {
        if (!config.prefix()) {
            return symbols(config).prompt(tokenizer, true, before, after, views);
        }
        if (!before.isEmpty()) {
            throw new IllegalArgumentException("prompt: got text before the images, need them in front");
        }
        return IntStream.concat(tokens(config, views.length), Arrays.stream(tokenizer.encodePrompt(after + "\n")))
                .toArray();
    }

    private static IntStream tokens(VisionConfig config, int images) {
        return IntStream.range(0, images * config.tokensPerImage()).map(_ -> config.imageId());
    }
}
