package dev.lapidary.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Files as pictures, and pictures as pixels.
class ImagePreparationTest {
    private static final Path ORACLE = Path.of("src/test/resources/oracle/image-preprocess");

    @TempDir
    private Path folder = Path.of("");

    @Test
    void pixelsAreThoseOfTheReferencesProcessors() throws IOException {
        JsonObject golden = JsonParser.parseString(Files.readString(ORACLE.resolve("golden.json")))
                .getAsJsonObject();
        int seen = 0;
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> tensors = SafetensorsFile.map(ORACLE.resolve("golden.safetensors"), arena)
                    .tensors();
            for (JsonElement each : golden.getAsJsonArray("cases")) {
                JsonObject one = each.getAsJsonObject();
                int index = one.get("i").getAsInt();
                String kind = one.get("kind").getAsString();
                int size = one.get("S").getAsInt();
                byte[] rgb = tensors.get("image_" + index).data().toArray(ValueLayout.JAVA_BYTE);
                RgbImage image =
                        new RgbImage(one.get("w").getAsInt(), one.get("h").getAsInt(), rgb);
                Resampling filter = kind.endsWith("bilinear") ? Resampling.BILINEAR : Resampling.BICUBIC;
                float[] pixels = new float[3 * size * size];
                ImagePreparation.prepare(image, filter, size, pixels, 0);
                float[] expected = tensors.get(kind + "_" + index).data().toArray(ValueLayout.JAVA_FLOAT);
                for (int i = 0; i < pixels.length; i++) {
                    assertThat(Math.abs(pixels[i] - expected[i]))
                            .as("%s, element %d", one, i)
                            .isLessThan(1e-6f);
                }
                seen++;
            }
        }
        assertThat(seen).isEqualTo(12);
    }

    @ParameterizedTest
    @CsvSource({
        "1, abcdef, 3", "2, cbafed, 3", "3, fedcba, 3", "4, defabc, 3",
        "5, adbecf, 2", "6, daebfc, 2", "7, fcebda, 2", "8, cfbead, 2"
    })
    void orientationsAreThoseOfExif(int orientation, String expected, int width) {
        RgbImage upright = picture("abcdef", 3).upright(orientation);
        assertThat(upright.width()).isEqualTo(width);
        assertThat(upright.rgb()).containsExactly(picture(expected, width).rgb());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theOrientationIsFoundInEitherByteOrder(boolean little) {
        ByteBuffer tiff = ByteBuffer.allocate(26);
        tiff.order(little ? java.nio.ByteOrder.LITTLE_ENDIAN : java.nio.ByteOrder.BIG_ENDIAN);
        tiff.put((byte) (little ? 'I' : 'M'))
                .put((byte) (little ? 'I' : 'M'))
                .putShort((short) 42)
                .putInt(8);
        tiff.putShort((short) 1)
                .putShort((short) 0x0112)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) 6);
        ByteBuffer jpeg = ByteBuffer.allocate(64);
        jpeg.putShort((short) 0xffd8).putShort((short) 0xffe1).putShort((short) (2 + 6 + 26));
        jpeg.put("Exif\0\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                .put(tiff.array());
        assertThat(ExifOrientation.of(jpeg.array())).isEqualTo(6);
        for (int length = 0; length < 30; length++) {
            assertThat(ExifOrientation.of(Arrays.copyOf(jpeg.array(), length))).isEqualTo(1);
        }
    }

    @Test
    void samplesAreTakenAsStored() throws IOException {
        assertThat(pixel(BufferedImage.TYPE_INT_RGB, 0xff102030)).containsExactly(0x10, 0x20, 0x30);
        assertThat(pixel(BufferedImage.TYPE_3BYTE_BGR, 0xff102030)).containsExactly(0x10, 0x20, 0x30);
        assertThat(pixel(BufferedImage.TYPE_INT_ARGB, 0x40102030)).containsExactly(0x10, 0x20, 0x30);
        assertThat(pixel(BufferedImage.TYPE_BYTE_INDEXED, 0xff0000ff)).containsExactly(0, 0, 0xff);
        BufferedImage grey = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSample(0, 0, 0, 77);
        assertThat(written(grey)).containsExactly(77, 77, 77);
    }

    @Test
    void whatIsNoPictureIsRefused() throws IOException {
        Path file = folder.resolve("x.png");
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": got nothing there, need a PNG or JPEG file");
        Files.writeString(file, "no picture");
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": got no image that is known, need PNG or JPEG");
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        ImageIO.write(image, "gif", file.toFile());
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": got an image in gif, need PNG or JPEG");
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        Files.write(file, Arrays.copyOf(png.toByteArray(), 40));
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ": cannot be decoded, got png with ");
        byte[] huge = png.toByteArray();
        ByteBuffer.wrap(huge).putInt(16, 100_000).putInt(20, 100_000);
        Files.write(file, huge);
        assertThatThrownBy(() -> ImageFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": got 100000 x 100000 pixels, need at most 67108864 in all");
    }

    private int[] pixel(int type, int argb) throws IOException {
        BufferedImage image = new BufferedImage(1, 1, type);
        image.setRGB(0, 0, argb);
        return written(image);
    }

    private int[] written(BufferedImage image) throws IOException {
        Path file = folder.resolve("one.png");
        ImageIO.write(image, "png", file.toFile());
        byte[] rgb = ImageFile.read(file).rgb();
        return new int[] {rgb[0] & 0xff, rgb[1] & 0xff, rgb[2] & 0xff};
    }

    private static RgbImage picture(String letters, int width) {
        byte[] rgb = new byte[3 * letters.length()];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (letters.charAt(i / 3) + i % 3 * 50);
        }
        return new RgbImage(width, letters.length() / width, rgb);
    }
}
