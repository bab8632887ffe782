package dev.lapidary.kernels;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Operating system and instruction set, spelled as the folders of native libraries are: `linux-x86_64`.
enum Platform {
    LINUX_X86_64("linux-x86_64", 62, "x86_64-linux-gnu"),
    LINUX_ARM64("linux-arm64", 183, "aarch64-linux-gnu");

    private final String folder;
    private final int elfMachine;
    private final String debianTriplet;

    Platform(String folder, int elfMachine, String debianTriplet) {
        this.folder = folder;
        this.elfMachine = elfMachine;
        this.debianTriplet = debianTriplet;
    }

    /// From the system properties `os.name` and `os.arch`. Throws `UnsatisfiedLinkError` for what has no native
    /// libraries.
    static Platform of(String osName, String osArch) {
        if (osName.toLowerCase(Locale.ROOT).startsWith("linux")) {
            switch (osArch) {
                case "amd64", "x86_64" -> {
                    return LINUX_X86_64;
                }
                case "aarch64", "arm64" -> {
                    return LINUX_ARM64;
                }
                default -> {}
            }
        }
        throw new UnsatisfiedLinkError(
                "native libraries: got %s on %s, need Linux on amd64 or aarch64".formatted(osName, osArch));
    }

    /// `linux-x86_64`: the folder inside a jar, and the jar's Maven classifier.
    String folder() {
        return folder;
    }

    /// `e_machine` of an ELF file for this platform.
    int elfMachine() {
        return elfMachine;
    }

    /// Where Linux distributions keep shared libraries.
    List<Path> systemFolders() {
        return List.of(
                Path.of("/usr/local/lib"),
                Path.of("/usr/lib", debianTriplet),
                Path.of("/usr/lib64"),
                Path.of("/usr/lib"));
    }
}
