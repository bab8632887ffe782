package dev.lapidary.kernels;

import static dev.lapidary.kernels.OneDnnObject.check;

import dev.lapidary.bindings.onednn.Dnnl;
import dev.lapidary.bindings.onednn.dnnl_exec_arg_t;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What all primitives share, until the process ends: engine, stream, attributes, scratchpad.
final class OneDnnEngine {
    private final MemorySegment engine =
            OneDnnObject.forever("dnnl_engine_create", pointer -> Dnnl.dnnl_engine_create(pointer, Dnnl.dnnl_cpu(), 0));
    private final MemorySegment stream = OneDnnObject.forever(
            "dnnl_stream_create",
            pointer -> Dnnl.dnnl_stream_create(pointer, engine, Dnnl.dnnl_stream_default_flags()));
    private final MemorySegment attributes =
            OneDnnObject.forever("dnnl_primitive_attr_create", Dnnl::dnnl_primitive_attr_create);
    private final MemorySegment arguments = dnnl_exec_arg_t.allocateArray(4, Arena.global());
    private final MemorySegment leftArgument = argument(0, Dnnl.DNNL_ARG_SRC());
    private final MemorySegment rightArgument = argument(1, Dnnl.DNNL_ARG_WEIGHTS());
    private final MemorySegment outArgument = argument(2, Dnnl.DNNL_ARG_DST());
    private final MemorySegment scratchpadArgument = argument(3, Dnnl.DNNL_ARG_SCRATCHPAD());
    private final GrowingScratch scratchpad = new GrowingScratch();

    OneDnnEngine() {
        check(
                "dnnl_primitive_attr_set_scratchpad_mode",
                Dnnl.dnnl_primitive_attr_set_scratchpad_mode(attributes, Dnnl.dnnl_scratchpad_mode_user()));
    }

    private MemorySegment argument(int index, int kind) {
        MemorySegment argument = dnnl_exec_arg_t.asSlice(arguments, index);
        dnnl_exec_arg_t.arg(argument, kind);
        return argument;
    }

    MemorySegment address() {
        return engine;
    }

    MemorySegment attributes() {
        return attributes;
    }

    /// Memory for one run; gone when a later run needs more.
    MemorySegment scratchpad(long bytes) {
        return scratchpad.atLeast(bytes);
    }

    /// Runs a primitive on memory objects and waits for it.
    void run(OneDnnObject primitive, OneDnnObject left, OneDnnObject right, OneDnnObject out, OneDnnObject scratchpad) {
        dnnl_exec_arg_t.memory(leftArgument, left.address());
        dnnl_exec_arg_t.memory(rightArgument, right.address());
        dnnl_exec_arg_t.memory(outArgument, out.address());
        dnnl_exec_arg_t.memory(scratchpadArgument, scratchpad.address());
        check("dnnl_primitive_execute", Dnnl.dnnl_primitive_execute(primitive.address(), stream, 4, arguments));
        check("dnnl_stream_wait", Dnnl.dnnl_stream_wait(stream));
    }
}
