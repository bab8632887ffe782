package dev.lapidary.vision;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;

/// A format of picture files, told by how they begin.
enum ImageFormat {
    PNG("PNG", "\u0089PNG\r\n\u001a\n"),
    JPEG("JPEG", "\u00ff\u00d8\u00ff"),
    WEBP("WebP", "RIFF????WEBP"),
    GIF("GIF", "GIF8"),
    BMP("BMP", "BM");

    /// What is read, for messages.
    static final String KNOWN = "a PNG, JPEG, WebP, GIF or BMP file";

    private static final char ANY = '?';

    private final String title;
    private final String magic;

    ImageFormat(String title, String magic) {
        this.title = title;
        this.magic = magic;
    }

    /// As people call it.
    String title() {
        return title;
    }

    /// The format of a file's bytes; empty for any other.
    static Optional<ImageFormat> of(byte[] file) {
        return Arrays.stream(values()).filter(format -> format.begins(file)).findFirst();
    }

    private boolean begins(byte[] file) {
        byte[] wanted = magic.getBytes(StandardCharsets.ISO_8859_1);
        if (file.length < wanted.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i] != ANY && wanted[i] != file[i]) {
                return false;
            }
        }
        return true;
    }

    /// A new reader of this format: the JDK's own, since what else an application has registered may give other
    /// pixels; of WebP the one that comes with this library.
    ///
    /// @throws IOException if there is none
    ImageReader reader() throws IOException {
        String name = title.toLowerCase(Locale.ROOT);
        if (this == WEBP) {
            for (ImageReaderSpi provider :
                    ServiceLoader.load(ImageReaderSpi.class, ImageFormat.class.getClassLoader())) {
                if (Arrays.asList(provider.getFormatNames()).contains(name)) {
                    return provider.createReaderInstance();
                }
            }
            throw new IOException("got WebP, need com.twelvemonkeys.imageio:imageio-webp on the class path");
        }
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(name);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getModule().equals(ImageIO.class.getModule())) {
                return reader;
            }
        }
        throw new IOException("got %s, need the JDK's reader of it".formatted(title));
    }
}
