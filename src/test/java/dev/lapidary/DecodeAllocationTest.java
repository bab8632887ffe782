package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.model.EncoderGolden;
import dev.lapidary.model.Golden;
import dev.lapidary.sampler.Sampler;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A decode step leaves nothing to the garbage collector.
class DecodeAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// Enough for the compiler to have seen every path, and some for what is made once.
    private static final int WARM_UP = 12_000;

    private static final int STEPS = 1000;

    @TempDir
    private Path folder;

    @Test
    void aTokenOfOneSequenceAllocatesNothing() throws IOException {
        try (Gemma gemma = TinyModel.open(folder)) {
            assertAllocatesNothing(gemma);
        }
    }

    @Test
    void neitherDoesOneOfWeightsInMixedBlocks() throws IOException {
        try (Gemma gemma = Gemma.open(new BlockModel().write(folder.resolve("m.gguf")))) {
            assertAllocatesNothing(gemma);
        }
    }

    @Test
    void neitherDoesOneOfARecurrentModel() throws IOException {
        try (Gemma gemma = Gemma.open(Golden.of("recurrentgemma").folder())) {
            assertAllocatesNothing(gemma);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma4-text-ple", "gemma4-text-moe", "gemma3n-text"})
    void neitherDoesOneWithEmbeddingsPerLayerExpertsOrStreams(String name) throws IOException {
        try (Gemma gemma = Gemma.open(Golden.of(name).folder())) {
            assertAllocatesNothing(gemma);
        }
    }

    @Test
    void neitherDoesOneThatAttendsToAnEncodedText() throws IOException {
        EncoderGolden golden = EncoderGolden.official();
        try (Gemma gemma = Gemma.open(golden.folder());
                Sequence sequence = new Sequence(gemma.model(), null, 512, 1024)) {
            sequence.encode(gemma.requireEncoder(), golden.encoderIds(), DecodeAllocationTest::goOn);
            assertAllocatesNothing(sequence);
        }
    }

    private static void assertAllocatesNothing(Gemma gemma) {
        try (Sequence sequence = new Sequence(gemma.model(), null, 512, 1024)) {
            assertAllocatesNothing(sequence);
        }
    }

    private static void assertAllocatesNothing(Sequence sequence) {
        sequence.append(2, 5, 7, 11);
        long here = Thread.currentThread().threadId();
        long driver = DriverThread.call(() -> Thread.currentThread().threadId());
        for (int i = 0; i < WARM_UP; i++) {
            step(sequence);
        }
        long before = THREADS.getThreadAllocatedBytes(driver) + THREADS.getThreadAllocatedBytes(here);
        for (int i = 0; i < STEPS; i++) {
            step(sequence);
        }
        long after = THREADS.getThreadAllocatedBytes(driver) + THREADS.getThreadAllocatedBytes(here);
        // What the measurement itself and a compilation that comes late may cost, spread over all steps
        assertThat((after - before) / STEPS).isLessThan(8);
    }

    private static void step(Sequence sequence) {
        if (sequence.length() == sequence.capacity()) {
            sequence.rewind(4);
        }
        sequence.evaluate(DecodeAllocationTest::goOn, null, null);
        sequence.append(Sampler.argmax(sequence.logits()));
    }

    private static boolean goOn() {
        return false;
    }
}
