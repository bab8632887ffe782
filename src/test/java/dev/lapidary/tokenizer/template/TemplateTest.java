package dev.lapidary.tokenizer.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Templates, held to what Jinja2 makes of them (`cases.py` beside `cases.json`), and what is refused.
class TemplateTest {
    private static final Path RESOURCES = Path.of("src/test/resources/template");

    /// @param expected what Jinja2 rendered
    /// @param raised   what the template said is wrong
    record Case(
            String template,
            Map<String, @Nullable Object> variables,
            @Nullable String expected,
            @Nullable String raised) {}

    static Stream<Named<Case>> cases() throws IOException {
        JsonObject file = JsonParser.parseString(Files.readString(RESOURCES.resolve("cases.json")))
                .getAsJsonObject();
        List<Named<Case>> cases = new ArrayList<>();
        for (JsonElement element : file.getAsJsonArray("cases")) {
            JsonObject one = element.getAsJsonObject();
            String name = one.get("name").getAsString();
            String template = one.has("template")
                    ? one.get("template").getAsString()
                    : Files.readString(RESOURCES.resolve(name + ".jinja"));
            Map<String, @Nullable Object> variables = variables(
                    one.has("variables") ? one.getAsJsonObject("variables") : file.getAsJsonObject("variables"));
            Case given = new Case(template, variables, string(one, "output"), string(one, "raised"));
            cases.add(Named.of("%d %s %s".formatted(cases.size(), name, one.get("template")), given));
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rendersAsJinja(Case given) {
        if (given.expected() != null) {
            assertThat(Template.parse(given.template())
                            .render(given.variables())
                            .chars())
                    .isEqualTo(given.expected());
        } else if (given.raised() != null) {
            assertThatThrownBy(() -> Template.parse(given.template()).render(given.variables()))
                    .isInstanceOfSatisfying(
                            TemplateException.class,
                            e -> assertThat(e.isRaised()).isTrue())
                    .hasMessageMatching("\\Q%s\\E \\(line \\d+\\)".formatted(given.raised()));
        } else {
            assertThatThrownBy(() -> Template.parse(given.template()).render(given.variables()))
                    .isInstanceOfSatisfying(
                            TemplateException.class,
                            e -> assertThat(e.isRaised()).isFalse())
                    .hasMessageMatching("(?s)line \\d+: .*");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            quoteCharacter = '`',
            value = {
                "a\\n{% include 'x' %} => line 2: the statement \"include\" is not known",
                "{% raw %} => line 1: the statement \"raw\" is not known",
                "{% call f() %} => line 1: the statement \"call\" is not known",
                "{{ x | wordwrap }} => line 1: the filter \"wordwrap\" is not known",
                "\\n\\n{{ 1 is prime }} => line 3: the test \"prime\" is not known",
                "{{ 'a'.encode() }} => line 1: the method \"encode\" of a string is not known",
                "{{ {}.pop('a') }} => line 1: the method \"pop\" of a mapping is not known",
                "{{ [1].append(2) }} => line 1: a list has no method \"append\"",
                "{{ strftime_now('%Y') }} => line 1: cannot call \"strftime_now\", which is undefined",
                "{{ 'a' | trim(x=1) }} => line 1: trim: the argument \"x\" is not known",
                "{{ 'a' | upper(1) | replace('a') }} => line 1: replace: needs the argument \"new\"",
                "{{ ['a'] }} => line 1: cannot print a list; tojson can",
                "{{ a.b.c }} => line 1: got \"a\", which is undefined, need a value with \"b\"",
                "{% for a in b recursive %}{% endfor %} => line 1: a recursive loop is not known",
                "{% for a, b in [[1]] %}{% endfor %} => line 1: got 1 values for 2 names",
                "{% set a.b = 1 %} => line 1: got \"a\", which is undefined, need a namespace",
                "{{ 'a } => line 1: a string without end",
                "{{ a => line 1: a tag without end, need \"}}\"",
                "{# a => line 1: a comment without end",
                "{{ a b }} => line 1: got \"b\", need \"}}\"",
                "{{ }} => line 1: got \"}}\", need a value",
                "{{ 1 $ 2 }} => line 1: got the character '$'",
                "{% if a %} => line 1: got the end of the template, need one of elif, else, endif",
                "{% endif %} => line 1: the statement \"endif\" is not known",
                "{% if %}{% endif %} => line 1: got \"%}\", need a value",
                "{% if a %}\\n{% endfor %} => line 2: the statement \"endfor\" is not known",
                "{{ 99999999999999999999 }} => line 1: got the number 99999999999999999999, need one of 64 bits",
                "{{ 9223372036854775807 + 1 }} => line 1: 9223372036854775807 + 1: long overflow",
                "{{ {[1]: 2} }} => line 1: got a list for a key",
                "{{ range(1000000) }} => line 1: range: got 1000000 numbers, need at most 100000",
                "{{ 'a' | replace('', 'b') }} => line 1: replace: got nothing to replace",
                "{{ f(a=1, 2) }} => line 1: got \"2\", need a name and \"=\"",
                "{{ '\\uzz12' }} => line 1: got the escape \"\\uzz12\""
            })
    void refusesByNameAndLine(String template, String message) {
        assertThatThrownBy(() -> Template.parse(template.replace("\\n", "\n")).render(Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessage(message);
    }

    /// A template comes from somebody else: whatever it does, it ends, and soon.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(x='ab') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for a in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
                        + "{{ ns.x | tojson }}",
                "{% set ns = namespace(x=[1], y=[1]) %}{% for a in range(60) %}{% set ns.x = [ns.x, ns.x] %}"
                        + "{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
                "{% set ns = namespace(x=[1], y=[1]) %}{% for a in range(9999) %}{% set ns.x = [ns.x] %}"
                        + "{% set ns.y = [ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
                "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns.x | tojson }}",
                "{% set x = 'a' * 1000 %}",
                "{% for a in range(99999) %}{{ 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz' }}{% endfor %}"
                        + "{% for a in range(99999) %}{% set x = messages %}{% endfor %}"
            })
    void everyRenderingEnds(String template) {
        assertThatThrownBy(() -> Template.parse(template).render(Map.of())).isInstanceOf(TemplateException.class);
    }

    @Test
    void deepNestingIsRefused() {
        for (String deep : List.of(
                "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}",
                "{{ " + "not ".repeat(5000) + "1 }}",
                "{{ " + "-".repeat(5000) + "1 }}",
                "{{ " + "[".repeat(5000) + "]".repeat(5000) + " }}",
                "{% if a %}".repeat(5000) + "{% endif %}".repeat(5000))) {
            assertThatThrownBy(() -> Template.parse(deep)).hasMessage("line 1: nested deeper than 200");
        }
    }

    @Test
    void charactersRememberWhereTheyComeFrom() {
        Template template = Template.parse(
                "<{{ ' ' ~ a ~ 'x' | upper }}>{{ (a ~ b).replace('e', 'i')[1:4] }}{{ a | tojson }}{{ c }}");
        Text text = template.render(Map.of("a", " hey ", "b", Text.of("you", Text.TEMPLATE), "c", Text.of("#", 5)));
        assertThat(text.chars()).isEqualTo("<  hey X>hiy\" hey \"#");
        StringBuilder marks = new StringBuilder();
        for (int at = 0; at < text.length(); at++) {
            int mark = text.mark(at);
            marks.append(mark == Text.TEMPLATE ? 't' : mark == Text.PLAIN ? 'p' : Character.forDigit(mark, 10));
        }
        assertThat(marks).hasToString("ttppppptt" + "ptp" + "ppppppp" + "5");
    }

    private static @Nullable String string(JsonObject object, String key) {
        return object.has(key) ? object.get(key).getAsString() : null;
    }

    private static Map<String, @Nullable Object> variables(JsonObject object) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        object.entrySet().forEach(entry -> variables.put(entry.getKey(), value(entry.getValue())));
        variables.put("bos_token", "<bos>");
        variables.put("eos_token", "<eos>");
        return variables;
    }

    private static @Nullable Object value(JsonElement element) {
        if (element.isJsonNull()) {
            return null;
        }
        if (element.isJsonArray()) {
            return element.getAsJsonArray().asList().stream()
                    .map(TemplateTest::value)
                    .toList();
        }
        if (element.isJsonObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            element.getAsJsonObject().entrySet().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
            return map;
        }
        if (element.getAsJsonPrimitive().isString()) {
            return element.getAsString();
        }
        if (element.getAsJsonPrimitive().isBoolean()) {
            return element.getAsBoolean();
        }
        String number = element.getAsString();
        return number.contains(".") ? (Object) Double.valueOf(number) : (Object) Long.valueOf(number);
    }
}
