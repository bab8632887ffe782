package dev.lapidary.hub;

import java.util.regex.Pattern;

/// A repository on the hub, at a revision: `ORG/NAME` or `ORG/NAME@revision`.
///
/// @param revision a branch, a tag or a commit; `main` where nobody names one
public record ModelName(String organization, String name, String revision) {
    private static final String USUAL_REVISION = "main";
    private static final int LONGEST_PART = 96;
    private static final int LONGEST_REVISION = 255;
    private static final Pattern PART = Pattern.compile("\\w(?:[\\w.-]*\\w)?");
    private static final Pattern REVISION = Pattern.compile("[\\w.+=][\\w.+=-]*(?:/[\\w.+=][\\w.+=-]*)*");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /// @throws IllegalArgumentException if a part has characters that the hub does not allow
    public ModelName {
        if (!isPart(organization) || !isPart(name) || name.endsWith(".git")) {
            throw new IllegalArgumentException(
                    "model: got \"%s/%s\", need ORG/NAME of letters, digits, -, _ and ., as in google/gemma-3-1b-it"
                            .formatted(organization, name));
        }
        if (revision.length() > LONGEST_REVISION || !REVISION.matcher(revision).matches() || revision.contains("..")) {
            throw new IllegalArgumentException("model: %s/%s: got the revision \"%s\", need a branch, a tag or a commit"
                    .formatted(organization, name, revision));
        }
    }

    /// Reads `ORG/NAME` or `ORG/NAME@revision`.
    ///
    /// @throws IllegalArgumentException if it is neither
    public static ModelName parse(String text) {
        int at = text.indexOf('@');
        String repository = at < 0 ? text : text.substring(0, at);
        int slash = repository.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException(
                    "model: got \"%s\", need ORG/NAME or ORG/NAME@revision, as in google/gemma-3-1b-it"
                            .formatted(text));
        }
        return new ModelName(
                repository.substring(0, slash),
                repository.substring(slash + 1),
                at < 0 ? USUAL_REVISION : text.substring(at + 1));
    }

    /// Whether a text that might be a path as well can be such a name: its part before any `@` has one slash, and
    /// nothing that the hub does not allow.
    public static boolean isName(String text) {
        int at = text.indexOf('@');
        String repository = at < 0 ? text : text.substring(0, at);
        int slash = repository.indexOf('/');
        return slash >= 0 && isPart(repository.substring(0, slash)) && isPart(repository.substring(slash + 1));
    }

    /// `ORG/NAME`.
    public String repository() {
        return organization + "/" + name;
    }

    /// Whether the revision is a whole commit, which never changes.
    boolean isCommit() {
        return isCommit(revision);
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /// As [#parse] reads it.
    @Override
    public String toString() {
        return revision.equals(USUAL_REVISION) ? repository() : repository() + "@" + revision;
    }

    private static boolean isPart(String text) {
        return text.length() <= LONGEST_PART
                && PART.matcher(text).matches()
                && !text.contains("--")
                && !text.contains("..");
    }
}
