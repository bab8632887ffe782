// team: the size of the OpenMP team, and OpenBLAS's jobs on it.
#include "team.h"
#include "gemma_kernels.h"

#include <pthread.h>

void gemma_set_threads(int32_t threads) { omp_set_num_threads(threads); }

int32_t gemma_probe_threads(void) {
    int32_t threads = 0;
#pragma omp parallel reduction(+ : threads)
    threads += 1;
    return threads;
}

typedef struct {
    void (*dojob)(int, void *, int);
    char *jobdata;
    size_t jobdata_size;
    int dojob_data;
} job_list;

static void run_job(const job_list *jobs, int i) {
    jobs->dojob(i, jobs->jobdata + (size_t)i * jobs->jobdata_size, jobs->dojob_data);
}

typedef struct {
    const job_list *jobs;
    int job;
    pthread_t thread;
} extra_job;

static void *run_extra_job(void *extra) {
    run_job(((extra_job *)extra)->jobs, ((extra_job *)extra)->job);
    return NULL;
}

// Jobs that the runtime gave no thread for (a thread limit): each still needs one of its own, since the others wait for
// it. Starts them one by one, each frame holding one, runs `own` last, and joins on the way back.
static void run_with_extra_threads(const job_list *jobs, int first, int count, int own) {
    if (first == count) {
        run_job(jobs, own);
        return;
    }
    extra_job extra = {jobs, first, 0};
    int failed = pthread_create(&extra.thread, NULL, run_extra_job, &extra);
    run_with_extra_threads(jobs, first + 1, count, own);
    if (failed)
        run_job(jobs, first); // no thread to be had at all: late is better than never
    else
        pthread_join(extra.thread, NULL);
}

// openblas_threads: the contract is in driver/others/blas_server.c of OpenBLAS 0.3.31. thread_num picks a buffer, so it
// must be the job's own; the jobs of one level-3 call spin on flags the others set, so every job needs a running thread
// whatever `sync` says. The region always takes the whole team: libgomp would end the threads that a smaller region
// leaves out.
void gemma_openblas_threads(int sync, void (*dojob)(int thread_num, void *jobdata, int dojob_data), int numjobs,
                            size_t jobdata_size, void *jobdata, int dojob_data) {
    (void)sync;
    const job_list jobs = {dojob, jobdata, jobdata_size, dojob_data};
    if (numjobs == 1) {
        run_job(&jobs, 0);
        return;
    }
    int team = omp_get_max_threads();
#pragma omp parallel num_threads(numjobs > team ? numjobs : team)
    {
        int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        if (thread == 0 && threads < numjobs)
            run_with_extra_threads(&jobs, threads, numjobs, 0);
        else if (thread < numjobs)
            run_job(&jobs, thread);
    }
}
