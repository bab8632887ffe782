package dev.lapidary.kernels;

import dev.lapidary.bindings.openblas.fill_text_function;
import dev.lapidary.bindings.openblas.number_function;
import dev.lapidary.bindings.openblas.set_callback_function;
import dev.lapidary.bindings.openblas.set_threads_function;
import dev.lapidary.bindings.openblas.set_threads_long_function;
import dev.lapidary.bindings.openblas.text_function;
import dev.lapidary.bindings.openblas.text_of_number_function;
import dev.lapidary.bindings.shim.GemmaKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What CBLAS leaves to each library: its version, and how it is told the number of threads.
sealed interface CblasVendor {
    String version();

    String core();

    /// Whose threads compute.
    String threading();

    void threads(int count);

    /// Told by the functions that only this vendor's library has.
    static CblasVendor of(NativeLibrary library) {
        if (library.symbol("openblas_set_num_threads") != null) {
            return OpenBlas.of(library);
        }
        if (library.symbol("MKL_Set_Num_Threads") != null) {
            return new Mkl(library);
        }
        if (library.symbol("bli_thread_set_num_threads") != null) {
            return Blis.of(library);
        }
        return new Unknown();
    }

    private static String text(NativeLibrary library, String function) {
        return text_function
                .invoke(library.requireSymbol(function))
                .getString(0)
                .strip();
    }

    private static void require32BitIntegers(NativeLibrary library, boolean has) {
        if (!has) {
            throw new UnsatisfiedLinkError(
                    "%s: built for 64-bit integers (ILP64), need 32-bit ones (LP64)".formatted(library.path()));
        }
    }

    /// OpenBLAS. With threads of its own it is made to hand its jobs to the OpenMP team, if it is new enough.
    ///
    /// @param threadCount what `openblas_set_num_threads` sets; null where that function itself has to be called
    /// @param maxThreads  the most it was built for: its tables have no room for more
    record OpenBlas(
            NativeLibrary library, String version, @Nullable MemorySegment threadCount, int maxThreads)
            implements CblasVendor {
        private static final Pattern MAX_THREADS = Pattern.compile("MAX_THREADS=(\\d+)");
        private static final int OWN_POOL = 1; // openblas_get_parallel: 0 sequential, 1 its own threads, 2 OpenMP
        private static final int OPENMP = 2;

        static OpenBlas of(NativeLibrary library) {
            String config = text(library, "openblas_get_config");
            require32BitIntegers(library, !config.contains("USE64BITINT"));
            MemorySegment setCallback = library.symbol("openblas_set_threads_callback_function");
            MemorySegment threadCount = library.intVariable("blas_cpu_number");
            Matcher maxThreads = MAX_THREADS.matcher(config);
            if (setCallback == null || threadCount == null || parallel(library) != OWN_POOL || !maxThreads.find()) {
                return new OpenBlas(library, config, null, Integer.MAX_VALUE);
            }
            set_callback_function.invoke(setCallback, GemmaKernels.gemma_openblas_threads$address());
            return new OpenBlas(library, config, threadCount, Integer.parseInt(maxThreads.group(1)));
        }

        private static int parallel(NativeLibrary library) {
            return number_function.invoke(library.requireSymbol("openblas_get_parallel"));
        }

        @Override
        public String core() {
            return text(library, "openblas_get_corename");
        }

        @Override
        public String threading() {
            if (threadCount != null) {
                return "the OpenMP team";
            }
            return switch (parallel(library)) {
                case OWN_POOL -> "its own pool";
                case OPENMP -> "its OpenMP runtime";
                default -> "none";
            };
        }

        @Override
        public void threads(int count) {
            if (threadCount != null) {
                // openblas_set_num_threads would also start a pool, which the callback leaves without work
                threadCount.set(ValueLayout.JAVA_INT, 0, Math.min(count, maxThreads));
            } else {
                set_threads_function.invoke(library.requireSymbol("openblas_set_num_threads"), count);
            }
        }
    }

    record Mkl(NativeLibrary library) implements CblasVendor {
        private static final int VERSION_BYTES = 256;

        @Override
        public String version() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment text = arena.allocate(VERSION_BYTES);
                fill_text_function.invoke(library.requireSymbol("MKL_Get_Version_String"), text, VERSION_BYTES - 1);
                return text.getString(0).strip();
            }
        }

        @Override
        public String core() {
            return "chosen by MKL";
        }

        @Override
        public String threading() {
            return "the OpenMP team";
        }

        @Override
        public void threads(int count) {
            set_threads_function.invoke(library.requireSymbol("MKL_Set_Num_Threads"), count);
        }
    }

    record Blis(NativeLibrary library) implements CblasVendor {
        static Blis of(NativeLibrary library) {
            require32BitIntegers(
                    library, number_function.invoke(library.requireSymbol("bli_info_get_blas_int_type_size")) == 32);
            return new Blis(library);
        }

        @Override
        public String version() {
            return "BLIS " + text(library, "bli_info_get_version_str");
        }

        @Override
        public String core() {
            int id = number_function.invoke(library.requireSymbol("bli_arch_query_id"));
            return text_of_number_function
                    .invoke(library.requireSymbol("bli_arch_string"), id)
                    .getString(0);
        }

        @Override
        public String threading() {
            return "as it was built";
        }

        @Override
        public void threads(int count) {
            set_threads_long_function.invoke(library.requireSymbol("bli_thread_set_num_threads"), count);
        }
    }

    record Unknown() implements CblasVendor {
        @Override
        public String version() {
            return "unknown";
        }

        @Override
        public String core() {
            return "unknown";
        }

        @Override
        public String threading() {
            return "its own, the number cannot be set";
        }

        @Override
        public void threads(int count) {}
    }
}
