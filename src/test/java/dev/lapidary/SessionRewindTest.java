package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Going back in a session, and going on from a copy of it.
class SessionRewindTest {
    private static final int LENGTH = 2 * TinyModel.RING_SLOTS + 50;
    private static final Capacity CAPACITY = Capacity.tokens(LENGTH + 60);
    private static final double TOLERANCE = 1e-4;
    private static final Sampling SAMPLING =
            Sampling.temperature(1).seed(3).ignoreStopTokens(true).maxTokens(20);

    @TempDir
    private static Path folder;

    private static Gemma gemma;

    @BeforeAll
    static void open() throws IOException {
        gemma = TinyModel.open(folder);
    }

    @AfterAll
    static void close() {
        gemma.close();
    }

    /// Positions that the rings still hold, that they half hold, and that they lost.
    @ParameterizedTest
    @CsvSource({"433", "420", "300", "251", "247", "246", "248", "245", "242", "240", "193", "192", "100", "17", "1"})
    void aRewoundSessionGoesOnAsAFreshOne(int position) {
        int[] ids = ids(LENGTH, 1);
        int[] others = ids(40, 2);
        try (Session rewound = session(ids);
                Session fresh = session(Arrays.copyOf(ids, position))) {
            rewound.rewind(position);
            assertThat(rewound.position()).isEqualTo(position);
            assertThat(rewound.ids()).isEqualTo(Arrays.copyOf(ids, position));
            assertSame(rewound, fresh);
            rewound.append(others);
            fresh.append(others);
            assertSame(rewound, fresh);
            rewound.rewind(position + 3);
            fresh.rewind(position + 3);
            assertSame(rewound, fresh);
            rewound.append(others);
            fresh.append(others);
            assertSame(rewound, fresh);
        }
    }

    @Test
    void rewoundToTheStartItIsAsNew() {
        try (Session rewound = session(ids(300, 4));
                Session fresh = session(ids(30, 5))) {
            rewound.rewind(0);
            assertThat(rewound.position()).isZero();
            assertThatThrownBy(rewound::logits).hasMessage("session: got no token, need a prompt appended first");
            rewound.append(ids(30, 5));
            assertThat(rewound.logits()).isEqualTo(fresh.logits());
            assertThat(rewound.generate(SAMPLING).ids())
                    .isEqualTo(fresh.generate(SAMPLING).ids());
        }
    }

    @Test
    void aRewindToWhereItStandsChangesNothing() {
        try (Session session = session(ids(20, 6))) {
            float[] before = session.logits();
            session.rewind(20);
            assertThat(session.logits()).isEqualTo(before);
        }
    }

    @Test
    void aRewindOutsideTheSessionIsRefused() {
        try (Session session = session(ids(5, 7))) {
            for (int position : new int[] {-1, 6}) {
                assertThatThrownBy(() -> session.rewind(position))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("rewind: got position %d, need 0 to 5".formatted(position));
            }
            assertThat(session.position()).isEqualTo(5);
        }
    }

    /// The stream of random numbers belongs to the tokens it gave: without them it starts again.
    @Test
    void stepsAfterARewindStartAgain() {
        try (Session session = session(ids(8, 8))) {
            Token first = session.next(SAMPLING);
            Token second = session.next(SAMPLING);
            session.rewind(8);
            assertThat(session.next(SAMPLING)).isEqualTo(first);
            assertThat(session.next(SAMPLING)).isEqualTo(second);
            session.rewind(9);
            session.append(77);
            int[] ids = session.ids();
            try (Session fresh = session(ids)) {
                assertThat(session.next(SAMPLING).id())
                        .isEqualTo(fresh.next(SAMPLING).id());
                assertThat(session.next(SAMPLING)).isEqualTo(fresh.next(SAMPLING));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "30", "192", "200", "434"})
    void aForkGoesOnAloneAsItsOriginalWould(int length) {
        try (Session original = session(ids(length, 9));
                Session alone = session(ids(length, 9))) {
            int[] expected = alone.generate(SAMPLING).ids();
            try (Session fork = original.fork()) {
                fork.append(ids(20, 10));
                assertThat(original.position()).isEqualTo(length);
                fork.rewind(length);
            }
            try (Session fork = original.fork();
                    Session second = fork.fork()) {
                assertThat(fork.capacity()).isEqualTo(original.capacity());
                assertThat(fork.generate(SAMPLING).ids()).isEqualTo(expected);
                assertThat(original.generate(SAMPLING).ids()).isEqualTo(expected);
                assertThat(second.generate(SAMPLING).ids()).isEqualTo(expected);
            }
        }
    }

    @Test
    void aForkOutlivesItsOriginalAndRewindsAsFar() {
        int[] ids = ids(LENGTH, 11);
        Session original = session(ids);
        try (Session fork = original.fork();
                Session fresh = session(Arrays.copyOf(ids, 210))) {
            original.close();
            fork.rewind(210);
            assertSame(fork, fresh);
        }
    }

    private static Session session(int... ids) {
        Session session = gemma.newSession(CAPACITY);
        session.append(ids);
        return session;
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, TinyModel.VOCAB).toArray();
    }

    private static void assertSame(Session actual, Session expected) {
        float[] got = actual.logits();
        float[] want = expected.logits();
        for (int i = 0; i < want.length; i++) {
            assertThat((double) got[i]).as("logit %d", i).isCloseTo(want[i], within(TOLERANCE));
        }
    }
}
