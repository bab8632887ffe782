package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigKeysTest {
    @Test
    void readsEveryKindOfValue() throws IOException {
        ConfigKeys keys = keys("{'n':3,'x':1e-06,'yes':true,'s':'gemma','ids':[1,106],'names':['a','b'],'o':{'n':4}}");
        assertThat(keys.intValue("n")).isEqualTo(3);
        assertThat(keys.intValue("n", 7)).isEqualTo(3);
        assertThat(keys.doubleValue("x")).isEqualTo(1e-6);
        assertThat(keys.doubleValue("x", 7)).isEqualTo(1e-6);
        assertThat(keys.doubleValue("n")).isEqualTo(3);
        assertThat(keys.booleanValue("yes")).isTrue();
        assertThat(keys.booleanValue("yes", false)).isTrue();
        assertThat(keys.string("s")).isEqualTo("gemma");
        assertThat(keys.string("s", "other")).isEqualTo("gemma");
        assertThat(keys.ints("ids")).containsExactly(1, 106);
        assertThat(keys.ints("n")).containsExactly(3);
        assertThat(keys.strings("names")).containsExactly("a", "b");
        assertThat(keys.object("o").intValue("n")).isEqualTo(4);
    }

    @Test
    void nullCountsAsAbsent() throws IOException {
        ConfigKeys keys = keys("{'cap':null}");
        assertThat(keys.has("cap")).isFalse();
        assertThat(keys.has("other")).isFalse();
        assertThat(keys.keys()).isEmpty();
        assertThat(keys.unread()).isEmpty();
        assertThat(keys.intValue("cap", 7)).isEqualTo(7);
        assertThat(keys.doubleValue("cap", 7.5)).isEqualTo(7.5);
        assertThat(keys.booleanValue("cap", true)).isTrue();
        assertThat(keys.string("cap", "d")).isEqualTo("d");
        assertRefused(() -> keys.intValue("cap"), "c.json: cap: got nothing, need an integer");
        assertRefused(() -> keys.doubleValue("other"), "c.json: other: got nothing, need a finite number");
    }

    @ParameterizedTest
    @CsvSource({
        "10000.0, 10000",
        "1e4, 10000",
        "-2147483648, -2147483648",
        "2147483647, 2147483647",
        "-0, 0",
        "0.0e5, 0",
        "0e2147483647, 0"
    })
    void acceptsIntegersHoweverTheyAreWritten(String written, int value) throws IOException {
        assertThat(keys("{'n':" + written + "}").intValue("n")).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2147483648", "-2147483649", "1.5", "1E+400", "1E-400", "1E+2147483647", "1E-2147483647"})
    void refusesIntegersThatAreNone(String written) throws IOException {
        ConfigKeys keys = keys("{'n':" + written + "}");
        assertRefused(
                () -> keys.intValue("n"),
                "c.json: n: got %s, need an integer from -2147483648 to 2147483647".formatted(written));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1E+309", "-1E+2147483647"})
    void refusesNumbersBeyondADouble(String written) throws IOException {
        ConfigKeys keys = keys("{'x':" + written + "}");
        assertRefused(() -> keys.doubleValue("x"), "c.json: x: got %s, need a finite number".formatted(written));
    }

    @Test
    void namesTheKeyWithItsObjectsWhatItGotAndWhatItNeeds() throws IOException {
        ConfigKeys keys = keys("{'t':{'r':{'n':'8','b':1,'s':false,'l':[1,'x'],'m':['a',2],'o':{},'d':[]}}}")
                .object("t")
                .object("r");
        assertRefused(() -> keys.intValue("n"), "c.json: t.r.n: got \"8\", need an integer");
        assertRefused(() -> keys.booleanValue("b"), "c.json: t.r.b: got 1, need true or false");
        assertRefused(() -> keys.string("s"), "c.json: t.r.s: got false, need a string");
        assertRefused(() -> keys.ints("l"), "c.json: t.r.l[1]: got \"x\", need an integer");
        assertRefused(() -> keys.strings("m"), "c.json: t.r.m[1]: got 2, need a string");
        assertRefused(() -> keys.strings("n"), "c.json: t.r.n: got \"8\", need a list of strings");
        assertRefused(() -> keys.object("l"), "c.json: t.r.l: got a list of 2, need an object");
        assertRefused(() -> keys.doubleValue("o"), "c.json: t.r.o: got an object, need a finite number");
        assertRefused(() -> keys.object("none"), "c.json: t.r.none: got nothing, need an object");
        assertThat(keys.problem("n", "7")).hasMessage("c.json: t.r.n: got \"8\", need 7");
    }

    @Test
    void remembersWhatWasRead() throws IOException {
        ConfigKeys keys = keys("{'a':1,'b':2,'c':null,'o':{'x':1,'y':{'z':1}},'p':{'q':1}}");
        assertThat(keys.unread()).containsExactly("a", "b", "o", "p");
        assertThat(keys.has("a")).isTrue();
        assertThat(keys.unread()).contains("a");
        keys.intValue("a");
        keys.object("o").intValue("x");
        assertThat(keys.unread()).containsExactly("b", "o.y", "p");
        keys.object("o").object("y").intValue("z", 0);
        assertThat(keys.unread()).containsExactly("b", "p");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]                     | got a list, need an object",
                "7                      | got a number, need an object",
                "``                     | got malformed JSON: End of input at line 1 column 1 path $",
                "{'a':1,'a':1}          | got the key \"a\" twice, need it once",
                "{'o':{'a':1,'a':1}}    | got the key \"a\" twice, need it once",
                "{'a':NaN}              | got malformed JSON: a syntax error at line 1 column 6 path $.a",
                "{'a':1}x               | got malformed JSON: a syntax error at line 1 column 9 path $",
                "{'a':1e99999999999}    | got the number 1e99999999999, need an exponent of 32 bits",
                "{'a':'\\q'}            | got malformed JSON: Invalid escape sequence at line 1 column 9 path $.a",
            })
    void refusesWhatIsNotOneStrictObject(String json, String message) {
        assertRefused(() -> keys(json), "c.json: " + message);
    }

    @Test
    void boundsNestingAndSize(@TempDir Path folder) throws IOException {
        assertRefused(
                () -> keys("{'a':" + "[".repeat(100_000)),
                "c.json: got malformed JSON: Nesting limit 32 reached at line 1 column 38 path $.a" + "[0]".repeat(31));
        Path file = folder.resolve("config.json");
        Files.writeString(file, " ".repeat((4 << 20) + 1));
        assertRefused(() -> ConfigKeys.read(file), file + ": got 4194305 bytes, need at most 4194304");
    }

    @Test
    void readsUtf8FilesOnly(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, "{\"s\":\"\u00e9\u4e2d\"}");
        assertThat(ConfigKeys.read(file).string("s")).isEqualTo("\u00e9\u4e2d");
        Files.write(file, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});
        assertRefused(() -> ConfigKeys.read(file), file + ": got bytes that are not UTF-8");
    }

    /// The keys of JSON written with single quotes.
    private static ConfigKeys keys(String json) throws CheckpointException {
        return ConfigKeys.parse("c.json", json.replace('\'', '"'));
    }

    private static void assertRefused(ThrowingCallable action, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(action)
                .satisfies(refusal -> assertThat(refusal).hasMessage(message));
    }
}
