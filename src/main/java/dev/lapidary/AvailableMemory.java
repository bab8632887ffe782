package dev.lapidary;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Memory that the machine or the container still has, so that a session that cannot fit is refused with numbers
/// instead of being ended by the kernel later.
final class AvailableMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final Path CGROUP = Path.of("/sys/fs/cgroup");

    private AvailableMemory() {}

    /// @throws OutOfMemoryError if the session's own part of the plan is more than what is available
    static void require(MemoryPlan plan, Capacity capacity) {
        require("session of %d tokens".formatted(capacity.tokens()), plan.kvCacheBytes(), plan.toString());
    }

    /// @param need says what for
    /// @throws OutOfMemoryError if `bytes` are more than what is available
    static void require(String what, long bytes, String need) {
        long available = bytes();
        if (bytes > available) {
            throw new OutOfMemoryError(
                    "%s: got %s available, need %s".formatted(what, MemoryPlan.mebibytes(available), need));
        }
    }

    /// What this process may still take; `Long.MAX_VALUE` where nothing says so.
    static long bytes() {
        return bytes(MEMINFO, CGROUP);
    }

    /// The smaller of what the machine and what the control group have left; `Long.MAX_VALUE` where neither says.
    static long bytes(Path meminfo, Path cgroup) {
        return Math.min(machineBytes(meminfo), groupBytes(cgroup));
    }

    private static long machineBytes(Path meminfo) {
        for (String line : lines(meminfo)) {
            if (line.startsWith("MemAvailable:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        return Long.MAX_VALUE;
    }

    /// Limit less use, where mapped file pages that can be dropped do not count as use.
    private static long groupBytes(Path cgroup) {
        List<String> limit = lines(cgroup.resolve("memory.max"));
        List<String> use = lines(cgroup.resolve("memory.current"));
        if (limit.isEmpty() || use.isEmpty() || limit.getFirst().equals("max")) {
            return Long.MAX_VALUE;
        }
        long droppable = 0;
        for (String line : lines(cgroup.resolve("memory.stat"))) {
            if (line.startsWith("inactive_file ") || line.startsWith("active_file ")) {
                droppable += Long.parseLong(line.substring(line.indexOf(' ') + 1));
            }
        }
        return Math.max(0, Long.parseLong(limit.getFirst()) - Long.parseLong(use.getFirst()) + droppable);
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
