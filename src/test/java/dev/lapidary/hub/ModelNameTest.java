package dev.lapidary.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelNameTest {
    @Test
    void readsNameAndRevision() {
        assertThat(ModelName.parse("google/gemma-3-1b-it"))
                .isEqualTo(new ModelName("google", "gemma-3-1b-it", "main"))
                .hasToString("google/gemma-3-1b-it");
        assertThat(ModelName.parse("a/b@refs/pr/1"))
                .isEqualTo(new ModelName("a", "b", "refs/pr/1"))
                .hasToString("a/b@refs/pr/1");
        assertThat(ModelName.parse("a/b@v1.0").repository()).isEqualTo("a/b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gemma",
                "/gemma",
                "google/",
                "a/b/c",
                "../b",
                "a/..",
                "./b",
                "-a/b",
                "a/b-",
                "a--b/c",
                "a/b..c",
                "a/b c",
                "a/b.git",
                "a/b@",
                "a/b@-x",
                "a/b@x/../y",
                "a/b@/x",
                "a/b@x/",
                "a/b@x//y",
                "a/b@x y",
                "a/b@x@y",
                "a\\b/c",
                "a/b@x\n"
            })
    void refusesWhatTheHubDoesNotAllow(String text) {
        assertThatThrownBy(() -> ModelName.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("model: ");
    }

    @Test
    void knowsNamesFromPaths() {
        assertThat(ModelName.isName("google/gemma-3-1b-it")).isTrue();
        assertThat(ModelName.isName("google/gemma-3-1b-it@main")).isTrue();
        for (String path : new String[] {"gemma", "/a/b", "./a", "../a", "a/b/c", "a/b/", "~/a", "a/.b"}) {
            assertThat(ModelName.isName(path)).as(path).isFalse();
        }
    }
}
