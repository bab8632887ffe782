/// Gemma models on CPUs. Run with `--enable-native-access=dev.lapidary`: the arithmetic is native code.
module dev.lapidary {
    exports dev.lapidary;
    exports dev.lapidary.hub;
    exports dev.lapidary.sampler;
    exports dev.lapidary.tokenizer;

    requires com.google.gson;
    requires java.desktop;
    requires java.net.http;
    requires static transitive org.jspecify;

    // The command line only, optional for those who link the library
    requires static info.picocli;
    requires static me.tongfei.progressbar;
    requires static org.jline.reader;
    requires static org.jline.terminal;

    uses javax.imageio.spi.ImageReaderSpi;

    opens dev.lapidary.cli to
            info.picocli;
}
