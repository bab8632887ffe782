package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WindowsTest {
    @Test
    void everyTokenIsInOneWindowAfterItsBos() {
        Windows windows = Windows.parts(new int[] {10, 11, 12, 13, 14}, 2, 3);
        assertThat(windows.parts()).containsExactly(new int[] {2, 10, 11}, new int[] {2, 12, 13}, new int[] {2, 14});
        assertThat(windows.scored()).isEqualTo(5);
        assertThat(windows.longest()).isEqualTo(3);
    }

    @Test
    void noTextIsNoWindow() {
        assertThat(Windows.parts(new int[0], 2, 3).scored()).isZero();
        assertThat(Windows.whole(2).scored()).isZero();
        assertThat(Windows.whole().longest()).isZero();
    }
}
