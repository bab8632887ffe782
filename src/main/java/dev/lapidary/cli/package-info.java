/// The `lapidary` command line, the only user of standard output.
@NullMarked
package dev.lapidary.cli;

import org.jspecify.annotations.NullMarked;
