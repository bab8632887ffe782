package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.SoftAssertions.assertSoftly;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Ids and texts of the reference, from each file format.
class TokenizerGoldenTest {
    static Stream<Named<Tokenizer>> tokenizers() {
        return Stream.of(
                Named.of("tokenizer.model", Goldens.sentencePiece("tokenizer.model")),
                Named.of("tokenizer.json", Goldens.huggingFace("tokenizer.model")),
                Named.of("GGUF", Goldens.gguf("tokenizer.model", false)),
                Named.of("GGUF, converted", Goldens.gguf("tokenizer.model", true)));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void encodesLikeTheReference(Tokenizer tokenizer) {
        assertThat(Goldens.pairs()).hasSize(167);
        assertSoftly(soft -> Goldens.pairs()
                .forEach(pair -> soft.assertThat(tokenizer.encode(pair.text()))
                        .as("ids of \"%s\"", pair.text())
                        .isEqualTo(Goldens.ints(pair.ids()))));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void decodesLikeTheReference(Tokenizer tokenizer) {
        List<Goldens.Pair> pairs = Stream.concat(Goldens.pairs().stream(), Goldens.decodeOnly().stream())
                .toList();
        assertThat(pairs).hasSize(167 + 15);
        assertSoftly(soft -> pairs.forEach(pair -> soft.assertThat(tokenizer.decode(Goldens.ints(pair.ids())))
                .as("text of %s", pair.ids())
                .isEqualTo(pair.decoded())));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void knowsItsSpecialIds(Tokenizer tokenizer) {
        assertThat(List.of(tokenizer.padId(), tokenizer.eosId(), tokenizer.bosId(), tokenizer.unkId()))
                .containsExactly(0, 1, 2, 3);
        assertThat(tokenizer.vocabSize()).isEqualTo(1100);
        assertThat(tokenizer.isControl(2)).isTrue();
        assertThat(tokenizer.isControl(3)).isFalse();
        assertThat(tokenizer.isControl(14)).isFalse();
        assertThat(tokenizer.idOf("<start_of_turn>")).hasValue(14);
        assertThat(tokenizer.idOf("<no_such_piece>")).isEmpty();
        assertThat(tokenizer.piece(315)).isEqualTo("\u2581the");
    }

    @Test
    void readsMergesInBothForms() throws IOException {
        JsonObject json = HuggingFaceJson.of(Goldens.sentencePieceModel("tokenizer.model"));
        String strings = HuggingFaceJson.withMergesAsStrings(json).toString();
        Tokenizer tokenizer = new Tokenizer(HuggingFaceFile.read(new StringReader(strings), "tokenizer.json"));
        assertSoftly(soft -> Goldens.pairs()
                .forEach(pair -> soft.assertThat(tokenizer.encode(pair.text())).isEqualTo(Goldens.ints(pair.ids()))));
    }

    @Test
    void encodesTheDemoModelsPrompts() {
        for (Tokenizer tokenizer : List.of(
                Goldens.sentencePiece("demo.model"),
                Goldens.huggingFace("demo.model"),
                Goldens.gguf("demo.model", true))) {
            for (Goldens.Case demo : Goldens.demo()) {
                assertThat(tokenizer.encodePrompt(demo.text())).isEqualTo(Goldens.ints(demo.prompt()));
                assertThat(tokenizer.decode(Goldens.ints(demo.continuation()))).isEqualTo(demo.decoded());
            }
        }
    }
}
