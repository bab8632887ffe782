package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.CheckpointException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/// Counts worked out by hand for a model of two layers, the first with a window of 4, the second without.
class CostTest {
    /// Elements of a layer's matrices: query and output 64 x 32, key and value 32 x 32, three of 64 x 32 that feed
    /// forward.
    private static final int LAYER = 2 * 64 * 32 + 2 * 32 * 32 + 3 * 64 * 32;

    /// Bytes of both layers' weights in BF16, of their norms (4 of 32, 2 of 16) and of the final one in F32.
    private static final int PASS_BYTES = 2 * 2 * LAYER + 2 * 4 * (4 * 32 + 2 * 16) + 4 * 32;

    private static final int HEAD = 100 * 32;

    /// Bytes of a position's keys and values in one layer.
    private static final int POSITION_BYTES = 2 * 32 * 4;

    @Test
    void aTokenReadsAllWeightsAndTheKeysThatItSees() throws CheckpointException {
        try (Arena arena = Arena.ofConfined()) {
            Cost cost = Cost.ofDecode(model(arena), 1, 10, 1);
            assertThat(cost.operations()).isEqualTo(2 * (2 * LAYER + HEAD) + 4 * 64 * (4 + 11));
            assertThat(cost.weightBytes()).isEqualTo(PASS_BYTES + 2 * HEAD + 2 * 32);
            assertThat(cost.cacheBytes()).isEqualTo((4 + 11 + 2) * POSITION_BYTES);
            assertThat(cost.bytes()).isEqualTo(cost.weightBytes() + cost.cacheBytes());
        }
    }

    @Test
    void aBatchReadsTheWeightsOnce() throws CheckpointException {
        try (Arena arena = Arena.ofConfined()) {
            TextModel model = model(arena);
            Cost one = Cost.ofDecode(model, 1, 10, 2);
            Cost three = Cost.ofDecode(model, 3, 10, 2);
            assertThat(three.operations()).isEqualTo(3 * one.operations());
            assertThat(three.cacheBytes()).isEqualTo(3 * one.cacheBytes());
            assertThat(three.weightBytes()).isEqualTo(one.weightBytes() + 2 * 2 * 2 * 32);
        }
    }

    @Test
    void aPromptReadsTheWeightsOncePerChunkAndTheHeadOnce() throws CheckpointException {
        try (Arena arena = Arena.ofConfined()) {
            Cost cost = Cost.ofPrefill(model(arena), 6); // 4 and 2
            int local = 1 + 2 + 3 + 4 + 4 + 4;
            int global = 1 + 2 + 3 + 4 + 5 + 6;
            assertThat(cost.operations()).isEqualTo(2 * (6 * 2 * LAYER + HEAD) + 4 * 64 * (local + global));
            assertThat(cost.weightBytes()).isEqualTo(2 * PASS_BYTES + 2 * HEAD + 6 * 2 * 32);
            int read = 4 + 4 + 5 + 6;
            assertThat(cost.cacheBytes()).isEqualTo((read + 2 * 6) * POSITION_BYTES);
        }
    }

    /// Two recurrent layers of 64 channels in 4 blocks and a convolution of 4 taps, and one of attention with 4 heads
    /// of 8 and 5 keys in its window; 32 neurons. Embedding 32, 100 tokens.
    @Test
    void aRecurrentLayerReadsAndWritesItsState() throws CheckpointException {
        int recurrent = 32 * 2 * 64 + 64 * 32 + 3 * 32 * 32 + 2 * 64 * 16 + 4 * 64;
        int attention = 32 * (32 + 2 * 8) + 32 * 32 + 3 * 32 * 32;
        int state = 4 * 64 * 4;
        int position = 2 * 8 * 4;
        GemmaConfig config = HuggingFaceConfig.read(HuggingFaceConfigTest.parse("recurrent_gemma", """
            'vocab_size':100,'hidden_size':32,'intermediate_size':64,'num_hidden_layers':3,'lru_width':64,
            'num_attention_heads':4,'num_key_value_heads':1,'attention_window_size':4\
            """), null);
        try (Arena arena = Arena.ofConfined()) {
            TextModel model = Models.random(config, 4, arena);
            Cost token = Cost.ofDecode(model, 1, 10, 1);
            assertThat(token.operations()).isEqualTo(2 * (2 * recurrent + attention + HEAD) + 4 * 32 * 5);
            assertThat(token.cacheBytes()).isEqualTo(2 * 2 * state + (5 + 1) * position);
            assertThat(Cost.ofDecode(model, 1, 1000, 1)).isEqualTo(token);
            Cost three = Cost.ofDecode(model, 3, 10, 1);
            assertThat(three.operations()).isEqualTo(3 * token.operations());
            assertThat(three.cacheBytes()).isEqualTo(3 * token.cacheBytes());
            Cost prompt = Cost.ofPrefill(model, 6); // 4 and 2: the state is read and written twice
            int keys = 1 + 2 + 3 + 4 + 5 + 5;
            assertThat(prompt.operations()).isEqualTo(2 * (6 * (2 * recurrent + attention) + HEAD) + 4 * 32 * keys);
            assertThat(prompt.cacheBytes()).isEqualTo(2 * 2 * 2 * state + (4 + 6 + 6) * position);
        }
    }

    /// A window of 4 to both sides is 2 to each; nothing is predicted.
    @Test
    void aTextToEmbedSeesItselfInBothDirections() throws CheckpointException {
        try (Arena arena = Arena.ofConfined()) {
            Cost cost = Cost.ofPrefill(model(arena, ",'use_bidirectional_attention':true"), 4);
            int local = 3 + 4 + 4 + 3;
            int global = 4 * 4;
            assertThat(cost.operations()).isEqualTo(2 * 4 * 2 * LAYER + 4 * 64 * (local + global));
            assertThat(cost.weightBytes()).isEqualTo(PASS_BYTES + 4 * 2 * 32);
            assertThat(cost.cacheBytes()).isEqualTo((4 + 4 + 2 * 4) * POSITION_BYTES);
        }
    }

    private static TextModel model(Arena arena) throws CheckpointException {
        return model(arena, "");
    }

    private static TextModel model(Arena arena, String more) throws CheckpointException {
        GemmaConfig config = HuggingFaceConfig.read(HuggingFaceConfigTest.parse("gemma3_text", """
            'vocab_size':100,'hidden_size':32,'intermediate_size':64,'num_hidden_layers':2,'head_dim':16,
            'num_attention_heads':4,'num_key_value_heads':2,'sliding_window':4,'sliding_window_pattern':2\
            """ + more), null);
        return Models.random(config, 4, arena);
    }
}
