package dev.lapidary.checkpoint;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Every element type of the safetensors format.
///
/// Source: `Dtype` of safetensors/src/tensor.rs.
enum StoredType {
    BOOL(8),
    F4(4),
    F6_E2M3(6),
    F6_E3M2(6),
    U8(8),
    I8(8),
    F8_E5M2(8),
    F8_E4M3(8),
    F8_E8M0(8),
    F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8),
    I16(16),
    U16(16),
    F16(16),
    BF16(16),
    I32(32),
    U32(32),
    F32(32),
    C64(64),
    F64(64),
    I64(64),
    U64(64);

    private final int bits;

    StoredType(int bits) {
        this.bits = bits;
    }

    static Optional<StoredType> named(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /// Bytes that an element's address must be a multiple of.
    int alignment() {
        return Math.max(1, bits / 8);
    }

    /// Bytes of a tensor of that shape. Throws `ArithmeticException` where they overflow a `long`, are negative, or
    /// do not fill the last byte (types under 8 bits).
    long bytes(List<Long> shape) {
        long elements = 1;
        for (long extent : shape) {
            if (extent < 0) {
                throw new ArithmeticException("negative extent");
            }
            elements = Extents.multiply(elements, extent);
        }
        long total = Extents.multiply(elements, bits);
        if (total % 8 != 0) {
            throw new ArithmeticException("part of a byte");
        }
        return total / 8;
    }
}
