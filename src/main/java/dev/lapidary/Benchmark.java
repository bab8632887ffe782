package dev.lapidary;

import dev.lapidary.kernels.CeilingProbe;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.NativeKernels;
import dev.lapidary.kernels.PackedMatrix;
import dev.lapidary.kernels.TimedKernels;
import dev.lapidary.kernels.WeightMatrix;
import dev.lapidary.model.Cost;
import dev.lapidary.vision.VisionModel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToLongFunction;

/// Times work on a model and says what the machine could do at most. For one thread at a time.
public final class Benchmark implements AutoCloseable {
    /// Read to measure the bandwidth: several times what caches hold, and soon touched.
    private static final long MOST_PROBE_BYTES = 1L << 30;

    private static final double NANOS = 1e9;
    private static final long SEED = 1;

    private final Gemma gemma;
    private final CeilingProbe probe;

    private Benchmark(Gemma gemma, CeilingProbe probe) {
        this.gemma = gemma;
        this.probe = probe;
    }

    /// A benchmark of a model, which stays the caller's to close, after this.
    ///
    /// Takes 1 GiB of memory until it is closed, or a quarter of what is left where that is less.
    @SuppressWarnings("MustBeClosedChecker") // the probe is the benchmark's
    public static Benchmark of(Gemma gemma) {
        gemma.requireOpen();
        if (gemma.hasEncoder()) {
            throw new IllegalArgumentException(
                    "benchmark: got a model with an encoder, need one whose tokens attend to themselves alone");
        }
        long bytes = Math.min(MOST_PROBE_BYTES, AvailableMemory.bytes() / 4);
        return new Benchmark(gemma, DriverThread.call(() -> gemma.kernels().ceilingProbe(bytes)));
    }

    /// Measures the machine as it is now, in about half a second, with the model's threads and backend.
    public MachineLimits limits() {
        return MachineLimits.of(DriverThread.call(probe::measure));
    }

    /// What the model's matrix products over many rows multiply.
    public Arithmetic arithmetic() {
        NativeKernels kernels = gemma.kernels();
        return switch (gemma.model().layerWeights()) {
            case Matrix dense when dense.type() == DataType.F32 -> Arithmetic.F32;
            case Matrix dense
            when dense.type() == DataType.BF16 -> kernels.multipliesBf16() ? Arithmetic.BF16 : Arithmetic.F32;
            case WeightMatrix _ when kernels.multipliesTiles() -> Arithmetic.BF16;
            case PackedMatrix _ when kernels.multipliesInt8() -> Arithmetic.INT8;
            default -> Arithmetic.F32;
        };
    }

    /// How the layers' weights are held: `BF16`; and the head's if that differs: `Q4_0 (head Q8_0)`.
    public String weightFormat() {
        String layers = gemma.model().layerWeights().format();
        String head = gemma.model().headWeights().format();
        return layers.equals(head) ? layers : "%s (head %s)".formatted(layers, head);
    }

    /// What a workload cannot do without.
    public Work work(Workload workload) {
        Cost cost = switch (workload.phase()) {
            case IMAGE -> gemma.requireVision().cost();
            case PREFILL -> Cost.ofPrefill(gemma.model(), workload.tokens());
            case DECODE, BATCH ->
                Cost.ofDecode(gemma.model(), workload.sequences(), workload.depth(), workload.tokens());
        };
        return new Work(cost.operations(), cost.bytes());
    }

    /// Runs a workload several times.
    ///
    /// The tokens before those that are decoded are not computed: their keys and values are stand-ins.
    ///
    /// @param warmUp      runs before those that count
    /// @param repetitions runs that count
    /// @param onRun       called after each run
    /// @return seconds of each run that counts, in their order
    /// @throws IllegalArgumentException if the workload does not fit the model, or a number is out of range
    /// @throws IllegalStateException    for an image, if the model has no vision tower
    /// @throws OutOfMemoryError         if its keys and values do not fit the memory that is available
    /// @throws CancellationException    after an interrupt
    public double[] seconds(Workload workload, int warmUp, int repetitions, Runnable onRun) {
        requireRuns(warmUp, repetitions);
        double[] seconds = new double[repetitions];
        try (Runner runner = runner(workload)) {
            for (int run = -warmUp; run < repetitions; run++) {
                seconds[Math.max(0, run)] = runner.run() / NANOS;
                onRun.run();
            }
        }
        return seconds;
    }

