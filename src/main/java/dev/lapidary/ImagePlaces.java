package dev.lapidary;

import dev.lapidary.model.Inserts;
import dev.lapidary.vision.VisionConfig;
import java.util.ArrayList;
import java.util.List;

/// Finds where in a prompt its images stand: runs of image tokens.
final class ImagePlaces {
    private ImagePlaces() {}

    /// `inserts` with `images` in the place of the image tokens of `ids`, which follow at `position`.
    ///
    /// @throws IllegalArgumentException if the image tokens are not those of as many images
    static Inserts insert(Inserts inserts, VisionConfig config, int position, int[] ids, SoftTokens images) {
        if (images.tokensPerImage() != config.tokensPerImage() || images.embedding() != config.embedding()) {
            throw new IllegalArgumentException(
                    "soft tokens: got [%d, %d] for an image, need [%d, %d] as the model's are"
                            .formatted(
                                    images.tokensPerImage(),
                                    images.embedding(),
                                    config.tokensPerImage(),
                                    config.embedding()));
        }
        List<Inserts.SoftTokens> tokens = new ArrayList<>();
        List<Inserts.Span> spans = new ArrayList<>();
        int found = 0;
        for (int begin = 0; begin < ids.length; begin++) {
            int end = begin;
            while (end < ids.length && ids[end] == config.imageId()) {
                end++;
            }
            if (end > begin) {
                requireWhole(config, begin, end - begin);
                tokens.add(new Inserts.SoftTokens(
                        position + begin, images.values(), found * config.embedding(), end - begin));
                spans.add(new Inserts.Span(position + begin, position + end));
                found += end - begin;
                begin = end;
            }
        }
        if (found != images.images() * config.tokensPerImage()) {
            throw new IllegalArgumentException("ids: got %d image tokens (id %d), need %d for each of %d images"
                    .formatted(found, config.imageId(), config.tokensPerImage(), images.images()));
        }
        return inserts.plus(tokens, config.prefix() ? List.of() : spans);
    }

    /// Images without anything between them would be one block in the reference where blocks count, so they are
    /// refused.
    private static void requireWhole(VisionConfig config, int begin, int count) {
        int need = config.tokensPerImage();
        if (config.prefix() ? count % need != 0 : count != need) {
            throw new IllegalArgumentException("ids: got a run of %d image tokens at %d, need %s%d, those of an image"
                    .formatted(count, begin, config.prefix() ? "a multiple of " : "", need));
        }
    }
}
