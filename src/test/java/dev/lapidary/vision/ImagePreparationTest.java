package dev.lapidary.vision;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Pictures as pixels.
class ImagePreparationTest {
    private static final Path ORACLE = Path.of("src/test/resources/oracle/image-preprocess");

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
        assertThat(ExifOrientation.of(ImageFormat.JPEG, jpeg.array())).isEqualTo(6);
        for (int length = 0; length < 30; length++) {
            assertThat(ExifOrientation.of(ImageFormat.JPEG, Arrays.copyOf(jpeg.array(), length)))
                    .isEqualTo(1);
        }
    }

    private static RgbImage picture(String letters, int width) {
        byte[] rgb = new byte[3 * letters.length()];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (letters.charAt(i / 3) + i % 3 * 50);
        }
        return new RgbImage(width, letters.length() / width, rgb);
    }
}
