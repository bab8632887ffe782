package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.Gemma;
import dev.lapidary.Image;
import dev.lapidary.Pixels;
import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.DataType;
import dev.lapidary.model.Golden;
import dev.lapidary.tokenizer.TinyVocabulary;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Text and pictures, from files to what the model says, against ids and pixels written by hand.
class PictureTest {
    private static final int BOS = 2;
    private static final int BLANK_LINE = 108;
    private static final int TURN = 105;
    private static final int END_OF_TURN = 106;
    private static final String[] GREEDY = {"-t", "0", "-n", "6", "--compute", "f32", "--log-probs", "--ignore-eos"};

    @TempDir
    private Path folder = Path.of("");

    private Path gemma3 = Path.of("");
    private Path picture = Path.of("src/test/resources/image/rgb.png");

    @BeforeEach
    void makeCheckpoint() throws IOException {
        gemma3 = checkpoint(
                "gemma3-mm",
                272,
                Map.of(
                        TURN,
                        "<start_of_turn>",
                        END_OF_TURN,
                        "<end_of_turn>",
                        BLANK_LINE,
                        "\n\n",
                        255,
                        "<start_of_image>",
                        256,
                        "<end_of_image>",
                        262,
                        "<image_soft_token>"));
    }

    @Test
    void aPictureStandsBeforeTheText() throws IOException {
        List<Integer> ids = new ArrayList<>(List.of(BOS));
        ids.addAll(view());
        ids.addAll(TinyVocabulary.ids("hi there"));
        assertSame(gemma3, ids, List.of(Image.read(picture)), "--image", picture.toString(), "-p", "hi there");
    }

    @Test
    void severalPicturesStandApart() throws IOException {
        Path other = Path.of("src/test/resources/image/turned.webp");
        List<Integer> ids = new ArrayList<>(List.of(BOS));
        ids.addAll(view());
        ids.addAll(view());
        ids.addAll(TinyVocabulary.ids("?"));
        List<Image> images = List.of(Image.read(picture), Image.read(other));
        assertSame(gemma3, ids, images, "--image", picture.toString(), "--image", other.toString(), "-p", "?");
    }

    @Test
    void aPictureStandsInTheUsersTurn() throws IOException {
        List<Integer> ids = new ArrayList<>(List.of(BOS));
        ids.addAll(turn("user\n", 1, "What is this?"));
        ids.add(TURN);
        ids.addAll(TinyVocabulary.ids("model\n"));
        List<Image> images = List.of(Image.read(picture));
        String[] asked = {"--chat", "--image", picture.toString(), "-p", " What is this? "};
        assertSame(gemma3, ids, images, asked);
        useTemplate();
        assertSame(gemma3, ids, images, asked);
    }

    @Test
    void aLongPictureIsSeenInCropsToo() throws IOException {
        Path panorama = folder.resolve("long.png");
        BufferedImage image = new BufferedImage(700, 300, BufferedImage.TYPE_INT_RGB);
        for (int x = 0; x < 700; x++) {
            for (int y = 0; y < 300; y++) {
                image.setRGB(x, y, 0x010203 * (x / 3) + y % 7);
            }
        }
        ImageIO.write(image, "png", panorama.toFile());
        List<Integer> ids = new ArrayList<>(List.of(BOS));
        ids.addAll(TinyVocabulary.ids("Here is the original image "));
        ids.addAll(view());
        ids.addAll(TinyVocabulary.ids(" and here are some crops to help you see better "));
        ids.addAll(view());
        ids.addAll(TinyVocabulary.ids(" "));
        ids.addAll(view());
        ids.addAll(TinyVocabulary.ids("?"));
        List<Image> views = List.of(Image.read(panorama), part(image, 0, 350), part(image, 350, 350));
        assertThat(Image.read(panorama).panAndScan().views()).isEqualTo(3);
        assertSame(gemma3, ids, views, "--pan-and-scan", "--image", panorama.toString(), "-p", "?");
        // Not long enough: as without
        assertThat(Image.read(picture).panAndScan().views()).isEqualTo(1);
    }

    @Test
    void paliGemmaHasPicturesInFront() throws IOException {
        Path model = checkpoint("paligemma", 264, Map.of(BLANK_LINE, "\n\n", 257, "<image>"));
        List<Integer> ids = new ArrayList<>(Collections.nCopies(16, 257));
        ids.add(BOS);
        ids.addAll(TinyVocabulary.ids("caption en\n"));
        String[] asked = {"--image", picture.toString(), "-p", "caption en"};
        assertSame(model, ids, List.of(Image.read(picture)), asked);
        Run chat =
                run(model, Stream.concat(Stream.of("--chat"), Stream.of(asked)).toArray(String[]::new));
        assertThat(chat.code()).isNotZero();
    }

