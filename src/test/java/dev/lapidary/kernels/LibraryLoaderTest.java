package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every message that a user of an unhappy machine reads.
class LibraryLoaderTest {
    private static final String DNNL = "org/bytedeco/dnnl/linux-x86_64/libdnnl.so.3";
    private static final byte[] LIBRARY = FakeLibraries.elf(FakeLibraries.X86_64, "code");

    @TempDir
    private Path folder;

    private FakeHost host;

    @BeforeEach
    void aHealthyMachine() {
        host = new FakeHost(folder.resolve("cache"));
    }

    @Test
    void loadsThePackagedLibraryFromTheCache() throws IOException {
        packaged(DNNL);

        Path file = LibraryLoader.load(host, Library.DNNL);
        assertThat(file).startsWith(folder.resolve("cache")).hasBinaryContent(LIBRARY);
        assertThat(host.loaded).containsExactly(file);
    }

    @Test
    void loadsInPlaceWhatLiesInAFolderOfTheClassPath() throws IOException {
        Path file = file("classes/libgemma_kernels.so", LIBRARY);
        host.resources.put(
                "native/linux-x86_64/libgemma_kernels.so", file.toUri().toURL());

        assertThat(LibraryLoader.load(host, Library.SHIM)).isEqualTo(file);
    }

    @Test
    void loadsFirstWhatALibraryNeeds() {
        String in = "org/bytedeco/openblas/linux-x86_64/";
        packaged(in + "libopenblas.so.0", in + "libgfortran.so.5", in + "libquadmath.so.0");

        Path blas = LibraryLoader.load(host, Library.OPENBLAS);
        assertThat(host.loaded)
                .containsExactly(
                        blas.resolveSibling("libquadmath.so.0"), blas.resolveSibling("libgfortran.so.5"), blas);
    }

    @Test
    void unpacksBesideALibraryWhatItOpensItself() {
        String in = "org/bytedeco/mkl/linux-x86_64/";
        packaged(
                in + "libmkl_rt.so.3",
                in + "libmkl_core.so.3",
                in + "libmkl_intel_lp64.so.3",
                in + "libmkl_gnu_thread.so.3",
                in + "libmkl_def.so.3",
                in + "libmkl_avx2.so.3",
                in + "libmkl_avx512.so.3",
                in + "libmkl_avx10.so.3");

        Path mkl = LibraryLoader.load(host, Library.MKL);
        assertThat(host.loaded).containsExactly(mkl);
        assertThat(mkl.resolveSibling("libmkl_avx512.so.3")).exists();
    }

    @Test
    void fallsBackToTheSystem() throws IOException {
        host.systemFolders.addAll(List.of(folder.resolve("empty"), folder.resolve("lib")));
        Path file = file("lib/libdnnl.so.3", LIBRARY);

        assertThat(LibraryLoader.load(host, Library.DNNL)).isEqualTo(file);
    }

    @Test
    void aFileNamedByPropertyComesBeforeAll() throws IOException {
        packaged(DNNL);
        Path file = file("mine.so", LIBRARY);
        host.properties.put("lapidary.native.dnnl", file.toString());

        assertThat(LibraryLoader.load(host, Library.DNNL)).isEqualTo(file);
    }

    @Test
    void aFileNamedByPropertyIsNotReplacedByAnother() {
        packaged(DNNL);
        host.properties.put("lapidary.native.dnnl", folder.resolve("none.so").toString());

        refuses(
                Library.DNNL,
                "cannot load oneDNN (libdnnl.so.3) on linux-x86_64 with glibc 2.36:",
                "-Dlapidary.native.dnnl=%s: no such file".formatted(folder.resolve("none.so")));
    }

    @Test
    void listsEachPlaceTriedAndTheDependencyToAdd() {
        host.systemFolders.add(folder);

        refuses(
                Library.DNNL,
                "cannot load oneDNN (libdnnl.so.3) on linux-x86_64 with glibc 2.36:",
                "-Dlapidary.native.dnnl: not set",
                "class path: " + DNNL
                        + ": not there; add the dependency org.bytedeco:dnnl:3.13-1.5.14:linux-x86_64 to the class"
                        + " path",
                folder.resolve("libdnnl.so.3") + ": no such file");
    }

    @Test
    void namesTheDependencyOfEachLibrary() throws IOException {
        String pom = Files.readString(Path.of("pom.xml"));
        for (Library library : List.of(Library.GOMP, Library.DNNL, Library.OPENBLAS, Library.MKL)) {
            String artifact = library.remedy(Platform.LINUX_X86_64).replaceFirst(".*org.bytedeco:", "");
            String[] parts = artifact.split(":", -1);
            assertThat(pom).contains("<%s.version>%s</%s.version>".formatted(parts[0], parts[1], parts[0]));
        }
        assertThat(Library.MKL.remedy(Platform.LINUX_X86_64)).contains(":linux-x86_64-redist ");
        assertThat(Library.SHIM.remedy(Platform.LINUX_X86_64)).isEqualTo("build it with ./build-native.sh");
    }

    @Test
    void refusesPackagedLibrariesOnMusl() {
        packaged(DNNL);
        host.glibc = null;

        refuses(
                Library.DNNL,
                "on linux-x86_64 with a C library other than glibc:",
                DNNL + ": the C library is not glibc (musl?), need glibc 2.34 or newer");
    }

