package dev.lapidary;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.embedding.EmbeddingModel;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.NativeKernels;
import dev.lapidary.model.ModuleTree;
import dev.lapidary.model.TextEncoder;
import dev.lapidary.model.TextModel;
import dev.lapidary.model.Workspace;
import dev.lapidary.tokenizer.Chat;
import dev.lapidary.tokenizer.ImageSymbols;
import dev.lapidary.tokenizer.Tokenizer;
import dev.lapidary.vision.ImagePreparation;
import dev.lapidary.vision.RgbImage;
import dev.lapidary.vision.VisionConfig;
import dev.lapidary.vision.VisionModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// An open checkpoint: weights mapped in place, tokenizer, and the decoder over them. Thread-safe; its sessions are
/// not.
///
/// ```java
/// try (Gemma gemma = Gemma.open(Path.of("gemma-3-1b-it"));
///         Session session = gemma.newSession(Capacity.tokens(8192))) {
///     session.append("In the beginning");
///     session.generate(Sampling.temperature(0.8).topP(0.95).maxTokens(200), token -> System.out.print(token.text()));
/// }
/// ```
public final class Gemma implements AutoCloseable {
    /// Of Gemma 1 to 3, and of Gemma 4.
    private static final List<String> ENDS_OF_TURN = List.of("<end_of_turn>", "<turn|>");

    private final String source;
    private final @Nullable Checkpoint checkpoint;
    private final Arena arena;
    private final NativeKernels kernels;
    private final TextModel model;
    private final @Nullable VisionModel vision;
    private final @Nullable EmbeddingModel embedding;
    private final @Nullable TextEncoder encoder;
    private final int chunk;
    private final @Nullable Tokenizer tokenizer;
    private final Set<Integer> stopTokens;
    private final Conversations conversations;
    private volatile boolean closed;

    private Gemma(OpenModel open) {
        source = open.source();
        checkpoint = open.checkpoint();
        arena = open.arena();
        kernels = open.kernels();
        model = open.model();
        vision = open.vision();
        embedding = open.embedding();
        encoder = open.encoder();
        chunk = open.chunk();
        tokenizer = open.tokenizer();
        Set<Integer> ids = new HashSet<>(model.config().stopIds());
        if (tokenizer != null) {
            ENDS_OF_TURN.forEach(end -> tokenizer.idOf(end).ifPresent(ids::add));
        }
        stopTokens = Set.copyOf(ids);
        ImageSymbols images = vision == null || vision.config().prefix() ? null : ImagePrompts.symbols(vision.config());
        conversations = new Conversations(checkpoint, images);
    }

    /// Opens a checkpoint with [Options#defaults].
    public static Gemma open(Path path) throws IOException {
        return open(path, Options.defaults());
    }

    /// Opens a checkpoint: a folder in Hugging Face layout (`config.json`, `model.safetensors` or shards with an
    /// index, and, unless only token ids are used, `tokenizer.model` or `tokenizer.json`); or a GGUF file,
    /// tokenizer included, of a split one the first part; or a folder with one model in GGUF. Weights are mapped,
    /// not read, unless `options` want them in another format, or the file has them in Q8_0 or Q4_0: those are laid
    /// out anew.
    ///
    /// @throws IOException              if a file is missing, damaged or of a model that is not implemented, naming
    ///                                  the file and the key or tensor
    /// @throws IllegalArgumentException if there is no backend of that name, naming those there are
    /// @throws OutOfMemoryError         if weights that `options` want converted do not fit the memory available
    /// @throws LinkageError             if a native library cannot be loaded, naming each place tried and why
    public static Gemma open(Path path, Options options) throws IOException {
        return open(path, options, (_, _) -> {});
    }

    /// As [#open(Path, Options)], telling how far the conversion of weights is.
    public static Gemma open(Path path, Options options, OpeningListener listener) throws IOException {
        return new Gemma(OpenModel.read(path, options, listener));
    }

    /// A model of a published shape on random weights, which computes as fast as the real one and says nothing of
    /// sense: `gemma-3-1b`, `gemma-2-2b`, ... It has no tokenizer, and its weights are BF16 unless `options` say
    /// otherwise.
    ///
    /// @throws IllegalArgumentException if there is no shape or no backend of that name, naming those there are
    /// @throws OutOfMemoryError         if it does not fit the memory that is available
    /// @throws LinkageError             if a native library cannot be loaded, naming each place tried and why
    public static Gemma random(String shape, Options options) {
        return new Gemma(OpenModel.random(shape, options));
    }

