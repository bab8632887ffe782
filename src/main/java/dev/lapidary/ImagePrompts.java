package dev.lapidary;

import dev.lapidary.tokenizer.Tokenizer;
import dev.lapidary.vision.VisionConfig;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Token ids of prompts with images, as the reference's processors write them.
///
/// Source: huggingface/transformers 5.14, `models/{gemma3,paligemma}/processing_*.py`.
final class ImagePrompts {
    private static final String AROUND = "\n\n";

    private ImagePrompts() {}

    /// An image alone, with bos before it where it is the first thing of a prompt that begins with bos.
    static int[] image(VisionConfig config, Tokenizer tokenizer, boolean first) {
        int[] tokens = new int[config.tokensPerImage()];
        Arrays.fill(tokens, config.imageId());
        if (config.prefix()) {
            return tokens;
        }
        IntStream.Builder ids = IntStream.builder();
        Arrays.stream(first ? tokenizer.encodePrompt(AROUND) : tokenizer.encode(AROUND))
                .forEach(ids);
        ids.add(config.beginId());
        Arrays.stream(tokens).forEach(ids);
        ids.add(config.endId());
        Arrays.stream(tokenizer.encode(AROUND)).forEach(ids);
        return ids.build().toArray();
    }

    static int[] ids(VisionConfig config, Tokenizer tokenizer, String before, int images, String after) {
        int[] tokens = new int[config.tokensPerImage()];
        Arrays.fill(tokens, config.imageId());
        if (config.prefix()) {
            if (!before.isEmpty()) {
                throw new IllegalArgumentException("prompt: got text before the images, need them in front");
            }
            IntStream all = IntStream.range(0, images).flatMap(_ -> Arrays.stream(tokens));
            return IntStream.concat(all, Arrays.stream(tokenizer.encodePrompt(after + "\n")))
                    .toArray();
        }
        // Special tokens part the text, so its pieces are tokenized one by one.
        IntStream.Builder ids = IntStream.builder();
        for (int image = 0; image < images; image++) {
            int[] front = image == 0 ? tokenizer.encodePrompt(before + AROUND) : tokenizer.encode(AROUND + AROUND);
            Arrays.stream(front).forEach(ids);
            ids.add(config.beginId());
            Arrays.stream(tokens).forEach(ids);
            ids.add(config.endId());
        }
        Arrays.stream(images == 0 ? tokenizer.encodePrompt(before + after) : tokenizer.encode(AROUND + after))
                .forEach(ids);
        return ids.build().toArray();
    }
}
