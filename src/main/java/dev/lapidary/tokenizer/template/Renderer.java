package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs statements.
final class Renderer {
    private final Budget budget = new Budget();
    private final Evaluator evaluator = new Evaluator(budget);
    private Text.Builder out = new Text.Builder();

    /// How a body ended.
    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    /// Renders with these variables, values of a template's.
    static Text render(List<Statement> template, Map<String, Object> variables) {
        Renderer renderer = new Renderer();
        Scope globals = renderer.globals();
        variables.forEach(globals::set);
        renderer.run(template, new Scope(globals));
        return renderer.out.text();
    }

    private Scope globals() {
        Scope globals = new Scope(null);
        globals.set("raise_exception", (Function) (positional, named, line) -> {
            Object message = new CallArguments("raise_exception", positional, named, line)
                    .allow("message")
                    .need(0, "message");
            throw TemplateException.raised(line, Values.text(message, line).chars());
        });
        globals.set("range", (Function) (positional, named, line) ->
                Filters.range(new CallArguments("range", positional, named, line), budget));
        globals.set("namespace", (Function) (positional, named, line) -> {
            new CallArguments("namespace", positional, Map.of(), line).allow();
            return new Namespace(new LinkedHashMap<>(named));
        });
        globals.set("dict", (Function) (positional, named, line) -> {
            CallArguments call = new CallArguments("dict", positional, named, line);
            new CallArguments("dict", positional, Map.of(), line).allow();
            return Filters.entries(call);
        });
        return globals;
    }

    private Flow run(List<Statement> body, Scope scope) {
        for (Statement statement : body) {
            Flow flow = run(statement, scope);
            if (flow != Flow.ON) {
                return flow;
            }
        }
        return Flow.ON;
    }

    private Flow run(Statement statement, Scope scope) {
        switch (statement) {
            case Statement.Output output -> print(output.text(), output.line());
            case Statement.Print print -> {
                Object value = evaluator.value(print.value(), scope);
                print(Values.text(value, print.value().line()), print.value().line());
            }
            case Statement.If branches -> {
                return branch(branches, scope);
            }
            case Statement.For loop -> loop(loop, scope);
            case Statement.Set set -> scope.set(set.name(), evaluator.value(set.value(), scope));
            case Statement.SetAttribute set -> setAttribute(set, scope);
            case Statement.SetBlock set -> scope.set(set.name(), captured(set.body(), scope));
            case Statement.Macro macro -> scope.set(macro.name(), function(macro, scope));
            case Statement.Break _ -> {
                return Flow.BREAK;
            }
            case Statement.Continue _ -> {
                return Flow.CONTINUE;
            }
            case Statement.Group group -> {
                return run(group.body(), scope);
            }
        }
        return Flow.ON;
    }

    private void print(Text text, int line) {
        budget.made((long) out.length() + text.length(), line);
        out.add(text);
    }

    private Flow branch(Statement.If branches, Scope scope) {
        for (int i = 0; i < branches.tests().size(); i++) {
            if (Values.isTrue(evaluator.value(branches.tests().get(i), scope))) {
                return run(branches.bodies().get(i), scope);
            }
        }
        return run(branches.otherwise(), scope);
    }

    private void loop(Statement.For loop, Scope scope) {
        List<Object> items = new ArrayList<>();
        for (Object item : Values.items(evaluator.value(loop.items(), scope), loop.line())) {
            Expression where = loop.where();
            if (where == null || Values.isTrue(evaluator.value(where, bound(loop, item, scope)))) {
                items.add(item);
            }
        }
        if (items.isEmpty()) {
            run(loop.otherwise(), scope);
        }
        for (int index = 0; index < items.size(); index++) {
            budget.step(loop.line());
            Scope inside = bound(loop, items.get(index), scope);
            inside.set("loop", state(items, index));
            if (run(loop.body(), inside) == Flow.BREAK) {
                return;
            }
        }
    }

    /// A scope in which the loop's names stand for an item, or for its parts.
    private static Scope bound(Statement.For loop, Object item, Scope scope) {
        Scope bound = new Scope(scope);
        if (loop.targets().size() == 1) {
            bound.set(loop.targets().getFirst(), item);
            return bound;
        }
        List<?> parts = Values.items(item, loop.line());
        if (parts.size() != loop.targets().size()) {
            throw new TemplateException(
                    loop.line(),
                    "got %d values for %d names"
                            .formatted(parts.size(), loop.targets().size()));
        }
        for (int i = 0; i < parts.size(); i++) {
            bound.set(loop.targets().get(i), parts.get(i));
        }
        return bound;
    }

    private static Namespace state(List<Object> items, int index) {
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("index", index + 1L);
        state.put("index0", (long) index);
        state.put("revindex", (long) items.size() - index);
        state.put("revindex0", items.size() - index - 1L);
        state.put("first", index == 0);
        state.put("last", index == items.size() - 1);
        state.put("length", (long) items.size());
        if (index > 0) {
            state.put("previtem", items.get(index - 1));
        }
        if (index < items.size() - 1) {
            state.put("nextitem", items.get(index + 1));
        }
        return new Namespace(state);
    }

    private void setAttribute(Statement.SetAttribute set, Scope scope) {
        if (!(scope.get(set.namespace()) instanceof Namespace namespace)) {
            throw new TemplateException(
                    set.line(), "got %s, need a namespace".formatted(Values.kind(scope.get(set.namespace()))));
        }
        namespace.attributes().put(set.attribute(), evaluator.value(set.value(), scope));
    }

    private Text captured(List<Statement> body, Scope scope) {
        Text.Builder around = out;
        out = new Text.Builder();
        try {
            run(body, new Scope(scope));
            return out.text();
        } finally {
            out = around;
        }
    }

    private Function function(Statement.Macro macro, Scope scope) {
        return (positional, named, line) -> {
            CallArguments call = new CallArguments(macro.name(), positional, named, line)
                    .allow(macro.parameters().toArray(String[]::new));
            Scope inside = new Scope(scope);
            int required = macro.parameters().size() - macro.defaults().size();
            for (int i = 0; i < macro.parameters().size(); i++) {
                String name = macro.parameters().get(i);
                Object given = call.get(i, name);
                Object otherwise = i < required
                        ? new Undefined(name)
                        : evaluator.value(macro.defaults().get(i - required), inside);
                inside.set(name, given == null ? otherwise : given);
            }
            budget.enterCall(line);
            try {
                return captured(macro.body(), inside);
            } finally {
                budget.leaveCall();
            }
        };
    }
}
