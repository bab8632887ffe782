package dev.lapidary.kernels;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Finds and loads one library: the file that a property names, else the packaged one, else the system's. Keeps what
/// was tried, since a failure has to tell each place and what was wrong there.
final class LibraryLoader {
    private final Host host;
    private final Platform platform;
    private final String what;
    private final List<String> tried = new ArrayList<>();

    private LibraryLoader(Host host, String what) {
        this.host = host;
        this.what = what;
        platform = Platform.of(String.valueOf(host.property("os.name")), String.valueOf(host.property("os.arch")));
    }

    /// Loads `library` and returns its file. Throws `UnsatisfiedLinkError` that lists the places tried.
    static Path load(Host host, Library library) {
        LibraryLoader loader = new LibraryLoader(host, "%s (%s)".formatted(library.title(), library.file()));
        Path file = loader.find(library);
        if (file == null) {
            throw loader.failure();
        }
        return file;
    }

    /// Loads exactly `file`, of which `origin` says who named it.
    static Path load(Host host, String origin, Path file) {
        LibraryLoader loader = new LibraryLoader(host, file.toString());
        if (!loader.tryLoad(origin, file)) {
            throw loader.failure();
        }
        return file;
    }

    private @Nullable Path find(Library library) {
        String property = "-D" + library.property();
        String named = host.property(library.property());
        if (named != null) {
            // A file asked for by name is used or refused, never replaced by another
            Path file = Path.of(named).toAbsolutePath();
            return tryLoad(property + "=" + named, file) ? file : null;
        }
        tried.add(property + ": not set");
        Path packaged = packaged(library);
        if (packaged != null) {
            return packaged;
        }
        for (Path folder : host.systemFolders(platform)) {
            Path file = folder.resolve(library.file());
            if (tryLoad(file.toString(), file)) {
                return file;
            }
        }
        return null;
    }

    private @Nullable Path packaged(Library library) {
        String place = "class path: " + library.resource(platform, library.file());
        URL resource = host.resource(library.resource(platform, library.file()));
        if (resource == null) {
            tried.add("%s: not there; %s".formatted(place, library.remedy(platform)));
            return null;
        }
        String refusal = glibcRefusal(library);
        if (refusal != null) {
            tried.add(place + ": " + refusal);
            return null;
        }
        Path folder = onDisk(library, resource, place);
        if (folder == null) {
            return null;
        }
        for (String name : library.before()) {
            if (!tryLoad(place + " beside " + name, folder.resolve(name))) {
                return null;
            }
        }
        Path file = folder.resolve(library.file());
        return tryLoad(place, file) ? file : null;
    }

    private @Nullable String glibcRefusal(Library library) {
        String need = library.glibc();
        if (need == null) {
            return null;
        }
        String found = host.glibcVersion();
        if (found == null) {
            return "the C library is not glibc (musl?), need glibc %s or newer".formatted(need);
        }
        boolean tooOld = Arrays.compare(versionParts(found), versionParts(need)) < 0;
        return tooOld ? "got glibc %s, need %s or newer".formatted(found, need) : null;
    }

    private static int[] versionParts(String version) {
        return Arrays.stream(version.split("[^0-9]+", -1))
                .filter(part -> !part.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    /// The folder that holds the library and what comes with it: where the class path is a folder that one, else
    /// the cache.
    private @Nullable Path onDisk(Library library, URL resource, String place) {
        if (resource.getProtocol().equals("file")) {
            return Path.of(URI.create(resource.toString())).getParent();
        }
        try {
            List<PackagedFile> files = new ArrayList<>();
            files.add(PackagedFile.of(resource));
            for (String name : library.companions()) {
                URL companion = host.resource(library.resource(platform, name));
                if (companion == null) {
                    tried.add("class path: %s: not there; %s"
                            .formatted(library.resource(platform, name), library.remedy(platform)));
                    return null;
                }
                files.add(PackagedFile.of(companion));
            }
            return LibraryCache.of(host).folderWith(files);
        } catch (IOException e) {
            tried.add("%s: cannot be unpacked: %s; name a folder that can be written with -D%s=FOLDER"
                    .formatted(place, told(e), LibraryCache.PROPERTY));
            return null;
        }
    }

    private static String told(IOException e) {
        return e.getClass() == IOException.class
                ? String.valueOf(e.getMessage())
                : "%s: %s".formatted(e.getClass().getSimpleName(), e.getMessage());
    }

    private boolean tryLoad(String place, Path file) {
        if (!Files.isRegularFile(file)) {
            tried.add(place + ": no such file");
            return false;
        }
        try {
            String refusal = ElfFile.refusal(file, platform);
            if (refusal != null) {
                tried.add(place + ": " + refusal);
                return false;
            }
            host.load(file);
            return true;
        } catch (IOException e) {
            tried.add(place + ": cannot be read: " + told(e));
        } catch (UnsatisfiedLinkError e) {
            String where = place.contains(file.toString()) ? place : "%s, unpacked to %s".formatted(place, file);
            tried.add(where + ": " + explained(file, e));
        }
        return false;
    }

    /// The dynamic linker's words, and what to do about those that a user meets.
    private static String explained(Path file, UnsatisfiedLinkError e) {
        String message = String.valueOf(e.getMessage()).replace(file + ": ", "");
        if (message.contains("failed to map segment")) {
            return "%s: the folder is mounted noexec; name another with -D%s=FOLDER"
                    .formatted(message, LibraryCache.PROPERTY);
        }
        if (message.contains("cannot open shared object file")) {
            return message + "; install the package of your distribution that has it";
        }
        return message;
    }

    private UnsatisfiedLinkError failure() {
        String glibc = host.glibcVersion();
        return new UnsatisfiedLinkError("cannot load %s on %s with %s:%n  %s"
                .formatted(
                        what,
                        platform.folder(),
                        glibc == null ? "a C library other than glibc" : "glibc " + glibc,
                        String.join(System.lineSeparator() + "  ", tried)));
    }
}