    /// A session with room for as many tokens as the model was made for, at most 8192.
    public Session newSession() {
        return newSession(Capacity.tokens(Math.min(8192, model.config().maxPositions())));
    }

    /// An empty session.
    ///
    /// @throws IllegalArgumentException if the capacity is more than the model was made for
    /// @throws IllegalStateException    if the model embeds texts and predicts none
    /// @throws OutOfMemoryError         if keys and values of that capacity do not fit the memory that is
    ///                                  available, with the plan
    public Session newSession(Capacity capacity) {
        return new Session(this, newSequence(capacity));
    }

    /// An empty sequence, with the checks of [#newSession(Capacity)].
    Sequence newSequence(Capacity capacity) {
        requireOpen();
        if (embedsTexts()) {
            throw new IllegalStateException(
                    "%s: got a model that embeds texts, need one that predicts them".formatted(source));
        }
        int most = model.config().maxPositions();
        if (capacity.tokens() > most) {
            throw new IllegalArgumentException("capacity: got %d tokens, need at most the %d positions of the model"
                    .formatted(capacity.tokens(), most));
        }
        requireMemory(capacity);
        return new Sequence(model, visionConfig(), chunk, capacity.tokens());
    }

    /// What the model and one session of this capacity take; an encoded text takes [#encodedBytes] more.
    public MemoryPlan memoryPlan(Capacity capacity) {
        long converted = model.convertedBytes()
                + (vision == null ? 0 : vision.convertedBytes())
                + (encoder == null ? 0 : encoder.convertedBytes());
        return new MemoryPlan(
                moduleTree().bytes() - converted,
                converted,
                embedsTexts() ? 0 : model.cacheBytes(capacity.tokens()),
                Workspace.bytes(model.config(), model.chunk())
                        + kernels.scratchBytes(model.chunk(), model.layerMatrices())
                        + (vision == null ? 0 : towerBytes(vision))
                        + (embedding == null ? 0 : embedding.workspaceBytes()));
    }

    private long towerBytes(VisionModel tower) {
        return VisionModel.workspaceBytes(tower.config())
                + kernels.scratchBytes(tower.config().patches(), tower.matrices());
    }

    /// Whether the model makes vectors of texts, and has no sessions: its tokens see those that follow them.
    public boolean embedsTexts() {
        return model.config().bidirectional();
    }

    /// Vectors of texts, in their order, with [EmbeddingOptions#defaults].
    ///
    /// @throws IllegalStateException as for [#embed(List, EmbeddingOptions, EmbeddingConsumer)]
    public List<float[]> embed(List<String> texts) {
        List<float[]> embeddings = new ArrayList<>(texts.size());
        embed(texts, EmbeddingOptions.defaults(), (_, embedding) -> embeddings.add(embedding));
        return embeddings;
    }

    /// Hands the vectors of texts to `consumer`, in their order, on the calling thread, while some texts at once are
    /// computed. A text gets the prompt that `options` name in front, loses the white space around it, and gets bos
    /// and eos.
    ///
    /// @throws IllegalArgumentException if a text has more tokens than the model reads and `options` do not cut it,
    ///                                  or there is no prompt of that name, or there are fewer dimensions than
    ///                                  asked
    /// @throws IllegalStateException    if the model predicts texts and embeds none, has no tokenizer, or is closed
    /// @throws CancellationException    after an interrupt
    public void embed(List<String> texts, EmbeddingOptions options, EmbeddingConsumer consumer) {
        Embedder embedder = embedder();
        embedder.embed(embedder.ids(tokenizer(), texts, options), options, consumer);
    }

    /// As [#embed(List, EmbeddingOptions, EmbeddingConsumer)], of texts given as ids, which are taken exactly as
    /// they are.
    public void embedIds(List<int[]> texts, EmbeddingOptions options, EmbeddingConsumer consumer) {
        embedder().embed(texts, options, consumer);
    }

    /// Width of a vector that is not cut.
    ///
    /// @throws IllegalStateException as for [#embed(List, EmbeddingOptions, EmbeddingConsumer)]
    public int embeddingDimensions() {
        return requireEmbedding().dimensions();
    }

    private Embedder embedder() {
        EmbeddingModel known = requireEmbedding();
        requireOpen();
        return new Embedder(known, vocab());
    }

    private EmbeddingModel requireEmbedding() {
        if (embedding == null) {
            throw new IllegalStateException(
                    "%s: got a model that predicts texts, need one that embeds them".formatted(source));
        }
        return embedding;
    }

