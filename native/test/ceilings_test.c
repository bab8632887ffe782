// ceilings_test: the probes find something where the CPU has it, and read nothing outside their data.
#include "check.h"

#include <string.h>

void ceilings_tests(void) {
    const double seconds = 1e-3;
    begin_case(0, "ceilings");
    expect_true(gemma_measure_fma(seconds) > 0, "every CPU multiplies and adds");
    if (strstr(gemma_isa(), "bf16") != NULL) expect_true(gemma_measure_bf16(seconds) > 0, "a rate of vdpbf16ps");
    if (strstr(gemma_isa(), "avx") != NULL) expect_true(gemma_measure_int8(seconds) > 0, "a rate of products of bytes");
    static const int64_t sizes[] = {1, 255, 256, 4095, 4097, 16385, 100000};
    for (int i = 0; i < 7; i++) {
        operand data = make_operand(1, sizes[i], sizes[i], 1);
        begin_case(0, "%lld bytes", (long long)sizes[i]);
        double rate = gemma_measure_read(data.data, sizes[i], 0);
        expect_true(sizes[i] < 4096 ? rate >= 0 : rate > 0, "a rate of reading");
        free_operands();
    }
}
