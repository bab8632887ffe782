package dev.lapidary.tokenizer;

import java.util.ArrayList;
import java.util.List;

/// A fill-in-the-middle prompt as CodeGemma knows it: the model writes what belongs between `prefix` and `suffix`.
/// Other files of the same project may stand in front.
///
/// ```java
/// int[] prompt = FimPrompt.of("int square(int x) {\n    return ", ";\n}\n").ids(tokenizer);
/// int[] stops = FimPrompt.stopIds(tokenizer);
/// ```
///
/// Texts become plain ids: `<|fim_middle|>` written in a source file is text.
public record FimPrompt(List<String> files, String prefix, String suffix) {
    private static final String PREFIX = "<|fim_prefix|>";
    private static final String SUFFIX = "<|fim_suffix|>";
    private static final String MIDDLE = "<|fim_middle|>";
    private static final String FILE_SEPARATOR = "<|file_separator|>";
    private static final String PURPOSE = "fill-in-the-middle prompts";

    public FimPrompt {
        files = List.copyOf(files);
    }

    /// A prompt out of the file being edited alone: what stands before the cursor and what after it.
    public static FimPrompt of(String prefix, String suffix) {
        return new FimPrompt(List.of(), prefix, suffix);
    }

    /// The same with one more file in front, after those already there. Its path may be its first line.
    public FimPrompt withFile(String file) {
        List<String> more = new ArrayList<>(files);
        more.add(file);
        return new FimPrompt(more, prefix, suffix);
    }

    /// Begin of sequence, the files with separators, and `<|fim_prefix|>prefix<|fim_suffix|>suffix<|fim_middle|>`.
    /// Throws `IllegalArgumentException` if the vocabulary has no such symbols.
    public int[] ids(Tokenizer tokenizer) {
        IntList ids = new IntList();
        ids.add(tokenizer.bosId());
        for (String file : files) {
            ids.addAll(tokenizer.encodePlain(file));
            ids.add(tokenizer.requiredId(FILE_SEPARATOR, PURPOSE));
        }
        ids.add(tokenizer.requiredId(PREFIX, PURPOSE));
        ids.addAll(tokenizer.encodePlain(prefix));
        ids.add(tokenizer.requiredId(SUFFIX, PURPOSE));
        ids.addAll(tokenizer.encodePlain(suffix));
        ids.add(tokenizer.requiredId(MIDDLE, PURPOSE));
        return ids.toArray();
    }

    /// The ids that end the middle: end of sequence, or the start of anything else.
    public static int[] stopIds(Tokenizer tokenizer) {
        return new int[] {
            tokenizer.eosId(),
            tokenizer.requiredId(PREFIX, PURPOSE),
            tokenizer.requiredId(SUFFIX, PURPOSE),
            tokenizer.requiredId(MIDDLE, PURPOSE),
            tokenizer.requiredId(FILE_SEPARATOR, PURPOSE)
        };
    }
}
