package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;

class AmountsTest {
    @Test
    void bytesHaveTheUnitThatFits() {
        assertThat(Amounts.bytes(1023)).isEqualTo("1023 bytes");
        assertThat(Amounts.bytes(1536)).isEqualTo("1.5 KiB");
        assertThat(Amounts.bytes(3L << 40)).isEqualTo("3.0 TiB");
        assertThat(Amounts.bytes(3000L << 40)).isEqualTo("3000.0 TiB");
    }

    @Test
    void secondsHaveTheUnitThatFits() {
        assertThat(Amounts.seconds(0.0000045)).isEqualTo("4.5 µs");
        assertThat(Amounts.seconds(0.0123)).isEqualTo("12.3 ms");
        assertThat(Amounts.seconds(1.5)).isEqualTo("1.50 s");
    }

    @Test
    void noTimeIsNoRate() {
        assertThat(Amounts.rate(10, 2)).isEqualTo(5);
        assertThat(Amounts.rate(10, 0)).isNaN();
        assertThat(Amounts.rate(0, 1)).isNaN();
    }

    @Test
    void numbersAreTheSameInEveryCountry() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            assertThat(Amounts.text("%.1f", 1.5)).isEqualTo("1.5");
            assertThat(Amounts.count(3126720)).isEqualTo("3,126,720");
        } finally {
            Locale.setDefault(before);
        }
    }
}
