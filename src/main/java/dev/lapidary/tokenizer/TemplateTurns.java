package dev.lapidary.tokenizer;

import dev.lapidary.tokenizer.Turn.Speaker;
import dev.lapidary.tokenizer.template.TemplateException;
import dev.lapidary.tokenizer.template.Text;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Turns as a checkpoint's own template writes them.
///
/// Only what the template itself writes can become a symbol such as `<start_of_turn>`; the same characters in what
/// people say stay plain text. What the model said as ids stands there as these very ids. System text that the template
/// refuses goes in front of the first user turn.
final class TemplateTurns implements TurnFormat {
    /// Stands for what the model said, where its ids are known.
    private static final String ANSWER = "\ufffc";

    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final @Nullable ImageSymbols images;
    private final boolean knowsSystem;

    /// @param images how images are written; null for a model that sees none
    TemplateTurns(Tokenizer tokenizer, ChatTemplate template, @Nullable ImageSymbols images) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.images = images;
        knowsSystem = knowsSystem();
    }

    /// The template itself says what may follow what.
    @Override
    public void check(List<Turn> turns, Speaker next) {}

    @Override
    public int[] ids(List<Turn> turns) {
        List<int[]> answers = new ArrayList<>();
        List<Map<String, Object>> messages = messages(turns, answers);
        try {
            List<Integer> views =
                    turns.stream().flatMap(turn -> turn.views().stream()).toList();
            return ids(render(messages), answers, views);
        } catch (TemplateException e) {
            String message = "%s: %s".formatted(template.source(), e.getMessage());
            throw e.isRaised() ? new IllegalStateException(message, e) : new IllegalArgumentException(message, e);
        }
    }

    @Override
    public boolean isStop(int id) {
        return id == tokenizer.eosId() || tokenizer.isSteering(id);
    }

    private boolean knowsSystem() {
        try {
            return render(List.of(message("system", "S1"), message("user", "U2")))
                    .chars()
                    .contains("S1");
        } catch (TemplateException e) {
            return false;
        }
    }

    private List<Map<String, Object>> messages(List<Turn> turns, List<int[]> answers) {
        List<Map<String, Object>> messages = new ArrayList<>();
        String system = "";
        for (Turn turn : turns) {
            switch (turn.speaker()) {
                case SYSTEM -> {
                    if (knowsSystem) {
                        messages.add(message("system", turn.text()));
                    } else {
                        system = turn.text() + "\n\n";
                    }
                }
                case USER -> {
                    String text = system.isEmpty()
                            ? turn.text()
                            : system + turn.text().strip();
                    messages.add(message("user", turn.views().isEmpty() ? text : content(turn.views(), text)));
                    system = "";
                }
                case MODEL -> {
                    Object content = turn.text();
                    if (turn.ids().isPresent()) {
                        content = Text.of(ANSWER, answers.size());
                        answers.add(turn.ids().get());
                    }
                    messages.add(message("assistant", content));
                }
            }
        }
        return messages;
    }

    /// Images and a text as templates know them.
    private static List<Object> content(List<Integer> views, String text) {
        List<Object> items = new ArrayList<>();
        views.forEach(_ -> items.add(Map.of("type", "image")));
        items.add(Map.of("type", "text", "text", text));
        return items;
    }

    private static Map<String, Object> message(String role, Object content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", Text.of(role, Text.TEMPLATE));
        message.put("content", content);
        return message;
    }

    /// With the variables that Hugging Face gives.
    private Text render(List<Map<String, Object>> messages) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("messages", messages);
        variables.put("tools", null);
        variables.put("documents", null);
        variables.put("add_generation_prompt", true);
        variables.put("bos_token", symbol(tokenizer.bosId()));
        variables.put("eos_token", symbol(tokenizer.eosId()));
        variables.put("pad_token", symbol(tokenizer.padId()));
        variables.put("unk_token", symbol(tokenizer.unkId()));
        return template.template().render(variables);
    }

    private Text symbol(int id) {
        return Text.of(tokenizer.piece(id), Text.TEMPLATE);
    }

    private int[] ids(Text rendered, List<int[]> answers, List<Integer> views) {
        IdWriter all = new IdWriter(tokenizer::encodePlain);
        Iterator<Integer> shown = views.iterator();
        char[] chars = rendered.chars().toCharArray();
        for (int at = 0; at < chars.length; ) {
            int mark = rendered.mark(at);
            int end = at;
            while (end < chars.length && rendered.mark(end) == mark) {
                end++;
            }
            if (mark >= 0) {
                all.ids(answers.get(mark));
                at = end;
            } else if (mark == Text.TEMPLATE) {
                for (; at < end; at++) {
                    at += symbol(chars, at, end, shown, all);
                }
            } else {
                all.text(CharBuffer.wrap(chars, at, end - at));
                at = end;
            }
        }
        if (shown.hasNext()) {
            throw new IllegalArgumentException("%s: got fewer image symbols than the %d images given, need one for each"
                    .formatted(template.source(), views.size()));
        }
        return all.toArray();
    }

    /// Writes what the template says at `at`: a symbol, an image in place of its symbol, or a character.
    ///
    /// @return how many more characters it is written with
    private int symbol(char[] chars, int at, int end, Iterator<Integer> shown, IdWriter all) {
        int symbol = tokenizer.steeringAt(chars, at, end);
        if (symbol < 0) {
            all.text(CharBuffer.wrap(chars, at, 1));
            return 0;
        }
        if (images != null && symbol == images.begin() && shown.hasNext()) {
            all.image(images, shown.next());
        } else {
            all.ids(symbol);
        }
        return tokenizer.piece(symbol).length() - 1;
    }

    @Override
    public boolean seesImages() {
        return images != null;
    }
}
