package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.Image;
import dev.lapidary.SoftTokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// Picture files for a model to look at.
final class PictureOptions {
    @Option(
            names = "--image",
            paramLabel = "FILE",
            description =
                    "A picture that stands before the prompt's text, in a chat before the first turn's: PNG, JPEG,"
                            + " WebP, GIF or BMP; may be given again.")
    private List<Path> files = new ArrayList<>();

    @Option(
            names = "--pan-and-scan",
            description = "Shows Gemma 3 long pictures in up to four crops too, each as many tokens as the picture.")
    private boolean panAndScan;

    boolean given() {
        return !files.isEmpty();
    }

    /// The pictures that were asked for.
    ///
    /// @throws IOException naming the file that is no picture, or damaged
    List<Image> read() throws IOException {
        List<Image> images = new ArrayList<>();
        for (Path file : files) {
            images.add(read(file));
        }
        return images;
    }

    /// Another picture, to be seen as those that were asked for.
    Image read(Path file) throws IOException {
        Image image = Image.read(file);
        return panAndScan ? image.panAndScan() : image;
    }

    /// What the model sees of pictures.
    static SoftTokens softTokens(Gemma gemma, List<Image> images) {
        return gemma.softTokens(gemma.pixels(images));
    }
}
