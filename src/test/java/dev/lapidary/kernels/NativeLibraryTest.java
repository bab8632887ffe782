package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.bindings.shim.GemmaKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    private static final Path PATH = Path.of("/lib/libgemma_kernels.so");

    @TempDir
    private Path folder;

    @Test
    void loadsEachLibraryOnceAndTheRuntimeFirst() {
        NativeLibrary kernels = NativeLibrary.kernels();
        NativeLibrary oneDnn = NativeLibrary.oneDnn();

        assertThat(NativeLibrary.kernels()).isSameAs(kernels);
        assertThat(NativeLibrary.loaded())
                .startsWith(NativeLibrary.loaded().getFirst(), kernels)
                .contains(oneDnn);
        assertThat(NativeLibrary.loaded().getFirst().name()).isEqualTo("GNU OpenMP");
        assertThat(NativeLibrary.loaded())
                .allSatisfy(library -> assertThat(library.path()).exists());
    }

    @Test
    void knowsEverySymbolOfTheShim() throws IOException {
        String header = Files.readString(Path.of("native/gemma_kernels.h"));

        assertThat(NativeLibrary.symbolsOf(GemmaKernels.class))
                .contains("gemma_gemv_bf16", "gemma_isa")
                .allSatisfy(symbol -> assertThat(header).contains(symbol + "("));
    }

    @Test
    void namesTheLibraryAndTheSymbolsItLacks() {
        FakeHost host = new FakeHost(folder);
        host.symbols.add("gemma_isa");

        assertThatThrownBy(() -> NativeLibrary.requireSymbols(
                        host, PATH, List.of("gemma_add_f32", "gemma_isa", "gemma_zero_f32")))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessage("/lib/libgemma_kernels.so: lacks gemma_add_f32, gemma_zero_f32;"
                        + " it is another version than this one needs");
    }

    @Test
    void namesBothAbiNumbers() {
        NativeLibrary.requireAbi(PATH, 7, 7);

        assertThatThrownBy(() -> NativeLibrary.requireAbi(PATH, 6, 7))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessage("/lib/libgemma_kernels.so: got ABI 6, need 7; rebuild it with ./build-native.sh");
    }

    @Test
    void aCblasLibraryWithoutSgemmIsRefused() {
        NativeLibrary runtime = NativeLibrary.cblas(NativeLibrary.kernels().path());

        assertThatThrownBy(() -> new Cblas("cblas", runtime))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessageContaining("libgemma_kernels.so: lacks cblas_sgemm;");
    }

    @Test
    void printsTheFlagWhereNativeAccessIsDenied() throws Exception {
        Jvm jvm = new Jvm("--illegal-native-access=deny", "-D%s=%s".formatted(LibraryCache.PROPERTY, folder));

        assertThat(jvm.exit()).isEqualTo(3);
        assertThat(jvm.output())
                .contains("native access is denied to unnamed module")
                .contains("run java with --enable-native-access=ALL-UNNAMED");
    }

    @Test
    void namesTheModuleWhereThereIsOne() {
        IllegalCallerException denied = new IllegalCallerException("denied");

        assertThat(NativeLibrary.accessDenied(List.class.getModule(), denied))
                .hasMessage(
                        "native access is denied to module java.base: run java with --enable-native-access=java.base")
                .hasCause(denied);
    }

    /// Both find the cache empty and unpack 93 MB into it.
    @Test
    void twoProcessesMayStartTogether() throws Exception {
        String[] options = {"--enable-native-access=ALL-UNNAMED", "-D%s=%s".formatted(LibraryCache.PROPERTY, folder)};
        List<Jvm> jvms = List.of(new Jvm(options), new Jvm(options));

        for (Jvm jvm : jvms) {
            assertThat(jvm.exit()).as(jvm.output()).isZero();
            assertThat(jvm.output()).contains("onednn", folder.toString());
        }
        try (Stream<Path> files = Files.walk(folder)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("libgomp.so.1", "libdnnl.so.3");
        }
    }

    @Test
    void aPropertyLimitsTheInstructionsOfTheShim() throws Exception {
        String access = "--enable-native-access=ALL-UNNAMED";

        assertThat(new Jvm(access, "-Dlapidary.maxIsa=portable").output()).contains("shim: portable");
        Jvm misspelt = new Jvm(access, "-Dlapidary.maxIsa=avx3");
        assertThat(misspelt.exit()).isEqualTo(1);
        assertThat(misspelt.output())
                .contains("lapidary.maxIsa: got avx3, need portable, avx2, avx2-vnni, avx512, avx512-vnni, avx512-bf16"
                        + " or avx512-amx");
    }

    @Test
    void aUsersOwnSettingsOfTheRuntimesStay() {
        FakeHost host = new FakeHost(folder);
        host.environment.put("GOMP_SPINCOUNT", "7");
        host.environment.put("MKL_THREADING_LAYER", "INTEL");
        NativeEnvironment.beforeOpenMp(host);
        NativeEnvironment.beforeCblas(host);

        assertThat(host.environment)
                .containsEntry("GOMP_SPINCOUNT", "7")
                .containsEntry("MKL_THREADING_LAYER", "INTEL")
                .containsEntry("OPENBLAS_NUM_THREADS", "1");
    }

    @Test
    void aWaitPolicyDecidesTheSpinning() {
        FakeHost host = new FakeHost(folder);
        host.environment.put("OMP_WAIT_POLICY", "active");
        NativeEnvironment.beforeOpenMp(host);
        assertThat(host.environment).doesNotContainKey("GOMP_SPINCOUNT");

        host.environment.clear();
        NativeEnvironment.beforeOpenMp(host);
        assertThat(host.environment).containsEntry("GOMP_SPINCOUNT", NativeEnvironment.SPIN_COUNT);
    }

    /// Opens the default backend in a JVM of its own and prints what it is, or what is wrong.
    static final class OpenBackend {
        private OpenBackend() {}

        public static void main(String[] arguments) {
            try {
                System.out.println(Backends.open(Backends.DEFAULT).info());
                System.out.println("shim: " + GemmaKernels.gemma_isa().getString(0));
            } catch (LinkageError e) {
                System.out.println(e.getMessage());
                System.exit(3);
            }
        }
    }

    private static final class Jvm {
        private final Process process;
        private final Path log;

        Jvm(String... options) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of(options));
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), OpenBackend.class.getName()));
            log = Files.createTempFile("jvm", ".log");
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        }

        int exit() throws InterruptedException {
            return process.waitFor();
        }

        String output() throws IOException, InterruptedException {
            process.waitFor();
            return Files.readString(log);
        }
    }
}
