package dev.lapidary.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// A tokenizer of 262 144 pieces. Texts are 1 MB, so operations per second are MB/s.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@BenchmarkMode(Mode.Throughput)
public class TokenizerBench {
    private static final int MEGABYTE = 1_000_000;

    private Path file;
    private Tokenizer tokenizer;
    private String prose;
    private String oneLetter;
    private int[] ids;

    @Setup
    public void setUp() throws IOException {
        SyntheticLanguage language = new SyntheticLanguage();
        file = Files.createTempFile("tokenizer", ".model");
        Files.write(file, language.model());
        tokenizer = Tokenizer.load(file);
        prose = language.text(MEGABYTE);
        oneLetter = "e".repeat(MEGABYTE);
        ids = tokenizer.encode(prose);
    }

    @TearDown
    public void tearDown() throws IOException {
        Files.delete(file);
    }

    @Benchmark
    public int[] encodeProse() {
        return tokenizer.encode(prose);
    }

    @Benchmark
    public int[] encodeOneLetter() {
        return tokenizer.encode(oneLetter);
    }

    @Benchmark
    public String decodeProse() {
        return tokenizer.decode(ids);
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    @OutputTimeUnit(TimeUnit.MILLISECONDS)
    public Tokenizer load() throws IOException {
        return Tokenizer.load(file);
    }
}
