package dev.lapidary.cli;

/// A drawing inside a page. Colours come from the page's style sheet, by class.
final class Svg {
    private final StringBuilder shapes = new StringBuilder();
    private final String title;
    private final int width;
    private final int height;

    /// @param title for those who cannot see it
    Svg(String title, int width, int height) {
        this.title = title;
        this.width = width;
        this.height = height;
    }

    Svg line(String style, double x1, double y1, double x2, double y2) {
        return add("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", style, x1, y1, x2, y2);
    }

    Svg path(String style, double[] x, double[] y) {
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < x.length; i++) {
            points.append(Amounts.text("%s%.1f,%.1f", i == 0 ? "" : " ", x[i], y[i]));
        }
        return add("<polyline class=\"%s\" points=\"%s\"/>", style, points);
    }

    Svg rectangle(String style, double x, double y, double across, double down) {
        return add(
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"/>",
                style, x, y, across, down);
    }

    /// A dot that tells `tip` to whoever points at it.
    Svg dot(String style, double x, double y, String tip) {
        return add(
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>%s</title></circle>",
                style, x, y, escape(tip));
    }

    /// @param anchor `start`, `middle` or `end`: which part of the text is at `x`
    Svg text(String style, double x, double y, String anchor, String text) {
        return add(
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
                style, x, y, anchor, escape(text));
    }

    /// Text turned so that its baseline rises by `degrees`.
    Svg slanted(String style, double x, double y, double degrees, String text) {
        return add(
                "<text class=\"%s\" transform=\"translate(%.1f %.1f) rotate(%.1f)\">%s</text>",
                style, x, y, -degrees, escape(text));
    }

    /// The element.
    String html() {
        return Amounts.text(
                "<svg role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\" style=\"max-width:%dpx\">\n%s</svg>\n",
                escape(title), width, height, width, shapes);
    }

    /// Text that may stand between tags or quotes.
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private Svg add(String format, Object... arguments) {
        shapes.append(Amounts.text(format, arguments)).append('\n');
        return this;
    }
}
