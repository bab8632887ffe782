/// Every arithmetic operation the model may call, the matrix backends behind them, and the loading of their native
/// libraries. The only room that sees the generated bindings.
@NullMarked
package dev.lapidary.kernels;

import org.jspecify.annotations.NullMarked;
