package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AvailableMemoryTest {
    private static final String MEMINFO = """
        MemTotal:       32768000 kB
        MemFree:         1000000 kB
        MemAvailable:   20000000 kB
        """;

    @TempDir
    private Path folder;

    @Test
    void theMachinesIsWhatItSaysIsAvailable() throws IOException {
        assertThat(bytes(MEMINFO, null, null, null)).isEqualTo(20_000_000L * 1024);
        assertThat(bytes(MEMINFO, "max", "5", "inactive_file 3")).isEqualTo(20_000_000L * 1024);
    }

    @Test
    void theContainersIsItsLimitWithoutWhatIsInUseAndCannotBeDropped() throws IOException {
        String stat = "anon 700\ninactive_file 100\nactive_file 30\nfile 5000\nfile_mapped 77";
        assertThat(bytes(MEMINFO, "1000", "900", stat)).isEqualTo(1000 - 900 + 130);
        assertThat(bytes(MEMINFO, "1000", "900", null)).isEqualTo(100);
        assertThat(bytes(null, "1000", "900", null)).isEqualTo(100);
    }

    @Test
    void aContainerBeyondItsLimitHasNothing() throws IOException {
        assertThat(bytes(MEMINFO, "1000", "2000", null)).isZero();
    }

    @Test
    void theSmallerOfBothCounts() throws IOException {
        assertThat(bytes("MemAvailable: 3 kB", "9000", "0", null)).isEqualTo(3072);
        assertThat(bytes("MemAvailable: 30 kB", "9000", "0", null)).isEqualTo(9000);
    }

    @Test
    void whereNeitherSaysThereIsNoLimit() throws IOException {
        assertThat(bytes(null, null, null, null)).isEqualTo(Long.MAX_VALUE);
        assertThat(bytes("MemTotal: 5 kB", null, null, null)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aSessionThatCannotFitIsRefusedWithThePlan() {
        MemoryPlan plan = new MemoryPlan(1 << 20, 0, Long.MAX_VALUE / 2, 3 << 19);
        assertThatThrownBy(() -> AvailableMemory.require(plan, Capacity.tokens(77)))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessageMatching("session of 77 tokens: got \\d+\\.\\d MiB available, need "
                        + "\\Qweights 1.0 MiB (mapped), KV cache 4398046511104.0 MiB, workspace 1.5 MiB\\E");
        AvailableMemory.require(
                new MemoryPlan(Long.MAX_VALUE / 4, Long.MAX_VALUE / 4, 1, Long.MAX_VALUE / 4), Capacity.tokens(77));
    }

    @Test
    void aPlanAddsUp() {
        MemoryPlan plan = new MemoryPlan(5, 70, 900, 8000);
        assertThat(plan.weightsBytes()).isEqualTo(75);
        assertThat(plan.totalBytes()).isEqualTo(8975);
    }

    @Test
    void aPlanSaysWhereItsWeightsAre() {
        assertThat(new MemoryPlan(1 << 20, 0, 0, 0).toString()).startsWith("weights 1.0 MiB (mapped), KV");
        assertThat(new MemoryPlan(0, 1 << 20, 0, 0).toString()).startsWith("weights 1.0 MiB (converted), KV");
        assertThat(new MemoryPlan(3 << 20, 1 << 20, 0, 0).toString())
                .startsWith("weights 3.0 MiB (mapped) and 1.0 MiB (converted), KV");
    }

    /// Null for a file that is not there.
    private long bytes(String meminfo, String max, String current, String stat) throws IOException {
        Path cgroup = Files.createDirectories(folder.resolve("cgroup"));
        write(folder.resolve("meminfo"), meminfo);
        write(cgroup.resolve("memory.max"), max);
        write(cgroup.resolve("memory.current"), current);
        write(cgroup.resolve("memory.stat"), stat);
        return AvailableMemory.bytes(folder.resolve("meminfo"), cgroup);
    }

    private static void write(Path file, String content) throws IOException {
        if (content == null) {
            Files.deleteIfExists(file);
        } else {
            Files.writeString(file, content);
        }
    }
}
