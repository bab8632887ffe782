package dev.lapidary.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The machine, or the part of it that the container gives.
///
/// @param platform     operating system and instruction set
/// @param processor    name of the CPU
/// @param processors   how many the JVM may use
/// @param cpuQuota     processors' worth of time that the container may use; 0 for no limit
/// @param maxHeapBytes most bytes of Java objects
/// @param java         version and maker of the JDK
record Machine(String platform, String processor, int processors, double cpuQuota, long maxHeapBytes, String java) {
    static Machine current() {
        Runtime runtime = Runtime.getRuntime();
        return new Machine(
                "%s %s, %s".formatted(property("os.name"), property("os.version"), property("os.arch")),
                processor(Path.of("/proc/cpuinfo")),
                runtime.availableProcessors(),
                cpuQuota(Path.of("/sys/fs/cgroup")),
                runtime.maxMemory(),
                "%s (%s), %s".formatted(Runtime.version(), property("java.vendor"), property("java.home")));
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("platform", platform);
        json.addProperty("processor", processor);
        json.addProperty("processors", processors);
        if (cpuQuota > 0) {
            json.addProperty("cpu_quota", cpuQuota);
        }
        json.addProperty("max_heap_bytes", maxHeapBytes);
        json.addProperty("java", java);
        return json;
    }

    /// The name in the kernel's list of processors.
    static String processor(Path cpuInfo) {
        return lines(cpuInfo).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }

    /// Time per period of a control group, version 2 (`cpu.max`: `200000 100000`) or 1; 0 for no limit.
    static double cpuQuota(Path group) {
        List<String> max = lines(group.resolve("cpu.max"));
        if (!max.isEmpty()) {
            List<String> quotaAndPeriod = List.of(max.getFirst().split(" ", 2));
            return quotaAndPeriod.getFirst().equals("max")
                    ? 0
                    : Double.parseDouble(quotaAndPeriod.getFirst()) / Double.parseDouble(quotaAndPeriod.getLast());
        }
        List<String> quota = lines(group.resolve("cpu/cpu.cfs_quota_us"));
        List<String> period = lines(group.resolve("cpu/cpu.cfs_period_us"));
        return quota.isEmpty() || period.isEmpty() || quota.getFirst().startsWith("-")
                ? 0
                : Double.parseDouble(quota.getFirst()) / Double.parseDouble(period.getFirst());
    }

    private static String property(String name) {
        return System.getProperty(name, "unknown");
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
