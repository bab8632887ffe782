package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PredictionDifferencesTest {
    private static final double EXACT = 1e-7; // logits are floats

    /// The reference's halves and quarters against thirds: 0.5 ln(0.5 * 3) + 2 * 0.25 ln(0.25 * 3).
    @Test
    void byHand() {
        PredictionDifferences differences = new PredictionDifferences();
        differences.add(1, logits(1 / 3.0, 1 / 3.0, 1 / 3.0), logits(0.5, 0.25, 0.25));
        assertThat(differences.meanDivergence()).isCloseTo(0.0588915178, within(EXACT));
        assertThat(differences.natsPerToken()).isCloseTo(Math.log(3), within(EXACT));
        assertThat(differences.referenceNatsPerToken()).isCloseTo(Math.log(4), within(EXACT));
        assertThat(differences.agreement()).isEqualTo(1); // the first of equals
    }

    /// It is not symmetric: 2 * (1/3) ln(4/3) + (1/3) ln(2/3) the other way round.
    @Test
    void theReferenceWeighs() {
        PredictionDifferences differences = new PredictionDifferences();
        differences.add(0, logits(0.5, 0.25, 0.25), logits(1 / 3.0, 1 / 3.0, 1 / 3.0));
        assertThat(differences.meanDivergence()).isCloseTo(0.0566330123, within(EXACT));
    }

    @Test
    void aConstantOnAllLogitsChangesNothing() {
        float[] one = {1, 2, 3, -50};
        float[] other = {2, 1, 3.5f, -2};
        double expected = divergence(one, other);
        assertThat(expected).isPositive();
        float[] shifted = new float[4];
        for (int i = 0; i < 4; i++) {
            shifted[i] = one[i] + 1024;
        }
        assertThat(divergence(shifted, other)).isCloseTo(expected, within(1e-4));
        assertThat(divergence(one, one)).isZero();
        assertThat(divergence(shifted, one)).isCloseTo(0, within(1e-9));
    }

    /// Sums of thousands of nats, as a broken model has them, stay finite.
    @Test
    void farApartIsFinite() {
        assertThat(divergence(new float[] {0, 2000}, new float[] {2000, 0})).isCloseTo(2000, within(1e-9));
    }

    @Test
    void agreementCountsEqualFirstChoices() {
        PredictionDifferences differences = new PredictionDifferences();
        differences.add(0, new float[] {1, 2, 0}, new float[] {1, 2, 0});
        differences.add(0, new float[] {1, 2, 0}, new float[] {2, 1, 0});
        differences.add(0, new float[] {1, 2, 0}, new float[] {0, 9, 8});
        differences.add(0, new float[] {1, 0, 2}, new float[] {0, 9, 8});
        assertThat(differences.agreement()).isEqualTo(0.5);
        assertThat(differences.count()).isEqualTo(4);
    }

    /// Of 101 divergences in a row, each percentile is one of them; between two of them it is in between.
    @Test
    void percentilesAreOfTheSortedDivergences() {
        PredictionDifferences differences = new PredictionDifferences();
        double[] expected = new double[101];
        for (int i = 0; i < 101; i++) {
            float[] model = {0, i * 37 % 101 / 20f};
            differences.add(0, model, new float[] {0, 0});
            expected[i * 37 % 101] = divergence(model, new float[] {0, 0});
        }
        for (int i = 0; i <= 100; i++) {
            assertThat(differences.divergence(i / 100.0)).isCloseTo(expected[i], within(1e-12));
        }
        assertThat(differences.divergence(0.995)).isCloseTo((expected[99] + expected[100]) / 2, within(1e-12));
        differences.add(0, new float[] {0, 0}, new float[] {0, 0});
        assertThat(differences.divergence(0)).isZero();
        assertThat(differences.divergence(1)).isEqualTo(expected[100]);
    }

    @Test
    void manyMoreThanItHasRoomForAtFirst() {
        PredictionDifferences differences = new PredictionDifferences();
        for (int i = 0; i < 5000; i++) {
            differences.add(0, new float[] {0, 1}, new float[] {1, 0});
        }
        double one = divergence(new float[] {0, 1}, new float[] {1, 0});
        assertThat(differences.meanDivergence()).isCloseTo(one, within(1e-12));
        assertThat(differences.divergence(0.99)).isCloseTo(one, within(1e-12));
    }

    @Test
    void nothingIsNoNumber() {
        PredictionDifferences differences = new PredictionDifferences();
        assertThat(differences.meanDivergence()).isNaN();
        assertThat(differences.divergence(0.99)).isNaN();
        assertThat(differences.agreement()).isNaN();
        assertThatThrownBy(() -> differences.divergence(1.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("share: got 1.5, need 0 to 1");
        assertThatThrownBy(() -> differences.add(0, new float[] {Float.NaN, 1}, new float[] {0, 0}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("need finite numbers");
    }

    private static double divergence(float[] model, float[] reference) {
        PredictionDifferences differences = new PredictionDifferences();
        differences.add(0, model, reference);
        return differences.meanDivergence();
    }

    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]);
        }
        return logits;
    }
}