    @Test
    void refusesPackagedLibrariesOnAnOldGlibc() {
        packaged(DNNL);
        host.glibc = "2.9";

        refuses(Library.DNNL, "with glibc 2.9:", DNNL + ": got glibc 2.9, need 2.34 or newer");
        host.glibc = "2.34";
        assertThat(LibraryLoader.load(host, Library.DNNL)).exists();
    }

    @Test
    void refusesAnUnknownOperatingSystem() {
        host.properties.put("os.name", "Windows 11");

        refuses(Library.SHIM, "native libraries: got Windows 11 on amd64, need Linux on amd64 or aarch64");
    }

    @Test
    void refusesAnUnknownProcessor() {
        host.properties.put("os.arch", "riscv64");

        refuses(Library.SHIM, "native libraries: got Linux on riscv64, need Linux on amd64 or aarch64");
    }

    @Test
    void looksForItsOwnPlatform() {
        host.properties.put("os.arch", "aarch64");

        refuses(Library.SHIM, "on linux-arm64 with", "native/linux-arm64/libgemma_kernels.so: not there");
    }

    @Test
    void refusesALibraryForAnotherProcessor() throws IOException {
        named(FakeLibraries.elf(FakeLibraries.ARM64, ""));

        refuses(Library.DNNL, "named.so: built for arm64, need linux-x86_64");
    }

    @Test
    void refusesALibraryFor32Bits() throws IOException {
        byte[] library = LIBRARY.clone();
        library[4] = 1;
        named(library);

        refuses(Library.DNNL, "named.so: built for 32 bits, need linux-x86_64");
    }

    @Test
    void refusesWhatIsNoLibrary() throws IOException {
        named("GROUP ( libdnnl.so.3 )".getBytes(StandardCharsets.UTF_8));

        refuses(Library.DNNL, "named.so: not an ELF shared library");
    }

    @Test
    void namesThePropertyWhereTheCacheIsMountedNoexec() {
        packaged(DNNL);
        host.linkerMessage = "failed to map segment from shared object";

        refuses(
                Library.DNNL,
                DNNL + ", unpacked to " + folder.resolve("cache"),
                "libdnnl.so.3: failed to map segment from shared object: the folder is mounted noexec;"
                        + " name another with -Dlapidary.cache=FOLDER");
    }

    @Test
    void namesThePropertyWhereTheCacheCannotBeWritten() throws IOException {
        packaged(DNNL);
        Path file = Files.createFile(folder.resolve("file"));
        host.properties.put(LibraryCache.PROPERTY, file.resolve("cache").toString());

        refuses(
                Library.DNNL,
                DNNL + ": cannot be unpacked: FileSystemException: " + file,
                "name a folder that can be written with -Dlapidary.cache=FOLDER");
    }

    @Test
    void namesThePropertyWhereThereIsNoHomeFolder() {
        packaged(DNNL);
        host.properties.remove(LibraryCache.PROPERTY);

        refuses(
                Library.DNNL,
                DNNL + ": cannot be unpacked: this user has no home folder;"
                        + " name a folder that can be written with -Dlapidary.cache=FOLDER");
    }

    @Test
    void saysWhatToDoAboutALibraryThatTheSystemLacks() {
        packaged(DNNL);
        host.linkerMessage = "libstdc++.so.6: cannot open shared object file: No such file or directory";

        refuses(
                Library.DNNL,
                DNNL + ", unpacked to ",
                ": " + host.linkerMessage + "; install the package of your distribution that has it");
    }

    @Test
    void refusesAJarThatLacksWhatTheLibraryNeeds() {
        packaged("org/bytedeco/openblas/linux-x86_64/libopenblas.so.0");

        refuses(
                Library.OPENBLAS,
                "org/bytedeco/openblas/linux-x86_64/libquadmath.so.0: not there;"
                        + " add the dependency org.bytedeco:openblas:0.3.31-1.5.13:linux-x86_64 to the class path");
    }

    @Test
    void loadsExactlyTheFileOfABackend() throws IOException {
        Path file = file("libblis.so.4", LIBRARY);
        assertThat(LibraryLoader.load(host, "backend", file)).isEqualTo(file);

        Path none = folder.resolve("none.so");
        assertThatThrownBy(() -> LibraryLoader.load(host, "backend", none))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessage("cannot load %s on linux-x86_64 with glibc 2.36:%n  backend: no such file".formatted(none));
    }

    private void refuses(Library library, String... messages) {
        assertThatThrownBy(() -> LibraryLoader.load(host, library))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessageContainingAll(messages);
    }

    private void named(byte[] library) throws IOException {
        host.properties.put("lapidary.native.dnnl", file("named.so", library).toString());
    }

    private Path file(String name, byte[] bytes) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, bytes);
    }

    /// Puts one jar with these entries on the class path.
    private void packaged(String... entries) {
        Map<String, byte[]> libraries = new HashMap<>();
        for (String entry : entries) {
            libraries.put(entry, LIBRARY);
        }
        Path jar = folder.resolve("packaged.jar");
        for (String entry : entries) {
            URL url = FakeLibraries.inJar(jar, entry, libraries);
            host.resources.put(entry, url);
        }
    }
}
