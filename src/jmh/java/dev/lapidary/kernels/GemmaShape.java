package dev.lapidary.kernels;

/// Extents of checkpoints that people run.
public enum GemmaShape {
    GEMMA_3_1B(1152, 6912, 4, 1, 512, 262144),
    GEMMA_3_4B(2560, 10240, 8, 4, 1024, 262208),
    GEMMA_2_2B(2304, 9216, 8, 4, 4096, 256000);

    /// Of all three.
    static final int HEAD_DIM = 256;

    final int embedding;
    final int neurons;
    final int heads;
    final int kvHeads;
    final int window;
    final int vocab;

    GemmaShape(int embedding, int neurons, int heads, int kvHeads, int window, int vocab) {
        this.embedding = embedding;
        this.neurons = neurons;
        this.heads = heads;
        this.kvHeads = kvHeads;
        this.window = window;
        this.vocab = vocab;
    }

    /// A weight matrix of a model.
    public enum Weight {
        QUERY_KEY_VALUE,
        OUTPUT,
        GATE,
        DOWN,
        HEAD;

        int rows(GemmaShape shape) {
            return switch (this) {
                case QUERY_KEY_VALUE -> (shape.heads + 2 * shape.kvHeads) * HEAD_DIM;
                case OUTPUT, DOWN -> shape.embedding;
                case GATE -> shape.neurons;
                case HEAD -> shape.vocab;
            };
        }

        int cols(GemmaShape shape) {
            return switch (this) {
                case OUTPUT -> shape.heads * HEAD_DIM;
                case DOWN -> shape.neurons;
                case QUERY_KEY_VALUE, GATE, HEAD -> shape.embedding;
            };
        }
    }
}
