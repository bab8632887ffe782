package dev.lapidary.tokenizer;

/// What an image is written with in Gemma 3's prompts: `<start_of_image>`, image tokens, `<end_of_image>`.
///
/// @param begin id in front of the tokens; what chat templates write for an image
/// @param image id of each token
/// @param end   id behind them
/// @param count tokens of one image
public record ImageSymbols(int begin, int image, int end, int count) {
    /// Ids of a prompt with images, with bos in front if asked, each image between blank lines.
    ///
    /// @param before text in front of the images, with symbols in it
    /// @param after  text behind them
    /// @param views  of each image: 1, or itself and its crops
    public int[] prompt(Tokenizer tokenizer, boolean bos, String before, String after, int... views) {
        IdWriter writer = new IdWriter(tokenizer::encode);
        if (bos) {
            writer.ids(tokenizer.bosId());
        }
        writer.text(before);
        for (int each : views) {
            writer.image(this, each);
        }
        writer.text(after);
        return writer.toArray();
    }
}
