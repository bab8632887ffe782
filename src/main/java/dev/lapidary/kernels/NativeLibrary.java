package dev.lapidary.kernels;

import dev.lapidary.bindings.onednn.Dnnl;
import dev.lapidary.bindings.shim.GemmaKernels;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.URL;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A native library of this process, for as long as the process lives. The one place that may load code or believe an
/// address: everything the JDK calls restricted is here.
///
/// @param name what people call it: `oneDNN`
/// @param path the file it was loaded from
@SuppressWarnings("restricted")
public record NativeLibrary(String name, Path path) {
    private static final Host HOST = new ThisProcess();
    private static final Map<String, NativeLibrary> LOADED = new LinkedHashMap<>();

    /// The shim, after the OpenMP runtime it works on. Throws `LinkageError` that tells each place tried, or what
    /// is wrong with the file found.
    public static NativeLibrary kernels() {
        return guarded(() -> once(Library.SHIM, () -> {
            once(Library.GOMP, () -> {
                NativeEnvironment.beforeOpenMp(HOST);
                return LibraryLoader.load(HOST, Library.GOMP);
            });
            Path path = LibraryLoader.load(HOST, Library.SHIM);
            requireSymbols(HOST, path, List.of("gemma_kernels_abi"));
            requireAbi(path, GemmaKernels.gemma_kernels_abi(), GemmaKernels.GEMMA_KERNELS_ABI());
            requireSymbols(HOST, path, symbolsOf(GemmaKernels.class));
            limitIsa(HOST.property("lapidary.maxIsa"));
            return path;
        }));
    }

    /// oneDNN, after the OpenMP runtime. Throws as [#kernels].
    public static NativeLibrary oneDnn() {
        kernels();
        return guarded(() -> once(Library.DNNL, () -> {
            Path path = LibraryLoader.load(HOST, Library.DNNL);
            requireSymbols(HOST, path, symbolsOf(Dnnl.class));
            return path;
        }));
    }

    /// OpenBLAS or MKL. Throws as [#kernels].
    static NativeLibrary cblas(Library library) {
        kernels();
        return guarded(() -> once(library, () -> {
            NativeEnvironment.beforeCblas(HOST);
            return LibraryLoader.load(HOST, library);
        }));
    }

    /// The CBLAS library in `file`. Throws as [#kernels].
    static NativeLibrary cblas(Path file) {
        kernels();
        Path path = file.toAbsolutePath();
        return guarded(() -> once(path.toString(), () -> {
            NativeEnvironment.beforeCblas(HOST);
            return LibraryLoader.load(HOST, "cblas:" + path, path);
        }));
    }

    /// Every library loaded so far, in the order of loading.
    public static List<NativeLibrary> loaded() {
        synchronized (LOADED) {
            return List.copyOf(LOADED.values());
        }
    }

    /// A symbol of this library, whichever others have it too; null if it has none of that name.
    @Nullable
    MemorySegment symbol(String name) {
        return SymbolLookup.libraryLookup(path, Arena.global()).find(name).orElse(null);
    }

    /// As [#symbol]. Throws `LinkageError` if there is none.
    MemorySegment requireSymbol(String name) {
        MemorySegment address = symbol(name);
        if (address == null) {
            throw missing(path, List.of(name));
        }
        return address;
    }

    /// The `int` variable of that name; null if there is none.
    @Nullable
    MemorySegment intVariable(String name) {
        MemorySegment address = symbol(name);
        return address == null ? null : address.reinterpret(ValueLayout.JAVA_INT.byteSize());
    }

    /// Memory that native code gave, as a segment of `bytes` that `arena` owns and `free` gives back.
    static MemorySegment owned(MemorySegment memory, long bytes, Arena arena, Consumer<MemorySegment> free) {
        return memory.reinterpret(bytes, arena, free);
    }

    static void requireSymbols(Host host, Path path, List<String> names) {
        List<String> missing =
                names.stream().filter(name -> !host.hasSymbol(name)).toList();
        if (!missing.isEmpty()) {
            throw missing(path, missing);
        }
    }

    static void requireAbi(Path path, int found, int need) {
        if (found != need) {
            throw new UnsatisfiedLinkError(
                    "%s: got ABI %d, need %d; rebuild it with ./build-native.sh".formatted(path, found, need));
        }
    }

