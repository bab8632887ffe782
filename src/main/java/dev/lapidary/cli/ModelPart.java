package dev.lapidary.cli;

import dev.lapidary.ModelDescription;
import dev.lapidary.ModelDescription.Part;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What modules of one kind hold together, all layers added up.
record ModelPart(String name, long parameters, long bytes) {
    /// Modules by their names; norms count as one kind, and a module of modules is named by itself.
    static List<ModelPart> of(ModelDescription description) {
        Map<String, ModelPart> kinds = new LinkedHashMap<>();
        for (Part module : description.modules().children()) {
            if (module.name().equals("layers")) {
                module.children().forEach(layer -> layer.children().forEach(part -> add(kinds, part)));
            } else {
                add(kinds, module);
            }
        }
        return new ArrayList<>(kinds.values());
    }

    private static void add(Map<String, ModelPart> kinds, Part part) {
        String kind = part.name().endsWith("Norm") ? "norms" : part.name();
        kinds.merge(kind, new ModelPart(kind, part.parameters(), part.bytes()), ModelPart::plus);
    }

    private ModelPart plus(ModelPart other) {
        return new ModelPart(name, parameters + other.parameters, bytes + other.bytes);
    }
}
