package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizeCommandTest {
    @Test
    void idsAreWhatIdsOptionsTake() {
        assertThat(Run.of("tokenize", "In the beginning")).isEqualTo(new Run(0, "2012,1992,280,1801,1248\n", ""));
        assertThat(Run.of("tokenize", "--bos", "In the beginning").out()).isEqualTo("2,2012,1992,280,1801,1248\n");
    }

    @Test
    void piecesAreShownAsTheVocabularySpellsThem() {
        JsonObject json = Run.of("tokenize", "the 🦊", "--json").json();
        assertThat(json.getAsJsonArray("ids")).hasSameSizeAs(json.getAsJsonArray("pieces"));
        assertThat(json.getAsJsonArray("pieces").toString()).contains("▁", "<0xF0>", "<0x9F>");
        assertThat(Run.of("tokenize", " the", "--pieces").out()).isEqualTo("280\t▁the\n");
    }

    @Test
    void aTokenizerFileWillDo() {
        assertThat(Run.of("tokenize", "--tokenizer", Run.DEMO + "/tokenizer.model", "In the beginning"))
                .isEqualTo(Run.of("tokenize", "-m", Run.DEMO, "In the beginning"));
    }

    @Test
    void textsComeBackExactly(@TempDir Path folder) throws IOException {
        String text = " Zwölf Boxkämpfer\r\n\tjagen 🦊 <bos> <start_of_turn>  \n";
        Path file = Files.writeString(folder.resolve("text"), text);
        String ids = Run.of("tokenize", "--file", file.toString()).out();
        assertThat(Run.withInput(text, "tokenize").out()).isEqualTo(ids);
        assertThat(Run.withInput(ids, "detokenize")).isEqualTo(new Run(0, text, ""));
        Files.writeString(file, ids);
        assertThat(Run.of("detokenize", "--file", file.toString()).out()).isEqualTo(text);
        assertThat(Run.of("detokenize", "--json", ids).json().get("text").getAsString())
                .isEqualTo(text);
    }

    @Test
    void idsMayBeSeparateArgumentsOrAnArray() {
        assertThat(Run.of("detokenize", "2012,1992", "280").out()).isEqualTo("In the");
        assertThat(Run.withInput("[2012, 1992,\n 280]", "detokenize").out()).isEqualTo("In the");
    }
}
