package dev.lapidary.vision;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.IIOException;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/// Reads picture files into red, green and blue: alpha is dropped, grey spread to the colours and colour profiles are
/// not applied, as in the reference; a picture that lies on its side is set upright as its EXIF data say. Of moving
/// pictures the first is taken.
public final class ImageFile {
    /// Pixels of the largest picture read: 192 MiB decoded.
    static final int MAX_PIXELS = 1 << 26;

    /// What a picture may take while it is decoded, of samples with more than 8 bits and alpha.
    private static final long MAX_DECODED_BYTES = 1L << 28;

    private static final long MAX_FILE_BYTES = 1L << 28;
    private static final int INKS = 4;
    private static final int ADOBE_MARKER = 0xee;
    private static final int ADOBE_TRANSFORM = 6;

    private final String source;
    private final ImageFormat format;
    private final byte[] file;
    private final int maxPixels;
    private @Nullable String truncation;

    private ImageFile(String source, ImageFormat format, byte[] file, int maxPixels) {
        this.source = source;
        this.format = format;
        this.file = file;
        this.maxPixels = maxPixels;
    }

    /// Decodes `file`.
    ///
    /// @throws IOException naming the file and what is wrong: no picture, of another format, too large, or damaged
    public static RgbImage read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("%s: got %s, need %s"
                    .formatted(file, Files.exists(file) ? "no regular file" : "nothing there", ImageFormat.KNOWN));
        }
        long bytes = Files.size(file);
        if (bytes > MAX_FILE_BYTES) {
            throw new IOException("%s: got %d bytes, need at most %d".formatted(file, bytes, MAX_FILE_BYTES));
        }
        return decode(file.toString(), Files.readAllBytes(file), MAX_PIXELS);
    }

    /// Decodes the content of a file.
    ///
    /// @throws IOException saying what is wrong
    public static RgbImage decode(byte[] file) throws IOException {
        return decode("image", file, MAX_PIXELS);
    }

    /// @param source names it in messages
    static RgbImage decode(String source, byte[] file, int maxPixels) throws IOException {
        ImageFormat format = ImageFormat.of(file)
                .orElseThrow(() -> new IOException(
                        "%s: got no image that is known, need %s".formatted(source, ImageFormat.KNOWN)));
        return new ImageFile(source, format, file, maxPixels).decode();
    }

    private RgbImage decode() throws IOException {
        ImageReader reader;
        try {
            reader = format.reader();
        } catch (IOException e) {
            throw new IOException("%s: %s".formatted(source, e.getMessage()), e);
        }
        try (ImageInputStream input = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            reader.setInput(input, true, false);
            reader.addIIOReadWarningListener((_, warning) -> noteTruncation(warning));
            return decode(reader);
        } finally {
            reader.dispose();
        }
    }

    private RgbImage decode(ImageReader reader) throws IOException {
        try {
            requireWhole();
            requireSize(reader);
            RgbImage image = picture(reader);
            if (truncation != null) {
                throw new IIOException(truncation);
            }
            return image.upright(ExifOrientation.of(format, file));
        } catch (TooLargeException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // the readers throw all sorts at damaged files
            throw new IOException(
                    "%s: cannot be decoded, got %s with %s, need one that is whole"
                            .formatted(source, format.title(), detail(e)),
                    e);
        } catch (OutOfMemoryError e) {
            throw new IOException(
                    "%s: got a picture too large for %d MiB of heap, need more of it (-Xmx)"
                            .formatted(source, Runtime.getRuntime().maxMemory() >> 20),
                    e);
        }
    }

    /// What a reader says, unless it only stumbled.
    private static String detail(Exception failure) {
        String message = failure.getMessage();
        if (failure instanceof IOException && message != null) {
            return message;
        }
        return failure instanceof EOFException ? "its end too early" : "data that make no sense";
    }

    private RgbImage picture(ImageReader reader) throws IOException {
        if (format == ImageFormat.JPEG && FileChunks.jpegComponents(file) == INKS) {
            boolean ycck = FileChunks.jpeg(file, marker -> marker == ADOBE_MARKER, "Adobe")
                    .map(adobe -> adobe.capacity() > ADOBE_TRANSFORM && adobe.get(ADOBE_TRANSFORM) == 2)
                    .orElse(false);
            return Samples.ofInks(reader.readRaster(0, null), ycck);
        }
        ImageReadParam param = reader.getDefaultReadParam();
        if (format == ImageFormat.WEBP) {
            param.setDestinationType(reader.getRawImageType(0)); // any other is converted by the file's profile
        }
        BufferedImage image = reader.read(0, param);
        return Samples.of(image);
    }

    private void requireSize(ImageReader reader) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        long pixels = (long) width * height;
        if (pixels > maxPixels) {
            throw new TooLargeException(
                    "%s: got %d x %d pixels, need at most %d in all".formatted(source, width, height, maxPixels));
        }
        ImageTypeSpecifier type = reader.getRawImageType(0);
        int bits = 0;
        if (type != null) {
            for (int each : type.getSampleModel().getSampleSize()) {
                bits += each;
            }
        }
        if (pixels * bits > MAX_DECODED_BYTES * Byte.SIZE) {
            throw new TooLargeException("%s: got %d x %d pixels of %d bits, need at most %d bytes in all"
                    .formatted(source, width, height, bits, MAX_DECODED_BYTES));
        }
    }

    /// The reader of WebP takes what is missing for zeros.
    private void requireWhole() throws IIOException {
        if (format == ImageFormat.WEBP) {
            long need = (ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(4) & 0xffff_ffffL) + 8;
            if (need > file.length) {
                throw new IIOException("%d bytes of %d".formatted(file.length, need));
            }
        }
    }

    /// The JDK's reader of JPEG paints grey what is missing, and warns.
    private void noteTruncation(String warning) {
        String lower = warning.toLowerCase(Locale.ROOT);
        if (lower.contains("premature end") || lower.contains("truncated")) {
            truncation = warning;
        }
    }

    /// Explained already.
    private static final class TooLargeException extends IOException {
        private static final long serialVersionUID = 1;

        TooLargeException(String message) {
            super(message);
        }
    }
}
