package dev.lapidary.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// The version that Maven wrote into the jar.
final class Version implements IVersionProvider {
    private static final String PROPERTIES = "/META-INF/maven/dev.lapidary/lapidary/pom.properties";

    @Override
    public String[] getVersion() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream(PROPERTIES)) {
            if (in != null) {
                properties.load(in);
            }
        }
        return new String[] {
            "lapidary " + properties.getProperty("version", "(a build that is not packaged)"),
            "Java " + Runtime.version()
        };
    }
}
