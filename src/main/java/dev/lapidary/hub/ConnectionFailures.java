package dev.lapidary.hub;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import javax.net.ssl.SSLException;

/// What goes wrong on the way to a server, in words.
final class ConnectionFailures {
    private ConnectionFailures() {}

    /// A failure that another attempt may not meet, or one that it would.
    static IOException of(URI address, Throwable failure) {
        String host = address.getHost() + (address.getPort() < 0 ? "" : ":" + address.getPort());
        if (failure instanceof SSLException) {
            return new HubException("%s: no secure connection: %s".formatted(host, failure.getMessage()), failure);
        }
        if (failure instanceof IOException) {
            return new PassingFailure("%s: %s".formatted(host, words(failure)), null, failure);
        }
        return new HubException("%s: %s".formatted(host, failure), failure);
    }

    private static String words(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnknownHostException || cause instanceof UnresolvedAddressException) {
                return "no such host, or no network";
            }
        }
        return switch (failure) {
            case HttpTimeoutException _ -> "no connection in time";
            case ConnectException _ -> "connection refused";
            default -> "the connection was cut";
        };
    }
}
