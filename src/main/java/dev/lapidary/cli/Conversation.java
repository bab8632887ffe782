package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.Generation;
import dev.lapidary.Image;
import dev.lapidary.Sampling;
import dev.lapidary.Session;
import dev.lapidary.Token;
import dev.lapidary.tokenizer.Chat;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/// Turns of a user and a model, and the session that holds what they have said.
final class Conversation implements AutoCloseable {
    private final Console console;
    private final Gemma gemma;
    private final Session session;
    private final int piece;
    private final IntFunction<Sampling> samplings;
    private final Chat empty;
    private final List<Image> shown = new ArrayList<>();
    private Chat chat;
    private int turns;

    /// A conversation in which nothing was said.
    ///
    /// @param session   empty, closed with this
    /// @param system    empty for none
    /// @param piece     most tokens computed at once
    /// @param samplings how to pick the tokens of the answer with this index
    /// @throws IllegalArgumentException if the vocabulary has no turns
    Conversation(
            Console console, Gemma gemma, Session session, String system, int piece, IntFunction<Sampling> samplings) {
        this.console = console;
        this.gemma = gemma;
        this.session = session;
        this.piece = piece;
        this.samplings = samplings;
        Chat begun = gemma.chat(console::note);
        empty = system.isEmpty() ? begun : begun.system(system);
        chat = empty;
    }

    /// Shows a picture with what the user says next.
    ///
    /// @throws IllegalStateException if the model sees no images in conversations
    void show(Image image) {
        chat.user("", image.views());
        shown.add(image);
    }

    /// Lets the model answer.
    ///
    /// @throws IllegalStateException if what the user says does not fit any more; it then was not said
    /// @throws CancellationException after an interrupt before the answer began; nothing was said then either
    Generation answer(String said, Consumer<Token> onToken) {
        Chat asked = chat.user(said, shown.stream().mapToInt(Image::views).toArray());
        int held = session.position();
        int[] ids = asked.idsAfter(session.ids());
        if (ids.length >= session.capacity() - held) {
            throw new IllegalStateException(
                    "conversation: got %d more tokens after %d, need fewer than %d in all; /reset starts a new one"
                            .formatted(ids.length, held, session.capacity()));
        }
        try {
            if (shown.isEmpty()) {
                Prefill.append(console, session, ids, piece);
            } else {
                Prefill.append(console, session, ids, PictureOptions.softTokens(gemma, shown));
            }
        } catch (CancellationException e) {
            session.rewind(held);
            throw e;
        }
        Generation answer = session.generate(samplings.apply(turns), onToken);
        chat = asked.model(answer.ids());
        shown.clear();
        turns++;
        return answer;
    }

    /// Forgets everything that was said.
    void reset() {
        session.rewind(0);
        shown.clear();
        chat = empty;
        turns = 0;
    }

    @Override
    public void close() {
        session.close();
    }
}
