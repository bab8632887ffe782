package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.model.ActivationObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Sessions and threads: one at a time in each, any number in different ones, and ways to end what is running.
@Timeout(60)
class SessionThreadsTest {
    private static final Sampling SAMPLING =
            Sampling.temperature(1).seed(5).ignoreStopTokens(true).maxTokens(30);

    @TempDir
    private Path folder;

    private Gemma gemma;

    @BeforeEach
    void open() throws IOException {
        gemma = TinyModel.open(folder);
    }

    @AfterEach
    void close() {
        gemma.close();
    }

    @Test
    void cancelFromAnotherThreadEndsAGenerationAfterTheTokenAtHand() {
        try (Session session = session(ids(6, 1))) {
            AtomicInteger seen = new AtomicInteger();
            Generation generation = session.generate(SAMPLING, token -> {
                if (seen.incrementAndGet() == 4) {
                    elsewhere(session::cancel);
                }
            });
            assertThat(generation.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(generation.tokens()).hasSize(4);
            assertThat(session.position()).isEqualTo(10);
            assertThat(session.generate(SAMPLING).tokens()).hasSize(30);
        }
    }

    @Test
    void cancelEndsAPromptBeforeTheNextLayerAndTheNextCallComputesTheRest() {
        int[] prompt = ids(40, 2);
        try (Session session = gemma.newSession(Capacity.tokens(128));
                Session whole = session(prompt)) {
            List<Integer> layers = new ArrayList<>();
            ActivationObserver observer = (layer, stage, activation) -> {
                layers.add(layer);
                if (layer == 2) {
                    elsewhere(session::cancel);
                }
            };
            assertThatThrownBy(() -> session.append(prompt, observer))
                    .isInstanceOf(CancellationException.class)
                    .hasMessage("cancelled before layer 3");
            assertThat(layers).contains(2).doesNotContain(3);
            assertThat(session.position()).isEqualTo(40);
            assertThat(session.logits()).isEqualTo(whole.logits());
        }
    }

    @Test
    void anInterruptEndsAPromptBeforeTheNextLayerToo() {
        int[] prompt = ids(16, 3);
        Thread user = Thread.currentThread();
        try (Session session = gemma.newSession(Capacity.tokens(128));
                Session whole = session(prompt)) {
            ActivationObserver observer = (layer, stage, activation) -> {
                if (layer == 1 && stage == ActivationObserver.Stage.RESIDUAL) {
                    user.interrupt();
                    // It has taken notice when it waits again.
                    while (user.isInterrupted() || user.getState() != Thread.State.WAITING) {
                        Thread.onSpinWait();
                    }
                }
            };
            assertThatThrownBy(() -> session.append(prompt, observer))
                    .isInstanceOf(CancellationException.class)
                    .hasMessage("cancelled before layer 2");
            assertThat(Thread.interrupted()).as("the flag stays set").isTrue();
            assertThat(session.logits()).isEqualTo(whole.logits());
        }
    }

    @Test
    void anInterruptEndsAGenerationAfterTheTokenAtHand() {
        try (Session session = session(ids(6, 1))) {
            Generation generation = session.generate(SAMPLING, token -> {
                if (token.position() == 8) {
                    Thread.currentThread().interrupt();
                }
            });
            assertThat(Thread.interrupted()).as("the flag stays set").isTrue();
            assertThat(generation.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(generation.tokens()).hasSize(3);
        }
    }

    @Test
    void aSecondThreadIsRefusedWhileOneIsInside() {
        try (Session session = session(ids(6, 4))) {
            List<String> refusals = new ArrayList<>();
            session.generate(
                    SAMPLING.maxTokens(1),
                    token -> elsewhere(() -> {
                        for (Runnable call : calls(session)) {
                            assertThatThrownBy(call::run)
                                    .isInstanceOfSatisfying(
                                            IllegalStateException.class, e -> refusals.add(e.getMessage()));
                        }
                        assertThatThrownBy(session::close)
                                .isInstanceOfSatisfying(IllegalStateException.class, e -> refusals.add(e.getMessage()));
                    }));
            assertThat(refusals)
                    .hasSize(calls(session).size() + 1)
                    .containsOnly(
                            "session: got a call from elsewhere while another is running, need one thread at a time");
            assertThat(session.position()).isEqualTo(7);
        }
    }

    @Test
    void aCallbackMayNotCallItsOwnSession() {
        try (Session session = session(ids(6, 4))) {
            String name = Thread.currentThread().getName();
            assertThatThrownBy(() -> session.generate(SAMPLING, token -> session.append(1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("session: got a call from %s while another is running, need one thread at a time"
                            .formatted(name));
            assertThatThrownBy(() -> session.append(ids(3, 5), (position, logits) -> session.rewind(0)))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(session.generate(SAMPLING.maxTokens(2)).tokens()).hasSize(2);
        }
    }

    @Test
    void aSessionMayChangeHands() throws Exception {
        try (Session session = session(ids(6, 4));
                Session alone = session(ids(6, 4));
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            int[] expected = alone.generate(SAMPLING).ids();
            for (int id : expected) {
                Future<Token> next = threads.submit(() -> session.next(SAMPLING));
                assertThat(next.get().id()).isEqualTo(id);
            }
        }
    }

    @Test
    void sessionsOfManyVirtualThreadsEachGenerateWhatTheyWouldAlone() throws Exception {
        int count = 24;
        List<int[]> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            expected.add(generate(i));
        }
        List<Future<int[]>> generated = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < count; i++) {
                int session = i;
                generated.add(threads.submit(() -> generate(session)));
            }
        }
        for (int i = 0; i < count; i++) {
            assertThat(generated.get(i).get()).as("session %d", i).isEqualTo(expected.get(i));
        }
    }

    @Test
    void aClosedSessionRefusesEverythingButBeingClosed() {
        Session session = session(ids(6, 4));
        session.close();
        for (Runnable call : calls(session)) {
            assertThatThrownBy(call::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("session: it is closed");
        }
        session.close();
    }

    @Test
    void sessionsOfAClosedModelRefuseEverythingButBeingClosed() {
        try (Session session = session(ids(6, 4))) {
            gemma.close();
            for (Runnable call : calls(session)) {
                assertThatThrownBy(call::run)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage(folder + ": the model is closed");
            }
            assertThatThrownBy(() -> gemma.newSession(Capacity.tokens(8)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(folder + ": the model is closed");
            gemma.close();
        }
    }

    @Test
    void aModelClosedUnderAGenerationEndsItWithAnException() {
        try (Session session = session(ids(6, 4))) {
            assertThatThrownBy(() -> session.generate(SAMPLING, token -> elsewhere(gemma::close)))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    /// Everything a session can be asked that looks at its tokens.
    private static List<Runnable> calls(Session session) {
        return List.of(
                () -> session.append(1),
                () -> session.append("a"),
                () -> session.append(new int[] {1}, (position, logits) -> {}),
                () -> session.next(SAMPLING),
                () -> session.generate(SAMPLING),
                () -> session.stream(SAMPLING),
                session::logits,
                session::ids,
                () -> session.rewind(1),
                session::fork);
    }

    private int[] generate(int index) {
        try (Session session = session(ids(1 + 5 * index, index))) {
            return session.generate(SAMPLING.seed(index).maxTokens(12)).ids();
        }
    }

    private Session session(int... ids) {
        Session session = gemma.newSession(Capacity.tokens(256));
        session.append(ids);
        return session;
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, TinyModel.VOCAB).toArray();
    }

    /// Runs and awaits `work` on another thread; its failure is this thread's.
    private static void elsewhere(Runnable work) {
        List<Throwable> failures = new ArrayList<>();
        Thread thread = new Thread(work, "elsewhere");
        thread.setUncaughtExceptionHandler((failed, failure) -> failures.add(failure));
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertThat(failures).isEmpty();
    }
}