    /// Where the time of a workload goes, on the low-level step: no session, no sampling.
    ///
    /// @param warmUp      runs before those that count
    /// @param repetitions runs that count
    /// @throws IllegalArgumentException if the workload does not fit the model, or a number is out of range
    /// @throws OutOfMemoryError         if its keys and values do not fit the memory that is available
    public Profile profile(Workload workload, int warmUp, int repetitions) {
        requireRuns(warmUp, repetitions);
        TimedKernels timed = new TimedKernels(gemma.kernels());
        long nanos = 0;
        requirePhase(workload);
        try (Runner runner = workload.phase() == Workload.Phase.IMAGE
                ? new ImageRunner(gemma, gemma.requireVision().with(timed))
                : new Passes(gemma, workload, gemma.model().decoder(timed))) {
            for (int run = 0; run < warmUp; run++) {
                runner.run();
            }
            timed.reset();
            for (int run = 0; run < repetitions; run++) {
                nanos += runner.run();
            }
        }
        List<Profile.Part> parts = new ArrayList<>();
        for (TimedKernels.OperationTime one : timed.times()) {
            parts.add(new Profile.Part(
                    one.operation(), (double) one.calls() / repetitions, one.nanos() / NANOS / repetitions));
        }
        return new Profile(nanos / NANOS / repetitions, parts);
    }

    /// Gives back the memory that was read.
    @Override
    public void close() {
        DriverThread.run(probe::close);
    }

    private Runner runner(Workload workload) {
        requirePhase(workload);
        if (workload.phase() == Workload.Phase.IMAGE) {
            return new ImageRunner(gemma, gemma.requireVision());
        }
        if (workload.phase() == Workload.Phase.BATCH || gemma.embedsTexts()) {
            return new Passes(gemma, workload, gemma.model().decoder());
        }
        Session session = gemma.newSession(Capacity.tokens(workload.capacity()));
        return new InSession(
                session, workload.phase() == Workload.Phase.PREFILL ? prefill(workload) : decode(workload));
    }

    private void requirePhase(Workload workload) {
        if (gemma.embedsTexts() && workload.phase() != Workload.Phase.PREFILL) {
            throw new IllegalArgumentException(
                    "%s: got a model that embeds texts, need one that predicts them".formatted(workload.name()));
        }
    }

    private ToLongFunction<Session> prefill(Workload workload) {
        int[] prompt = randomIds(workload.tokens());
        return session -> {
            session.rewind(0);
            long start = System.nanoTime();
            session.append(prompt);
            return System.nanoTime() - start;
        };
    }

    private ToLongFunction<Session> decode(Workload workload) {
        int[] before = randomIds(workload.depth());
        Sampling greedy = Sampling.greedy();
        return session -> {
            session.rewind(0);
            session.assume(before);
            session.next(greedy); // computes the last token before
            long start = System.nanoTime();
            for (int i = 0; i < workload.tokens(); i++) {
                session.next(greedy);
            }
            return System.nanoTime() - start;
        };
    }

    private static void requireRuns(int warmUp, int repetitions) {
        if (repetitions < 1 || warmUp < 0) {
            throw new IllegalArgumentException(
                    "repetitions, warmUp: got %d and %d, need at least 1 and 0".formatted(repetitions, warmUp));
        }
    }

    private int[] randomIds(int count) {
        return new SplittableRandom(SEED).ints(count, 0, gemma.vocab()).toArray();
    }

    /// What a workload needs, in an arithmetic that counts a product and a sum as two operations.
    ///
    /// @param operations of its matrix products, attention's included
    /// @param bytes      of weights, once for each pass over them, and of keys and values
    public record Work(double operations, double bytes) {}

    interface Runner extends AutoCloseable {
        /// Runs once, in that many nanoseconds.
        long run();

        @Override
        void close();
    }

    /// One image through the tower.
    private static final class ImageRunner implements Runner {
        private final VisionModel tower;
        private final float[] pixels;

        ImageRunner(Gemma gemma, VisionModel tower) {
            gemma.requireOpen();
            this.tower = tower;
            pixels = new float[tower.config().imageElements()];
            SplittableRandom random = new SplittableRandom(SEED);
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) random.nextDouble(-1, 1);
            }
        }

        @Override
        public long run() {
            AtomicBoolean interrupted = new AtomicBoolean();
            long start = System.nanoTime();
            DriverThread.run(() -> tower.softTokens(pixels, interrupted::get), () -> interrupted.set(true));
            return System.nanoTime() - start;
        }

        @Override
        public void close() {}
    }

    /// Work on a session, timed by `timed`.
    private record InSession(Session session, ToLongFunction<Session> timed) implements Runner {
        @Override
        public long run() {
            return timed.applyAsLong(session);
        }

        @Override
        public void close() {
            session.close();
        }
    }
}
