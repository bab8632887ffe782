package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Inserts.SoftTokens;
import dev.lapidary.model.Inserts.Span;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Soft tokens and spans: what passes they allow, and that each of them matters to the reference's results.
class InsertsTest {
    private static final Inserts SPANS =
            new Inserts(List.of(new SoftTokens(5, new float[0], 0, 4)), List.of(new Span(5, 9), new Span(12, 14)));

    @ParameterizedTest
    @CsvSource({"0, 4, 4", "0, 5, 5", "0, 6, 5", "5, 6, 9", "5, 9, 9", "0, 13, 12", "12, 13, 14", "9, 20, 20"})
    void aPassEndsBeforeASpanOrBehindIt(int begin, int end, int expected) {
        assertThat(SPANS.passEnd(begin, end)).isEqualTo(expected);
    }

    @Test
    void positionsSeeTheirSpan() {
        assertThat(List.of(SPANS.end(4), SPANS.end(5), SPANS.end(8), SPANS.end(9)))
                .containsExactly(5, 9, 9, 10);
        assertThat(List.of(SPANS.begin(4), SPANS.begin(8), SPANS.begin(9))).containsExactly(4, 5, 9);
    }

    @Test
    void aSequenceIsNotCutWithinAnImage() {
        assertThatThrownBy(() -> SPANS.cut(6))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("rewind: got position 6 within the image at 5 to 9, need one of these");
        assertThat(SPANS.cut(5)).isEqualTo(Inserts.NONE);
        assertThat(SPANS.cut(13).spans()).containsExactly(new Span(5, 9), new Span(12, 13));
    }

    @ParameterizedTest
    @CsvSource({
        "gemma3-mm, true, 1, true",
        "gemma3-mm, false, 1, false",
        "gemma3-mm, true, 8, false",
        "paligemma, true, 1, true",
        "paligemma, false, 1, false",
        "paligemma, true, 8, false"
    })
    void spansAndUnscaledSoftTokensBite(String name, boolean spans, float scale, boolean agrees) throws IOException {
        Golden golden = Golden.of(name);
        int[] prompt = golden.prompt();
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder());
                Arena arena = Arena.ofConfined()) {
            Matrix soft = golden.tensor("image_soft_tokens", arena);
            float[] values = soft.data().toArray(ValueLayout.JAVA_FLOAT);
            for (int i = 0; i < values.length; i++) {
                values[i] *= scale;
            }
            boolean prefix = name.equals("paligemma");
            int begin = prefix ? 0 : 8;
            Span span = prefix ? new Span(0, prompt.length) : new Span(begin, begin + soft.rows());
            Inserts inserts = new Inserts(
                    List.of(new SoftTokens(begin, values, 0, soft.rows())), spans ? List.of(span) : List.of());
            TextModel model = Models.read(checkpoint, prompt.length, arena);
            Batch batch = new Batch().add(model.newCache(prompt.length, arena), 0, prompt, 0, prompt.length, inserts);
            Matrix residual = model.decoder().forward(batch, () -> false, null);
            double difference =
                    LogitsDifference.relative(golden.tensor("logits", arena), model.decoder()::logits, residual);
            if (agrees) {
                assertThat(difference).isLessThan(Golden.F32_TOLERANCE / 4);
            } else {
                assertThat(difference).isGreaterThan(5 * Golden.F32_TOLERANCE);
            }
        }
    }
}
