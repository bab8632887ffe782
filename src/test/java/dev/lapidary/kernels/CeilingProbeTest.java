package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CeilingProbeTest {
    @Test
    void everyLimitIsFoundWhereTheCpuHasIt() {
        DriverThread.run(() -> {
            Backend backend = Backends.open("onednn");
            try (NativeKernels kernels = new NativeKernels(backend, 2, true);
                    CeilingProbe probe = kernels.ceilingProbe(1 << 24)) {
                Ceilings found = probe.measure();
                assertThat(found.readBytesPerSecond()).isPositive();
                assertThat(found.f32()).isPositive();
                assertThat(found.bf16Matmul() > 0).isEqualTo(backend.multiplies(DataType.BF16));
                String isa = KernelInfo.probe(2).isa();
                assertThat(found.bf16Instructions() > 0).isEqualTo(isa.endsWith("-bf16") || isa.endsWith("-amx"));
                assertThat(found.bf16Instruction()).isEqualTo(isa.endsWith("-amx") ? "tdpbf16ps" : "vdpbf16ps");
                if (isa.startsWith("avx")) {
                    assertThat(found.int8()).isPositive();
                }
                assertThat(found.bf16())
                        .isGreaterThanOrEqualTo(found.bf16Matmul())
                        .isGreaterThanOrEqualTo(found.bf16Instructions());
            }
        });
    }
}
