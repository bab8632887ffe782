package dev.lapidary.model;

/// What a computation cannot do without: the arithmetic of its matrix products, and the bytes it has to take out of
/// memory when nothing is in a cache. Norms, rotations and activations are small beside them and left out.
///
/// @param operations  products and sums, each counted
/// @param weightBytes of weights, once for each pass over them
/// @param cacheBytes  of keys, values and recurrent states, read and written
public record Cost(double operations, double weightBytes, double cacheBytes) {
    /// Bytes in all.
    public double bytes() {
        return weightBytes + cacheBytes;
    }

    /// A prompt of `tokens` from an empty cache, chunk by chunk, with logits of its last token.
    public static Cost ofPrefill(TextModel model, int tokens) {
        Cost cost = new Cost(0, 0, 0);
        for (int position = 0; position < tokens; position += model.chunk()) {
            int rows = Math.min(model.chunk(), tokens - position);
            boolean last = position + rows == tokens;
            cost = cost.plus(
                    ofPass(model, 1, position, rows, last && !model.config().bidirectional() ? 1 : 0));
        }
        return cost;
    }

    /// `steps` tokens of each of `sequences` that are `depth` tokens long, all of them decoding together.
    public static Cost ofDecode(TextModel model, int sequences, int depth, int steps) {
        Cost cost = new Cost(0, 0, 0);
        for (int step = 0; step < steps; step++) {
            cost = cost.plus(ofPass(model, sequences, depth + step, 1, sequences));
        }
        return cost;
    }

    /// One batch: `rows` tokens of each of `sequences`, from `position` on.
    private static Cost ofPass(TextModel model, int sequences, int position, int rows, int logitRows) {
        GemmaConfig config = model.config();
        double operations = 0;
        double cacheBytes = 0;
        for (LayerConfig layer : config.layers()) {
            operations += sequences * layerOperations(config, layer, position, rows);
            long span = layer.bidirectional() ? rows : (long) rows + visible(layer, position, position + 1) - 1;
            double readBytes = span * 2.0 * layer.kvCols() * model.cacheType().bytes();
            double writtenBytes =
                    (double) rows * layer.cachedCols() * model.cacheType().bytes();
            double stateBytes = 2.0 * RecurrentState.bytes(layer);
            cacheBytes += sequences * (readBytes + writtenBytes + stateBytes);
        }
        operations += 2.0 * logitRows * config.embedding() * config.vocab();
        return new Cost(operations, weightBytes(model, sequences * rows, logitRows), cacheBytes);
    }

    /// The layer's products, and those of attention over the keys that each row sees.
    private static double layerOperations(GemmaConfig config, LayerConfig layer, int position, int rows) {
        double weights = (double) config.embedding() * (layer.inputCols() + layer.queryCols())
                + 3.0 * config.embedding() * layer.neurons();
        if (layer.experts() != null) {
            Experts experts = layer.experts();
            weights += config.embedding() * (experts.count() + 3.0 * experts.used() * experts.neurons());
        }
        if (config.perLayer() != null) {
            weights += 3.0 * config.embedding() * config.perLayer().width();
        }
        weights += 2.0 * config.embedding() * config.laurelRank();
        if (config.altUp() != null) {
            weights += config.embedding()
                    * streamOperations(config.altUp().streams(), config.layers().size(), config.embedding());
        }
        if (layer.attention() == AttentionType.RECURRENT) {
            double gates = 2.0 * layer.queryCols() * layer.headDim();
            double convolution = (double) layer.convolution() * layer.queryCols();
            return 2 * rows * (weights + gates + convolution);
        }
        double keys = 0;
        for (int row = 0; row < rows; row++) {
            keys += visible(layer, position + row, position + rows);
        }
        return 2 * rows * weights + 4 * keys * layer.queryCols();
    }

    /// Of one layer and column: two routers, predictions, corrections, and its part of the products at both ends.
    private static double streamOperations(int streams, int layers, int embedding) {
        return streams * (3.0 + streams) + 2.0 * (streams - 1) * embedding / layers;
    }

    /// Keys that a query at `position` of a sequence of `length` tokens sees.
    private static int visible(LayerConfig layer, int position, int length) {
        return layer.attention() == AttentionType.RECURRENT
                ? 0
                : Attention.end(layer, position, length) - Attention.firstVisible(layer, position);
    }

    /// Every layer once, a row of each embedding per token, and the head if there are logits to compute; of experts
    /// as many as the tokens can use at most.
    private static double weightBytes(TextModel model, int tokens, int logitRows) {
        ModuleTree tree = model.moduleTree();
        ModuleTree embedding = tree.child("embedding");
        return tree.child("layers").bytes()
                - unusedExpertBytes(model.config(), tree, tokens)
                + perLayerBytes(model.config(), tree, tokens)
                + (model.config().altUp() == null ? 0 : tree.child("streams").bytes())
                + tree.child("finalNorm").bytes()
                + (double) tokens * embedding.bytes() / model.config().vocab()
                + (logitRows > 0 ? headBytes(tree) : 0);
    }

    private static double headBytes(ModuleTree tree) {
        ModuleTree head = tree.child("head");
        return head.bytes() == 0 ? tree.child("embedding").bytes() : head.bytes();
    }

    private static double unusedExpertBytes(GemmaConfig config, ModuleTree tree, int tokens) {
        Experts experts = config.experts();
        if (experts == null) {
            return 0;
        }
        double unused = Math.max(0, 1 - (double) tokens * experts.used() / experts.count());
        return unused
                * tree.child("layers").children().stream()
                        .flatMap(layer -> layer.children().stream())
                        .filter(module -> module.name().equals("mixture"))
                        .mapToDouble(mixture -> mixture.child("experts").bytes())
                        .sum();
    }

    private static double perLayerBytes(GemmaConfig config, ModuleTree tree, int tokens) {
        if (config.perLayer() == null) {
            return 0;
        }
        ModuleTree perLayer = tree.child("perLayerEmbedding");
        double table = perLayer.child("table").bytes();
        return perLayer.bytes() - table + tokens * table / config.perLayer().vocab();
    }

    private Cost plus(Cost other) {
        return new Cost(operations + other.operations, weightBytes + other.weightBytes, cacheBytes + other.cacheBytes);
    }
}
