package dev.lapidary.hub;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What the hub says of a repository: the commit of a revision, and the files it has.
///
/// @param files names with `/` between folders, none of which leads out of a folder
record Listing(String commit, List<String> files) {
    /// Reads the answer to `/api/models/ORG/NAME/revision/REVISION`.
    static Listing parse(ModelName model, String json) throws HubException {
        try {
            JsonObject object = JsonParser.parseString(json).getAsJsonObject();
            String commit = member(object, "sha").getAsString();
            List<String> files = new ArrayList<>();
            for (JsonElement sibling : member(object, "siblings").getAsJsonArray()) {
                files.add(checked(
                        model, member(sibling.getAsJsonObject(), "rfilename").getAsString()));
            }
            if (!ModelName.isCommit(commit)) {
                throw new HubException("%s: got \"%s\" for a commit".formatted(model, commit));
            }
            return new Listing(commit, List.copyOf(files));
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException e) {
            throw new HubException(
                    "%s: the hub's list of files is not what it should be: is HF_ENDPOINT right?".formatted(model), e);
        }
    }

    private static JsonElement member(JsonObject object, String name) {
        JsonElement member = object.get(name);
        if (member == null) {
            throw new IllegalStateException("no " + name);
        }
        return member;
    }

    private static String checked(ModelName model, String name) throws HubException {
        boolean plain = !name.isEmpty()
                && name.indexOf('\\') < 0
                && name.chars().noneMatch(Character::isISOControl)
                && Arrays.stream(name.split("/", -1))
                        .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
        if (!plain) {
            throw new HubException("%s: got a file named \"%s\", which leads out of the folder".formatted(model, name));
        }
        return name;
    }
}
