package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void aQuotaIsTimePerPeriod() throws IOException {
        Files.writeString(folder.resolve("cpu.max"), "150000 100000\n");
        assertThat(Machine.cpuQuota(folder)).isEqualTo(1.5);
        Files.writeString(folder.resolve("cpu.max"), "max 100000\n");
        assertThat(Machine.cpuQuota(folder)).isZero();
    }

    @Test
    void oldControlGroupsAreReadToo() throws IOException {
        assertThat(Machine.cpuQuota(folder)).isZero();
        Files.createDirectory(folder.resolve("cpu"));
        Files.writeString(folder.resolve("cpu/cpu.cfs_quota_us"), "50000\n");
        Files.writeString(folder.resolve("cpu/cpu.cfs_period_us"), "100000\n");
        assertThat(Machine.cpuQuota(folder)).isEqualTo(0.5);
        Files.writeString(folder.resolve("cpu/cpu.cfs_quota_us"), "-1\n");
        assertThat(Machine.cpuQuota(folder)).isZero();
    }

    @Test
    void theProcessorIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("cpuinfo"), "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n");
        assertThat(Machine.processor(file)).isEqualTo("Some CPU @ 2 GHz");
        assertThat(Machine.processor(folder.resolve("nothing"))).isEqualTo("unknown");
    }
}
