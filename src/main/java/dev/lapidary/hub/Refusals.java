package dev.lapidary.hub;

import java.io.IOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What an answer other than success means, and what to do about it.
final class Refusals {
    private static final Pattern RATE_LIMIT = Pattern.compile("\\br\\s*=\\s*0\\s*;\\s*t\\s*=\\s*(\\d{1,9})");
    private static final String TOKENS = "https://huggingface.co/settings/tokens";

    private final HubSettings settings;
    private final ModelName model;

    Refusals(HubSettings settings, ModelName model) {
        this.settings = settings;
        this.model = model;
    }

    /// @param file the file asked for; null where it was the repository
    IOException of(HttpResponse<?> response, @Nullable String file) {
        int status = response.statusCode();
        HttpHeaders headers = response.headers();
        String code = headers.firstValue("X-Error-Code").orElse("");
        String words = headers.firstValue("X-Error-Message").orElse("");
        if (status == 429 || status == 408 || status >= 500) {
            return passing(response.uri().getHost(), status, headers);
        }
        if (code.equals("GatedRepo")) {
            return new HubException(gated());
        }
        if (status == 401) {
            return new HubException(words.contains("Invalid credentials") ? badToken() : unknown());
        }
        if (status == 403) {
            return new HubException(forbidden(words));
        }
        if (status == 404) {
            return new HubException(missing(code, file));
        }
        return new HubException("%s: %s answered %d%s"
                .formatted(named(file), response.uri().getHost(), status, words.isEmpty() ? "" : ": " + words));
    }

    private PassingFailure passing(String host, int status, HttpHeaders headers) {
        Duration after = after(headers, status == 429);
        if (status != 429) {
            return new PassingFailure("%s answered %d".formatted(host, status), after, null);
        }
        String more = settings.token().isEmpty() ? " (more are allowed with a token in HF_TOKEN)" : "";
        return new PassingFailure("%s answered 429, too many requests%s".formatted(host, more), after, null);
    }

    /// `Retry-After`, in seconds or as a date, or what is left of a rate limit's window.
    private static @Nullable Duration after(HttpHeaders headers, boolean rateLimited) {
        String text = headers.firstValue("Retry-After").orElse("").strip();
        if (text.matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(text));
        }
        if (!text.isEmpty()) {
            try {
                ZonedDateTime date = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
                Duration left = Duration.between(Instant.now(), date.toInstant());
                return left.isNegative() ? Duration.ZERO : left;
            } catch (DateTimeParseException e) {
                return null;
            }
        }
        Matcher limit = RATE_LIMIT.matcher(headers.firstValue("RateLimit").orElse(""));
        return rateLimited && limit.find() ? Duration.ofSeconds(Long.parseLong(limit.group(1))) : null;
    }

    private String gated() {
        AccessToken token = settings.token().orElse(null);
        if (token == null) {
            return "%s: a gated model: accept its terms on %s, then give a token of that account in HF_TOKEN (make one on %s)"
                    .formatted(model.repository(), page(), TOKENS);
        }
        return "%s: a gated model, and the account of the %s has no access: accept its terms on %s; a fine-grained"
                        .formatted(model.repository(), token, page())
                + " token needs leave to read public gated repositories (%s)".formatted(TOKENS);
    }

    private String badToken() {
        AccessToken token = settings.token().orElse(null);
        return "%s: the hub does not know the %s: make another on %s"
                .formatted(model.repository(), token == null ? "token" : token, TOKENS);
    }

    /// The hub answers 401 for what is private and for what does not exist.
    private String unknown() {
        AccessToken token = settings.token().orElse(null);
        return token == null
                ? "%s: no such repository, or a private one: check the name; for a private one give a token in HF_TOKEN"
                        .formatted(model.repository())
                : "%s: no such repository, or one that the account of the %s may not see: check the name on %s"
                        .formatted(model.repository(), token, page());
    }

    private String forbidden(String words) {
        AccessToken token = settings.token().orElse(null);
        return "%s: the hub forbids it%s: %s"
                .formatted(
                        model.repository(),
                        words.isEmpty() ? "" : " (" + words + ")",
                        token == null
                                ? "give a token in HF_TOKEN (make one on %s)".formatted(TOKENS)
                                : "see whether the %s may read this repository (%s)".formatted(token, TOKENS));
    }

    private String missing(String code, @Nullable String file) {
        if (code.equals("RevisionNotFound")
                || (code.isEmpty() && file == null && !model.revision().equals("main"))) {
            return "%s: no revision \"%s\": need a branch, a tag or a commit of %s"
                    .formatted(model.repository(), model.revision(), page());
        }
        if (file != null && !code.equals("RepoNotFound")) {
            return "%s: no such file at revision \"%s\": %s/tree/main lists what there is"
                    .formatted(named(file), model.revision(), page());
        }
        return unknown();
    }

    private String named(@Nullable String file) {
        return file == null ? model.repository() : model.repository() + ": " + file;
    }

    private String page() {
        return settings.endpoint() + "/" + model.repository();
    }
}
