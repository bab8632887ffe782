package dev.lapidary.kernels;

import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What loading a library asks of the machine and of the JVM. Tests answer in its place, so that every refusal can be
/// told on a healthy machine.
interface Host {
    @Nullable
    String property(String name);

    @Nullable
    String environment(String name);

    /// Sets a variable for native code of this process; Java and its child processes do not see it.
    void setEnvironment(String name, String value);

    /// `2.36`, or null where the C library is not glibc.
    @Nullable
    String glibcVersion();

    /// A file on the class path or in a module; null if there is none.
    @Nullable
    URL resource(String path);

    /// Where this machine keeps shared libraries.
    List<Path> systemFolders(Platform platform);

    /// Loads a library into our class loader; throws `UnsatisfiedLinkError` with the dynamic linker's words.
    void load(Path file);

    /// Whether the loaded libraries have this symbol.
    boolean hasSymbol(String name);
}
