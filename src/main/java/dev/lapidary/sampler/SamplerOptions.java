package dev.lapidary.sampler;

/// How the next token is picked from logits.
///
/// @param temperature       divides the logits; 0 picks the largest (greedy)
/// @param topK              keeps the `topK` likeliest tokens; 0 keeps all
/// @param topP              keeps the smallest set of likeliest tokens whose probability reaches `topP`; 1 keeps all
/// @param minP              keeps tokens at least `minP` times as likely as the likeliest; 0 keeps all
/// @param repetitionPenalty divides positive and multiplies negative logits of tokens already in the sequence (Keskar
///                          et al. 2019); 1 for none
/// @param seed              of the random numbers: same seed, same logits, same tokens
public record SamplerOptions(
        double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
    /// Always the likeliest token.
    public static final SamplerOptions GREEDY = new SamplerOptions(0, 0, 1, 0, 1, 0);

    /// Throws `IllegalArgumentException` naming the value that is out of range.
    public SamplerOptions {
        require(temperature >= 0 && Double.isFinite(temperature), "temperature", temperature, "0 or more");
        require(topK >= 0, "top-k", topK, "0 or more");
        require(topP > 0 && topP <= 1, "top-p", topP, "above 0, at most 1");
        require(minP >= 0 && minP <= 1, "min-p", minP, "0 to 1");
        require(
                repetitionPenalty > 0 && Double.isFinite(repetitionPenalty),
                "repetition penalty",
                repetitionPenalty,
                "above 0");
    }

    private static void require(boolean holds, String name, Object got, String need) {
        if (!holds) {
            throw new IllegalArgumentException("%s: got %s, need %s".formatted(name, got, need));
        }
    }
}
