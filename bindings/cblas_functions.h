// The functions we call in a CBLAS library, as function types. jextract binds a function to the one library its class is
// linked with; a function type is called at any address, so that several CBLAS libraries can be used side by side.
#ifndef CBLAS_FUNCTIONS_H
#define CBLAS_FUNCTIONS_H

#include <stdint.h>

#include "cblas.h"

typedef void (*cblas_sgemm_function)(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE transpose_a,
                                     enum CBLAS_TRANSPOSE transpose_b, blasint m, blasint n, blasint k, float alpha,
                                     const float *a, blasint lda, const float *b, blasint ldb, float beta, float *c,
                                     blasint ldc);

// openblas_set_num_threads; MKL_Set_Num_Threads of mkl_service.h
typedef void (*set_threads_function)(int threads);

// bli_thread_set_num_threads of blis.h, whose dim_t is 64 bits wide in a 64-bit build
typedef void (*set_threads_long_function)(int64_t threads);

// openblas_set_threads_callback_function
typedef void (*set_callback_function)(openblas_threads_callback callback);

// openblas_get_parallel (0: sequential, 1: threads of its own, 2: OpenMP); bli_arch_query_id of blis.h
typedef int (*number_function)(void);

// openblas_get_config, openblas_get_corename; bli_info_get_version_str and bli_info_get_int_type_size_str of blis.h
typedef char *(*text_function)(void);

// bli_arch_string of blis.h
typedef char *(*text_of_number_function)(int id);

// MKL_Get_Version_String of mkl_service.h
typedef void (*fill_text_function)(char *text, int capacity);

// The declarations of cblas.h still are these types: a warning here is an error to be mended.
static const cblas_sgemm_function check_sgemm = cblas_sgemm;
static const set_threads_function check_set_threads = openblas_set_num_threads;
static const set_callback_function check_set_callback = openblas_set_threads_callback_function;
static const number_function check_parallel = openblas_get_parallel;
static const text_function check_config = openblas_get_config;
static const text_function check_corename = openblas_get_corename;

#endif