    /// Keeps the shim to the instructions of a lesser CPU, to test or to compare.
    private static void limitIsa(@Nullable String name) {
        if (name == null) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            if (GemmaKernels.gemma_limit_isa(arena.allocateFrom(name)) != 0) {
                throw new IllegalArgumentException(
                        "lapidary.maxIsa: got %s, need portable, avx2, avx2-vnni, avx512, avx512-vnni, avx512-bf16 or avx512-amx"
                                .formatted(name));
            }
        }
    }

    /// The functions that a class of jextract binds: it links each when it is first called, which is too late to
    /// find one missing.
    static List<String> symbolsOf(Class<?> bindings) {
        String suffix = "$address";
        return Arrays.stream(bindings.getMethods())
                .map(java.lang.reflect.Method::getName)
                .filter(name -> name.endsWith(suffix))
                .map(name -> name.substring(0, name.length() - suffix.length()))
                .sorted()
                .toList();
    }

    /// What to tell whose JVM denies us native code.
    static LinkageError accessDenied(Module module, IllegalCallerException cause) {
        String flag = module.isNamed() ? module.getName() : "ALL-UNNAMED";
        return new LinkageError(
                "native access is denied to %s: run java with --enable-native-access=%s".formatted(module, flag),
                cause);
    }

    private static UnsatisfiedLinkError missing(Path path, List<String> names) {
        return new UnsatisfiedLinkError(
                "%s: lacks %s; it is another version than this one needs".formatted(path, String.join(", ", names)));
    }

    private static NativeLibrary once(Library library, Supplier<Path> load) {
        return once(library.title(), load);
    }

    private static NativeLibrary once(String name, Supplier<Path> load) {
        synchronized (LOADED) {
            NativeLibrary library = LOADED.get(name);
            if (library == null) {
                library = new NativeLibrary(name, load.get());
                LOADED.put(name, library);
            }
            return library;
        }
    }

    private static NativeLibrary guarded(Supplier<NativeLibrary> load) {
        try {
            return load.get();
        } catch (IllegalCallerException e) {
            throw accessDenied(NativeLibrary.class.getModule(), e);
        }
    }

    private static final class ThisProcess implements Host {
        @Override
        public @Nullable String property(String name) {
            return System.getProperty(name);
        }

        @Override
        public @Nullable String environment(String name) {
            return System.getenv(name);
        }

        @Override
        public void setEnvironment(String name, String value) {
            MethodHandle setenv = libc(
                    "setenv",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
            try (Arena arena = Arena.ofConfined()) {
                int status = (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0);
                if (status != 0) {
                    throw new IllegalStateException("setenv %s=%s: got status %d".formatted(name, value, status));
                }
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable t) {
                throw new AssertionError("setenv", t);
            }
        }

        @Override
        public @Nullable String glibcVersion() {
            if (Linker.nativeLinker()
                    .defaultLookup()
                    .find("gnu_get_libc_version")
                    .isEmpty()) {
                return null;
            }
            MethodHandle version = libc("gnu_get_libc_version", FunctionDescriptor.of(ValueLayout.ADDRESS));
            try {
                MemorySegment text = (MemorySegment) version.invokeExact();
                return text.reinterpret(Long.MAX_VALUE).getString(0);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable t) {
                throw new AssertionError("gnu_get_libc_version", t);
            }
        }

        @Override
        public @Nullable URL resource(String path) {
            return NativeLibrary.class.getClassLoader().getResource(path);
        }

        /// First the folders of `LD_LIBRARY_PATH`, which the JVM puts into `java.library.path`.
        @Override
        public List<Path> systemFolders(Platform platform) {
            String path = System.getProperty("java.library.path", "");
            return Stream.concat(
                            Arrays.stream(path.split(File.pathSeparator, -1))
                                    .map(Path::of)
                                    .filter(Path::isAbsolute),
                            platform.systemFolders().stream())
                    .distinct()
                    .toList();
        }

        @Override
        public void load(Path file) {
            System.load(file.toString());
        }

        @Override
        public boolean hasSymbol(String name) {
            return SymbolLookup.loaderLookup().find(name).isPresent();
        }

        private static MethodHandle libc(String name, FunctionDescriptor descriptor) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
        }
    }
}