    /// Whether the model's tokens attend to a text that an encoder has read: [Session#encode(String)].
    public boolean hasEncoder() {
        return encoder != null;
    }

    /// Bytes that a session's encoded text of `tokens` tokens takes.
    ///
    /// @throws IllegalStateException if the model has no encoder
    public long encodedBytes(int tokens) {
        return requireEncoder().encodedBytes(tokens);
    }

    /// @throws IllegalStateException if the model has none
    TextEncoder requireEncoder() {
        if (encoder == null) {
            throw new IllegalStateException("%s: got a text to encode, need a model with an encoder".formatted(source));
        }
        return encoder;
    }

    /// The ids of a text for the encoder.
    int[] encoderIds(String text) {
        requireEncoder();
        try {
            return EncoderPrompt.ids(tokenizer(), Path.of(source), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The token that begins every sequence.
    public int bosToken() {
        return model.config().bosId();
    }

    /// Whether the checkpoint has a vision tower, so that images can stand in prompts.
    public boolean hasVision() {
        return vision != null;
    }

    /// Whether a prompt sees itself in both directions, as PaliGemma's does, so that it must be appended as a
    /// whole.
    public boolean hasBidirectionalPrompt() {
        return vision != null && vision.config().prefix();
    }

    /// Soft tokens of one image; 0 if the checkpoint has no vision tower.
    public int tokensPerImage() {
        return vision == null ? 0 : vision.config().tokensPerImage();
    }

    /// Images as the model's tower takes them; those to be seen [panned and scanned][Image#panAndScan] in all their
    /// views.
    ///
    /// @throws IllegalStateException if the checkpoint has no vision tower, or one for which images are not cropped
    public Pixels pixels(List<Image> images) {
        VisionConfig config = requireVision().config();
        List<RgbImage> views =
                images.stream().flatMap(image -> image.pictures().stream()).toList();
        if (config.prefix() && views.size() > images.size()) {
            throw new IllegalStateException(
                    "%s: got images in crops, need them whole for this model".formatted(source));
        }
        float[] values = new float[Math.multiplyExact(views.size(), config.imageElements())];
        for (int i = 0; i < views.size(); i++) {
            ImagePreparation.prepare(views.get(i), config, values, i * config.imageElements());
        }
        return new Pixels(views.size(), config.imageSize(), config.imageSize(), values);
    }

    /// A prompt with image tokens, as the reference's processor writes it: for Gemma 3 each image between its begin
    /// and end tokens and blank lines; for PaliGemma all images in front, then bos, the text and a line's end.
    ///
    /// @param before text in front of the images; PaliGemma has none there
    /// @param after  text behind them
    /// @throws IllegalStateException if the checkpoint has no vision tower or no tokenizer
    public int[] imagePrompt(String before, List<Image> images, String after) {
        int[] views = images.stream().mapToInt(Image::views).toArray();
        return ImagePrompts.ids(requireVision().config(), tokenizer(), before, after, views);
    }

    /// One image as a session's next tokens.
    int[] imageIds(boolean first, Image image) {
        return ImagePrompts.image(requireVision().config(), tokenizer(), first, image.views());
    }

    /// Whether these are image tokens alone, in front of which a prompt has no bos.
    boolean areImages(int... ids) {
        return hasBidirectionalPrompt()
                && Arrays.stream(ids)
                        .allMatch(id -> id == requireVision().config().imageId());
    }

    /// What the model sees of images.
    ///
    /// @throws IllegalArgumentException if the pixels are not of the tower's size, naming it
    /// @throws IllegalStateException    if the checkpoint has no vision tower, or the model is closed
    /// @throws CancellationException    after an interrupt
    public SoftTokens softTokens(Pixels pixels) {
        VisionModel tower = requireVision();
        requireOpen();
        VisionConfig config = tower.config();
        if (pixels.height() != config.imageSize() || pixels.width() != config.imageSize()) {
            throw new IllegalArgumentException("pixels: got [%d, 3, %d, %d], need [images, 3, %d, %d]"
                    .formatted(
                            pixels.images(), pixels.height(), pixels.width(), config.imageSize(), config.imageSize()));
        }
        AtomicBoolean interrupted = new AtomicBoolean();
        AtomicReference<float[]> values = new AtomicReference<>(new float[0]);
        DriverThread.run(
                () -> values.set(tower.softTokens(pixels.values(), interrupted::get)), () -> interrupted.set(true));
        return new SoftTokens(pixels.images(), config.tokensPerImage(), config.embedding(), values.get());
    }

    VisionModel requireVision() {
        if (vision == null) {
            throw new IllegalStateException(
                    "%s: got images, need a checkpoint with a vision tower of Gemma 3 or PaliGemma".formatted(source));
        }
        return vision;
    }

    private @Nullable VisionConfig visionConfig() {
        return vision == null ? null : vision.config();
    }

    /// Modules with their shapes, and the traits of each layer.
    public ModelDescription describe() {
        SequencedMap<String, String> prompts =
                embedding == null ? new LinkedHashMap<>() : embedding.config().prompts();
        return ModelDescription.of(model, prompts, moduleTree());
    }

    private ModuleTree moduleTree() {
        ModuleTree tree =
                vision == null ? model.moduleTree() : model.moduleTree().plus(vision.moduleTree());
        for (ModuleTree module : embedding == null ? List.<ModuleTree>of() : embedding.modules()) {
            tree = tree.plus(module);
        }
        return encoder == null ? tree : tree.plus(encoder.moduleTree());
    }

    /// How the activations of a prompt are distributed, layer by layer in the order of the forward pass.
    ///
    /// @param ids the prompt, exactly as given
    /// @throws IllegalArgumentException if there is no id, one is outside the vocabulary, or there are more than
    ///                                  [#maxPositions]
    public List<ActivationStatistics> activationStatistics(int... ids) {
        ActivationSums sums = new ActivationSums();
        try (Session session = newSession(Capacity.tokens(ids.length))) {
            session.append(ids, sums);
        }
        return sums.statistics();
    }

    /// Whether the checkpoint has a tokenizer; without one, sessions take and give ids alone.
    public boolean hasTokenizer() {
        return tokenizer != null;
    }

    /// The checkpoint's tokenizer.
    ///
    /// @throws IllegalStateException if it has none
    public Tokenizer tokenizer() {
        if (tokenizer == null) {
            throw new IllegalStateException(
                    "%s: got no tokenizer, need tokenizer.model, tokenizer.json or the metadata of a GGUF file"
                            .formatted(source));
        }
        return tokenizer;
    }

    /// An empty conversation as the checkpoint's own template writes it; in the turns of Gemma 1 to 3 if it has
    /// none.
    ///
    /// @throws IllegalStateException    if the checkpoint has no tokenizer
    /// @throws IllegalArgumentException if it has no template, and its vocabulary no turn symbols
    /// @throws UncheckedIOException     if its template cannot be read, or does something that is not known, with
    ///                                  the line
    public Chat chat() {
        return conversations.begin(tokenizer());
    }

    /// As [#chat()], but goes on in the built-in turns of Gemma 1 to 3 where the checkpoint's template does something
    /// that is not known and writes those turns too.
    ///
    /// @param onFallback told what was not understood, if so
    /// @throws IllegalStateException    as [#chat()]
    /// @throws IllegalArgumentException as [#chat()]
    /// @throws UncheckedIOException     if the template cannot be read, or is not understood and of other turns
    public Chat chat(Consumer<String> onFallback) {
        return conversations.begin(tokenizer(), onFallback);
    }

    /// Ids that end a generation: those the checkpoint names, and the end of a turn where the vocabulary has turns.
    public Set<Integer> stopTokens() {
        return stopTokens;
    }

    /// Positions the model was made for: tokens in a session, or in a text to embed.
    public int maxPositions() {
        return embedding == null
                ? model.config().maxPositions()
                : embedding.config().maxTokens();
    }

    /// Tokens in the vocabulary: columns of the logits.
    public int vocab() {
        return model.config().vocab();
    }

    /// Frees everything but open sessions, which throw `IllegalStateException` from then on and are closed by their
    /// owners.
    @Override
    public void close() {
        DriverThread.run(() -> {
            if (!closed) {
                closed = true;
                kernels.close();
                arena.close();
                if (checkpoint != null) {
                    checkpoint.close();
                }
            }
        });
    }

    /// Where it comes from, for messages.
    String source() {
        return source;
    }

    NativeKernels kernels() {
        return kernels;
    }

    TextModel model() {
        return model;
    }

    /// @throws OutOfMemoryError if another session of this capacity does not fit
    void requireMemory(Capacity capacity) {
        AvailableMemory.require(memoryPlan(capacity), capacity);
    }

    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("%s: the model is closed".formatted(source));
        }
    }
}
