package dev.lapidary.kernels;

import static dev.lapidary.kernels.OneDnnObject.check;

import dev.lapidary.bindings.onednn.Dnnl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// One matmul primitive, for operands of one shape, and the memory objects through which it sees them.
final class OneDnnMatmul implements AutoCloseable {
    private final OneDnnEngine engine;
    private final MatmulShape shape;
    private final OneDnnObject primitive;
    private final OneDnnObject left;
    private final OneDnnObject right;
    private final OneDnnObject out;
    private final OneDnnObject scratchpad;
    private final long scratchpadBytes;
    private final String implementation;

    OneDnnMatmul(OneDnnEngine engine, MatmulShape shape) {
        this.engine = engine;
        this.shape = shape;
        int type = shape.type() == DataType.BF16 ? Dnnl.dnnl_bf16() : Dnnl.dnnl_f32();
        long rightRow = shape.transposeRight() ? 1 : shape.rightStride();
        long rightColumn = shape.transposeRight() ? shape.rightStride() : 1;
        try (OneDnnObject leftLayout = layout(type, shape.m(), shape.k(), shape.leftStride(), 1);
                OneDnnObject rightLayout = layout(type, shape.k(), shape.n(), rightRow, rightColumn);
                OneDnnObject outLayout = layout(Dnnl.dnnl_f32(), shape.m(), shape.n(), shape.outStride(), 1);
                OneDnnObject description = OneDnnObject.create(
                        "dnnl_matmul_primitive_desc_create of " + shape,
                        pointer -> Dnnl.dnnl_matmul_primitive_desc_create(
                                pointer,
                                engine.address(),
                                leftLayout.address(),
                                rightLayout.address(),
                                MemorySegment.NULL,
                                outLayout.address(),
                                engine.attributes()),
                        Dnnl::dnnl_primitive_desc_destroy)) {
            primitive = OneDnnObject.create(
                    "dnnl_primitive_create of " + shape,
                    pointer -> Dnnl.dnnl_primitive_create(pointer, description.address()),
                    Dnnl::dnnl_primitive_destroy);
            implementation = implementation(description);
            MemorySegment scratchpadLayout =
                    Dnnl.dnnl_primitive_desc_query_md(description.address(), Dnnl.dnnl_query_scratchpad_md(), 0);
            scratchpadBytes = Dnnl.dnnl_memory_desc_get_size(scratchpadLayout);
            left = memory(leftLayout.address());
            right = memory(rightLayout.address());
            out = memory(outLayout.address());
            scratchpad = memory(scratchpadLayout);
        }
    }

    MatmulShape shape() {
        return shape;
    }

    /// What oneDNN calls the code it picked: `brg_matmul:avx512_core`. `ref` is hundreds of times slower than any
    /// other.
    String implementation() {
        return implementation;
    }

    /// Multiplies operands of this primitive's shape.
    void run(Matrix leftOperand, Matrix rightOperand, Matrix result) {
        point(left, leftOperand.data());
        point(right, rightOperand.data());
        point(out, result.data());
        point(scratchpad, engine.scratchpad(scratchpadBytes));
        engine.run(primitive, left, right, out, scratchpad);
    }

    @Override
    public void close() {
        primitive.close();
        left.close();
        right.close();
        out.close();
        scratchpad.close();
    }

    private static void point(OneDnnObject memory, MemorySegment data) {
        check("dnnl_memory_set_data_handle", Dnnl.dnnl_memory_set_data_handle(memory.address(), data));
    }

    /// A matrix `[rows, columns]` with its elements `rowStep` and `columnStep` apart.
    private static OneDnnObject layout(int type, long rows, long columns, long rowStep, long columnStep) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment extents = arena.allocateFrom(ValueLayout.JAVA_LONG, rows, columns);
            MemorySegment steps = arena.allocateFrom(ValueLayout.JAVA_LONG, rowStep, columnStep);
            return OneDnnObject.create(
                    "dnnl_memory_desc_create_with_strides",
                    pointer -> Dnnl.dnnl_memory_desc_create_with_strides(pointer, 2, extents, type, steps),
                    Dnnl::dnnl_memory_desc_destroy);
        }
    }

    private OneDnnObject memory(MemorySegment layout) {
        return OneDnnObject.create(
                "dnnl_memory_create",
                pointer -> Dnnl.dnnl_memory_create(pointer, layout, engine.address(), MemorySegment.NULL),
                Dnnl::dnnl_memory_destroy);
    }

    private static String implementation(OneDnnObject description) {
        MemorySegment text = OneDnnObject.forever(
                "dnnl_primitive_desc_query",
                pointer -> Dnnl.dnnl_primitive_desc_query(
                        description.address(), Dnnl.dnnl_query_impl_info_str(), 0, pointer));
        return text.getString(0);
    }
}
