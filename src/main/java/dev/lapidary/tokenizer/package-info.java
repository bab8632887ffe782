/// Text to token ids and back: SentencePiece models and `tokenizer.json`, chat turns and fill-in-the-middle prompts.
@NullMarked
package dev.lapidary.tokenizer;

import org.jspecify.annotations.NullMarked;
