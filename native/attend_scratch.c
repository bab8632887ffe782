// attend_scratch: the floats gemma_attend_f32 needs: per head one partial for each range of slots, a range per thread
#include "attend.h"
#include "gemma_kernels.h"

int64_t gemma_attend_scratch(int64_t heads, int64_t head_dim, int64_t threads) {
    return heads * threads * partial_floats(head_dim);
}
