package dev.lapidary;

import dev.lapidary.model.AttentionType;
import dev.lapidary.model.GemmaConfig;
import dev.lapidary.model.LayerConfig;
import dev.lapidary.model.ModuleTree;
import dev.lapidary.model.TextModel;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// A model as people look at it: extents, the modules with their shapes, and the traits of each layer.
///
/// @param architecture the checkpoint's own word for it: `gemma3_text`
/// @param vocab        tokens in the vocabulary
/// @param embedding    width of the residual stream
/// @param maxPositions positions the model was made for
/// @param finalSoftcap `cap * tanh(logit / cap)`; 0 for none
/// @param prompts      what an embedding model puts in front of texts, by the name of their use; empty for others
/// @param modules      the whole model
/// @param layers       first to last
public record ModelDescription(
        String architecture,
        int vocab,
        int embedding,
        int maxPositions,
        float finalSoftcap,
        SequencedMap<String, String> prompts,
        Part modules,
        List<Layer> layers) {
    /// Copies list and map.
    public ModelDescription {
        prompts = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(prompts));
        layers = List.copyOf(layers);
    }

    static ModelDescription of(TextModel model, SequencedMap<String, String> prompts, ModuleTree modules) {
        GemmaConfig config = model.config();
        return new ModelDescription(
                config.architecture(),
                config.vocab(),
                config.embedding(),
                config.maxPositions(),
                config.finalSoftcap(),
                prompts,
                part(modules),
                config.layers().stream().map(ModelDescription::layer).toList());
    }

    private static Part part(ModuleTree tree) {
        return new Part(
                tree.name(),
                tree.shape(),
                tree.parameters(),
                tree.bytes(),
                tree.children().stream().map(ModelDescription::part).toList());
    }

    private static Layer layer(LayerConfig traits) {
        boolean recurrent = traits.attention() == AttentionType.RECURRENT;
        return new Layer(
                traits.attention().name(),
                traits.window(),
                traits.heads(),
                traits.kvHeads(),
                traits.headDim(),
                traits.neurons(),
                recurrent ? 0 : traits.rope().theta(),
                recurrent ? 0 : traits.rope().factor(),
                recurrent ? 0 : traits.queryScale(),
                traits.softcap(),
                traits.queryKeyNorm(),
                traits.postNorms(),
                traits.bidirectional() ? 0 : (long) traits.cachedCols() * Float.BYTES,
                traits.bidirectional(),
                traits.keyValues().source(),
                traits.experts() == null ? 0 : traits.experts().count(),
                traits.experts() == null ? 0 : traits.experts().used(),
                traits.experts() == null ? 0 : traits.experts().neurons());
    }

    /// A module, with its modules in the order of the forward pass.
    ///
    /// @param name       what the parent calls it
    /// @param shape      `BF16 [out, in]` of a weight matrix; empty for a module of modules
    /// @param parameters weights in it and below it; a head tied to the embedding counts 0
    /// @param bytes      bytes of those weights as they are stored
    /// @param children   modules below it
    public record Part(String name, String shape, long parameters, long bytes, List<Part> children) {
        /// Copies the list.
        public Part {
            children = List.copyOf(children);
        }
    }

    /// Traits of a layer.
    ///
    /// @param attention       `LOCAL`, `GLOBAL`, or `RECURRENT` for a recurrent block in its place
    /// @param window          keys a LOCAL layer sees, the query's own included; 0 in other layers
    /// @param heads           query heads; blocks of the gates in a RECURRENT layer
    /// @param kvHeads         key and value heads; 0 in a RECURRENT layer, as what only attention has
    /// @param headDim         elements of one head
    /// @param neurons         width of the feed-forward
    /// @param ropeTheta       base of the rotary frequencies
    /// @param ropeFactor      positions are divided by it
    /// @param queryScale      factor on the attention scores
    /// @param softcap         `cap * tanh(score / cap)` on attention scores; 0 for none
    /// @param queryKeyNorm    whether queries and keys get an RMSNorm
    /// @param postNorms       whether the branches get an RMSNorm before the residual add
    /// @param kvBytesPerToken bytes of keys and values that a sequence keeps of one position; 0 where they are
    ///                        another layer's
    /// @param bidirectional   whether it sees what follows as it sees what went before
    /// @param keysFrom        layer whose keys and values it reads; -1 if it has its own
    /// @param experts         experts beside the feed-forward; 0 for none
    /// @param expertsUsed     experts that a token uses
    /// @param expertNeurons   width of an expert
    public record Layer(
            String attention,
            int window,
            int heads,
            int kvHeads,
            int headDim,
            int neurons,
            double ropeTheta,
            double ropeFactor,
            float queryScale,
            float softcap,
            boolean queryKeyNorm,
            boolean postNorms,
            long kvBytesPerToken,
            boolean bidirectional,
            int keysFrom,
            int experts,
            int expertsUsed,
            int expertNeurons) {}
}