    @Test
    void aConversationHasPicturesWhereTheyWereShown() throws IOException {
        for (boolean template : new boolean[] {false, true}) {
            if (template) {
                useTemplate();
            }
            List<Image> images = new ArrayList<>(List.of(Image.read(picture)));
            List<Integer> ids = new ArrayList<>(List.of(BOS));
            ids.addAll(turn("user\n", 1, "Who?"));
            ids.add(TURN);
            ids.addAll(TinyVocabulary.ids("model\n"));
            Run first = expected(gemma3, ids, images);
            ids.addAll(first.ids("ids"));
            ids.add(END_OF_TURN);
            ids.addAll(TinyVocabulary.ids("\n"));
            ids.addAll(turn("user\n", 2, "And?"));
            ids.add(TURN);
            ids.addAll(TinyVocabulary.ids("model\n"));
            images.add(Image.read(Path.of("src/test/resources/image/grey.png")));
            images.add(Image.read(Path.of("src/test/resources/image/cmyk.jpg")));
            Run second = expected(gemma3, ids, images);
            Run chat = Run.withInput(
                    "Who?\n/image src/test/resources/image/grey.png\n/image src/test/resources/image/cmyk.jpg\nAnd?\n",
                    "chat",
                    "-m",
                    gemma3.toString(),
                    "--image",
                    picture.toString(),
                    "-t",
                    "0",
                    "-n",
                    "6",
                    "--compute",
                    "f32");
            assertThat(chat.out()).as(chat.err()).isEqualTo(text(first) + "\n" + text(second) + "\n");
            assertThat(chat.err()).contains("grey.png: 13 x 9 pixels, shown with the next message");
        }
    }

    @Test
    void whatCannotBeShownIsSaid() {
        Run missing = Run.withInput("/image no.png\n/image\n", "chat", "-m", gemma3.toString());
        assertThat(missing.code()).isZero();
        assertThat(missing.err()).contains("no.png: got nothing there, need a PNG, JPEG, WebP, GIF or BMP file");
        String need = "need a model that sees images in conversations";
        assertThat(Run.withInput("/image " + picture + "\n", "chat").err()).contains(need);
        Run blind = Run.of("chat", "--image", picture.toString());
        assertThat(blind.code()).isEqualTo(Failures.FAILED);
        assertThat(blind.err()).contains(need);
        Run text = Run.of("generate", "--image", picture.toString(), "-p", "x");
        assertThat(text.code()).isEqualTo(Failures.FAILED);
        assertThat(text.err()).contains("got images, need a checkpoint with a vision tower");
    }

    private static List<Integer> view() {
        List<Integer> ids = new ArrayList<>(List.of(BLANK_LINE, 255));
        ids.addAll(Collections.nCopies(9, 262));
        ids.addAll(List.of(256, BLANK_LINE));
        return ids;
    }

    /// The line's end behind the role and the blank line before the image are tokenized as one: two line ends first.
    private static List<Integer> turn(String role, int images, String text) {
        List<Integer> ids = new ArrayList<>(List.of(TURN));
        ids.addAll(TinyVocabulary.ids(role.strip()));
        ids.add(BLANK_LINE);
        ids.addAll(TinyVocabulary.ids("\n"));
        for (int i = 0; i < images; i++) {
            List<Integer> view = view();
            ids.addAll(i == 0 ? view.subList(1, view.size()) : view);
        }
        ids.addAll(TinyVocabulary.ids(text));
        ids.add(END_OF_TURN);
        ids.addAll(TinyVocabulary.ids("\n"));
        return ids;
    }

    private static void assertSame(Path model, List<Integer> ids, List<Image> views, String... asked)
            throws IOException {
        Run expected = expected(model, ids, views);
        Run got = run(model, asked);
        assertThat(got.json().get("prompt_tokens").getAsInt()).isEqualTo(ids.size());
        assertThat(got.ids("ids")).isEqualTo(expected.ids("ids"));
        assertThat(got.json().get("log_probs")).isEqualTo(expected.json().get("log_probs"));
    }

    /// What the model says to ids and pixels as they are.
    private static Run expected(Path model, List<Integer> ids, List<Image> views) throws IOException {
        Path pixels = model.resolve("pixels.safetensors");
        try (Gemma gemma = Gemma.open(model)) {
            Pixels values = gemma.pixels(views);
            List<Long> shape = List.of((long) values.images(), 3L, (long) values.height(), (long) values.width());
            TensorSpec spec = new TensorSpec("pixel_values", DataType.F32, shape);
            try (SafetensorsWriter writer = SafetensorsWriter.create(pixels, List.of(spec))) {
                writer.write(MemorySegment.ofArray(values.values()));
                writer.finish();
            }
        }
        int[] prompt = ids.stream().mapToInt(id -> id).toArray();
        return run(model, "--ids", TokenIds.text(prompt), "--pixels", pixels.toString());
    }

    private static Run run(Path model, String... asked) {
        List<String> all = new ArrayList<>(List.of("generate", "--json", "-m", model.toString()));
        all.addAll(List.of(GREEDY));
        all.addAll(List.of(asked));
        return Run.of(all.toArray(String[]::new));
    }

    private static String text(Run run) {
        return run.json().get("text").getAsString();
    }

    private static Image part(BufferedImage image, int x, int width) {
        byte[] rgb = new byte[3 * width * image.getHeight()];
        for (int i = 0; i < rgb.length; i++) {
            int pixel = image.getRGB(x + i / 3 % width, i / 3 / width);
            rgb[i] = (byte) (pixel >> (16 - 8 * (i % 3)));
        }
        return Image.rgb(width, image.getHeight(), rgb);
    }

    private void useTemplate() throws IOException {
        Files.copy(Path.of("src/test/resources/template/gemma-3.jinja"), gemma3.resolve("chat_template.jinja"));
    }

    private Path checkpoint(String name, int vocab, Map<Integer, String> symbols) throws IOException {
        Path model = Files.createDirectory(folder.resolve(name));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Golden.of(name).folder().resolve(file), model.resolve(file));
        }
        TinyVocabulary.write(model, vocab, symbols);
        return model;
    }
}
