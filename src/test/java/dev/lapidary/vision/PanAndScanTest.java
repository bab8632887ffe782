package dev.lapidary.vision;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Crops worked out by hand from the reference's formulas, with its 256 pixels, 4 crops and ratio 1.2.
class PanAndScanTest {
    @ParameterizedTest
    @CsvSource({
        "512, 512, none", // square
        "611, 512, none", // ratio 1.193
        "615, 512, 308x512+0+0 307x512+308+0", // 1.201: one crop wanted, two at least
        "800, 300, 267x300+0+0 267x300+267+0 266x300+534+0", // 2.67 rounds to three
        "750, 300, 375x300+0+0 375x300+375+0", // 2.5 rounds to three, but 750 has room for two of 256
        "1500, 600, 500x600+0+0 500x600+500+0 500x600+1000+0", // 2.5 rounds up
        "3000, 300, 750x300+0+0 750x300+750+0 750x300+1500+0 750x300+2250+0", // ten wanted, four at most
        "500, 300, none", // crops of 250
        "2000, 255, none", // too low
        "300, 801, 300x267+0+0 300x267+0+267 300x267+0+534", // portrait
        "300, 361, none" // 1.203, crops of 181
    })
    void cropsAreThoseOfTheReference(int width, int height, String expected) {
        String got = PanAndScan.USUAL.boxes(width, height).stream()
                .map(box -> "%dx%d+%d+%d".formatted(box.width(), box.height(), box.x(), box.y()))
                .collect(Collectors.joining(" "));
        assertThat(got.isEmpty() ? "none" : got).isEqualTo(expected);
    }

    @Test
    void cropsAreCutFromThePicture() {
        byte[] rgb = new byte[3 * 5 * 2];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) i;
        }
        var crops = new PanAndScan(2, 4, 1.2).crops(new RgbImage(5, 2, rgb));
        assertThat(crops).hasSize(2);
        assertThat(crops.get(0).rgb()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 18, 19, 20, 21, 22, 23);
        assertThat(crops.get(1).rgb()).containsExactly(9, 10, 11, 12, 13, 14, 24, 25, 26, 27, 28, 29);
    }
}
