/// Models by name: Hugging Face's hub, and the cache folder that other programs share with us.
@NullMarked
package dev.lapidary.hub;

import org.jspecify.annotations.NullMarked;
