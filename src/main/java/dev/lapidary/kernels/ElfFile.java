package dev.lapidary.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The first bytes of a shared library: enough to say what it was built for, which the dynamic linker says badly.
final class ElfFile {
    private static final int MAGIC = 0x7f454c46; // 0x7f "ELF"
    private static final int CLASS = 4; // e_ident[EI_CLASS]: 1 = 32 bits, 2 = 64 bits
    private static final int MACHINE = 18; // e_machine, 16 bits, little-endian on every platform of ours
    private static final Map<Integer, String> MACHINES =
            Map.of(3, "x86", 40, "arm", 62, "x86_64", 183, "arm64", 243, "riscv");

    private ElfFile() {}

    /// Why `file` cannot be a library of `platform`; null if it can.
    static @Nullable String refusal(Path file, Platform platform) throws IOException {
        byte[] header;
        try (InputStream in = Files.newInputStream(file)) {
            header = in.readNBytes(MACHINE + Short.BYTES);
        }
        ByteBuffer bytes = ByteBuffer.wrap(header);
        if (header.length < MACHINE + Short.BYTES || bytes.getInt(0) != MAGIC) {
            return "not an ELF shared library";
        }
        if (bytes.get(CLASS) != 2) {
            return "built for 32 bits, need " + platform.folder();
        }
        int machine = bytes.order(ByteOrder.LITTLE_ENDIAN).getShort(MACHINE) & 0xffff;
        return machine == platform.elfMachine()
                ? null
                : "built for %s, need %s"
                        .formatted(MACHINES.getOrDefault(machine, "machine " + machine), platform.folder());
    }
}
