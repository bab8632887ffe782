/// One decoder for the whole family: config as traits, weights, attention, feed-forward, caches and workspace.
@NullMarked
package dev.lapidary.model;

import org.jspecify.annotations.NullMarked;
