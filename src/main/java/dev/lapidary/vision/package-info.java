/// Images: the tower that makes soft tokens of pixels, and the pixels of a picture as the reference prepares them.
@NullMarked
package dev.lapidary.vision;

import org.jspecify.annotations.NullMarked;
