package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.lapidary.tokenizer.Tokenizer;
import dev.lapidary.tokenizer.TokenizerException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// GGUF files changed at random in header, metadata, tokenizer and tensor table: each is read, every byte of it, or
/// refused with an exception, at once and without asking for memory that the file does not have.
class MutatedGgufTest {
    /// `-Dlapidary.mutations=200000` looks harder.
    private static final int FILES = Integer.getInteger("lapidary.mutations", 4000);

    @TempDir
    private Path folder = Path.of("");

    @Test
    void everyFileIsReadOrRefused() throws IOException {
        byte[] good = smallFile();
        Path file = folder.resolve("m.gguf");
        int read = 0;
        for (int seed = 0; seed < FILES; seed++) {
            Files.write(file, Mutations.mutated(good, new Random(seed), Mutations.BINARY));
            try (Limits _ = new Limits(seed);
                    Arena arena = Arena.ofConfined()) {
                GgufFile mapped = GgufFile.map(file, arena);
                touch(mapped);
                Tokenizer.find(file)
                        .ifPresent(
                                tokenizer -> assertThat(tokenizer.encode("a b")).isNotEmpty());
                read++;
            } catch (CheckpointException | TokenizerException refused) {
                assertThat(refused.getMessage()).startsWith(folder.toString()).hasSizeLessThan(4000);
            } catch (RuntimeException | Error e) {
                fail("seed " + seed, e);
            }
        }
        assertThat(read).as("some survive, most do not").isBetween(FILES / 100, FILES * 2 / 3);
    }

    /// Every key by every kind of access, every byte of every tensor.
    private static void touch(GgufFile file) {
        GgufMetadata metadata = file.metadata();
        for (String key : metadata.keys()) {
            for (Access access : List.<Access>of(
                    metadata::intValue,
                    metadata::doubleValue,
                    metadata::string,
                    k -> metadata.booleanValue(k, true),
                    k -> metadata.strings(k, 1000),
                    k -> metadata.floats(k, 1000),
                    k -> metadata.integers(k, 1000))) {
                try {
                    access.read(key);
                } catch (CheckpointException refused) {
                    assertThat(refused.getMessage()).contains(": got ");
                }
            }
        }
        CRC32 sum = new CRC32();
        for (Tensor tensor : file.tensors().values()) {
            sum.update(tensor.data().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private interface Access {
        Object read(String key) throws CheckpointException;
    }

    private static byte[] smallFile() {
        GgufBytes tokens = new GgufBytes();
        List<String> pieces = List.of("<pad>", "<eos>", "<bos>", "<unk>", "\u2581", "a", "b", "ab", "\u2581a", "  ");
        pieces.forEach(tokens::string);
        GgufBytes scores = new GgufBytes();
        GgufBytes types = new GgufBytes();
        for (int i = 0; i < pieces.size(); i++) {
            scores.int32(Float.floatToRawIntBits(-i));
            types.int32(i < 3 ? 3 : i == 3 ? 2 : i == 9 ? 4 : 1);
        }
        return new RawGguf()
                .key("general.architecture", 8, new GgufBytes().string("gemma3").toBytes())
                .uint32("general.alignment", 32)
                .key(
                        "gemma3.attention.layer_norm_rms_epsilon",
                        6,
                        new GgufBytes().int32(0x358637bd).toBytes())
                .key("tokenizer.ggml.model", 8, new GgufBytes().string("llama").toBytes())
                .array("tokenizer.ggml.tokens", 8, pieces.size(), tokens.toBytes())
                .array("tokenizer.ggml.scores", 6, pieces.size(), scores.toBytes())
                .array("tokenizer.ggml.token_type", 5, pieces.size(), types.toBytes())
                .uint32("tokenizer.ggml.bos_token_id", 2)
                .key("tokenizer.ggml.add_space_prefix", 7, new byte[1])
                .tensor("token_embd.weight", 0, 0, 4, 10)
                .tensor("blk.0.attn_q.weight", 2, 160, 32, 2)
                .tensor("output_norm.weight", 30, 224, 4)
                .data(232)
                .toBytes();
    }
}
