package dev.lapidary.cli;

import dev.lapidary.ModelDescription;
import dev.lapidary.ModelDescription.Part;
import java.util.List;
import java.util.Locale;

/// The modules as `print(model)` shows them elsewhere, layers that are alike told once: `(0-4): 5 x local, window 128
/// (`.
final class ModuleText {
    private final ModelDescription description;
    private final StringBuilder text = new StringBuilder();

    private ModuleText(ModelDescription description) {
        this.description = description;
    }

    static String of(ModelDescription description) {
        ModuleText writer = new ModuleText(description);
        writer.text.append(description.modules().name()).append(" (\n");
        description.modules().children().forEach(module -> writer.module(module, 1));
        return writer.text.append(")\n").toString();
    }

    private void module(Part module, int depth) {
        if (module.name().equals("layers")) {
            open("layers", "", depth);
            layers(module.children(), depth + 1);
            close(depth);
        } else if (module.name().equals("encoder")) {
            open("encoder", "", depth);
            alike(module.children(), depth + 1);
            close(depth);
        } else if (module.children().isEmpty()) {
            text.append("  ".repeat(depth)).append("(%s): %s\n".formatted(module.name(), module.shape()));
        } else {
            open(module.name(), "", depth);
            module.children().forEach(child -> module(child, depth + 1));
            close(depth);
        }
    }

    private void layers(List<Part> layers, int depth) {
        for (LayerRun run : LayerRun.of(description.layers())) {
            ModelDescription.Layer traits = run.layer();
            String kind = traits.attention().toLowerCase(Locale.ROOT)
                    + (traits.bidirectional() ? " both ways" : "")
                    + (traits.window() == 0 ? " " : ", window " + traits.window() + " ");
            open(run.name(), (run.count() == 1 ? "" : run.count() + " x ") + kind, depth);
            layers.get(run.first()).children().forEach(child -> module(child, depth + 1));
            close(depth);
        }
    }

    /// Layers of a tower, which have no traits of their own.
    private void alike(List<Part> layers, int depth) {
        int count = layers.size();
        open(count == 1 ? "0" : "0-" + (count - 1), count == 1 ? "" : count + " x ", depth);
        layers.getFirst().children().forEach(child -> module(child, depth + 1));
        close(depth);
    }

    private void open(String name, String kind, int depth) {
        text.append("  ".repeat(depth)).append("(%s): %s(\n".formatted(name, kind));
    }

    private void close(int depth) {
        text.append("  ".repeat(depth)).append(")\n");
    }
}
