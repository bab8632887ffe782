package dev.lapidary.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Picture files of every format, against what Pillow makes of them (`pictures.py` beside them).
class ImageFileTest {
    private static final Path PICTURES = Path.of("src/test/resources/image");
    private static final String NEED = "need a PNG, JPEG, WebP, GIF or BMP file";

    @TempDir
    private Path folder = Path.of("");

    static List<String> pictures() throws IOException {
        return List.copyOf(goldens().keySet());
    }

    @ParameterizedTest
    @MethodSource("pictures")
    void picturesAreWhatTheReferenceSees(String name) throws IOException {
        JsonObject golden = goldens().getAsJsonObject(name);
        byte[] expected = Base64.getDecoder().decode(golden.get("rgb").getAsString());
        RgbImage image = ImageFile.read(PICTURES.resolve(name));
        assertThat(image.width()).isEqualTo(golden.get("width").getAsInt());
        assertThat(image.rgb()).hasSize(expected.length);
        int worst = IntStream.range(0, expected.length)
                .map(i -> Math.abs((image.rgb()[i] & 0xff) - (expected[i] & 0xff)))
                .max()
                .orElseThrow();
        assertThat(worst).as("largest difference").isLessThanOrEqualTo(tolerance(name));
    }

    /// Without loss there is one result. Libraries of JPEG round differently; the reader of WebP does not smooth the
    /// colours' edges.
    private static int tolerance(String name) {
        if (name.startsWith("lossy")) {
            return 12;
        }
        return name.endsWith(".jpg") ? 3 : 0;
    }

    @Test
    void sixteenBitsAreCutToEight() throws IOException {
        BufferedImage deep = ImageTypeSpecifier.createInterleaved(
                        new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB)
                                .getColorModel()
                                .getColorSpace(),
                        new int[] {0, 1, 2, 3},
                        DataBuffer.TYPE_USHORT,
                        true,
                        false)
                .createBufferedImage(1, 1);
        deep.getRaster().setPixel(0, 0, new int[] {0x1234, 0xfedc, 0x00ff, 0x8000});
        assertThat(ImageFile.decode(png(deep)).rgb()).containsExactly(0x12, 0xfe, 0x00);
        BufferedImage grey = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY);
        grey.getRaster().setSample(0, 0, 0, 0x4dff);
        assertThat(ImageFile.decode(png(grey)).rgb()).containsExactly(77, 77, 77);
    }

    @Test
    void whatIsNoPictureIsRefused() throws IOException {
        Path file = folder.resolve("x.png");
        assertRefused(file, ": got nothing there, " + NEED);
        assertThatThrownBy(() -> ImageFile.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessage(folder + ": got no regular file, " + NEED);
        Files.writeString(file, "no picture");
        assertRefused(file, ": got no image that is known, " + NEED);
        Files.write(file, new byte[0]);
        assertRefused(file, ": got no image that is known, " + NEED);
    }

    @Test
    void hugePicturesAreRefusedUndecoded() throws IOException {
        byte[] huge = bytes("rgb.png");
        ByteBuffer.wrap(huge).putInt(16, 100_000).putInt(20, 100_000);
        Path file = folder.resolve("huge.png");
        Files.write(file, huge);
        assertRefused(file, ": got 100000 x 100000 pixels, need at most 67108864 in all");
        byte[] deep = bytes("rgb.png");
        ByteBuffer.wrap(deep)
                .putInt(16, 8192)
                .putInt(20, 8192)
                .put(24, (byte) 16)
                .put(25, (byte) 6);
        Files.write(file, deep);
        assertRefused(file, ": got 8192 x 8192 pixels of 64 bits, need at most 268435456 bytes in all");
        byte[] webp = bytes("lossless.webp");
        ByteBuffer.wrap(webp).putInt(21, 0xffff_ff0f); // 16384 x 16384 in 14 bits each
        Files.write(file, webp);
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ": got 16384 x ")
                .hasMessageEndingWith("need at most 67108864 in all");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rgb.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg", "lossless.webp", "lossy.webp"})
    void aFileCutShortIsRefused(String name) throws IOException {
        byte[] whole = bytes(name);
        Path file = folder.resolve(name);
        for (int percent : new int[] {50, 70, 85}) {
            Files.write(file, Arrays.copyOf(whole, whole.length * percent / 100));
            assertThatThrownBy(() -> ImageFile.read(file))
                    .as("%d %% of it", percent)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(file + ": cannot be decoded, got ")
                    .hasMessageEndingWith("need one that is whole");
        }
    }

    /// Read or refused, whatever is in the file.
    @ParameterizedTest
    @MethodSource("pictures")
    void damagedFilesAreReadOrRefused(String name) throws IOException {
        byte[] whole = bytes(name);
        SplittableRandom random = new SplittableRandom(name.hashCode());
        int refused = 0;
        for (int round = 0; round < 150; round++) {
            byte[] damaged = damaged(whole, random);
            try {
                RgbImage image = ImageFile.decode("x", damaged, 1 << 18);
                assertThat(image.rgb()).hasSizeBetween(3, 3 << 18);
            } catch (IOException e) {
                assertThat(e)
                        .as("round %d", round)
                        .hasMessageStartingWith("x: ")
                        .hasMessageContaining("need ")
                        .hasMessageNotContaining("null");
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }

    private static byte[] damaged(byte[] whole, SplittableRandom random) {
        byte[] damaged = random.nextInt(4) == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
        for (int i = random.nextInt(8); i >= 0 && damaged.length > 0; i--) {
            damaged[random.nextInt(damaged.length)] = (byte) (random.nextInt(3) == 0 ? 0xff : random.nextInt(256));
        }
        return damaged;
    }

    private static void assertRefused(Path file, String message) {
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + message);
    }

    private static byte[] png(BufferedImage image) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, "png", bytes)).isTrue();
        return bytes.toByteArray();
    }

    private static byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(PICTURES.resolve(name));
    }

    private static JsonObject goldens() throws IOException {
        return JsonParser.parseString(Files.readString(PICTURES.resolve("golden.json")))
                .getAsJsonObject();
    }
}
