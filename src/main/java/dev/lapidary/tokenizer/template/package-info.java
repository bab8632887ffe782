/// Chat templates: the part of Jinja that checkpoints write them in. What it does not know it refuses, by name and
/// line.
@NullMarked
package dev.lapidary.tokenizer.template;

import org.jspecify.annotations.NullMarked;
