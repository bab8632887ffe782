/// Texts to vectors: what stands behind the text model in an embedding model, in the layout of sentence-transformers.
@NullMarked
package dev.lapidary.embedding;

import org.jspecify.annotations.NullMarked;
