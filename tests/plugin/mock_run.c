/*
 * mock_run.c: loads a plugin under the mock host and prints what it says.
 *
 *     mock_run FILE.so COMPONENT ["setting: value" ...]
 *     mock_run --bench N FILE.so COMPONENT ["setting: value" ...]
 *
 * The first form calls create, check and collect (those that there are) and prints the result as
 * Prometheus text.  The second collects N times without keeping the samples and prints the CPU time
 * of one collection.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <time.h>

#include "mock_host.h"

static double cpu_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void bench(struct mock_host *mock, int rounds)
{
    double started;
    int i;

    (void)mock_collect(mock, 10000);
    mock_only_count(mock, true);
    started = cpu_seconds();
    for (i = 0; i < rounds; i++) {
        (void)mock_collect(mock, 10000);
    }
    printf("%.1f us of CPU a collection, %zu samples, mean of %d\n",
           (cpu_seconds() - started) * 1e6 / rounds, mock_sample_count(mock), rounds);
}

int main(int argc, char **argv)
{
    char settings[65536] = "";
    size_t len = 0;
    int rounds = 0;
    int i, rc = 1;
    struct mock_host *mock;

    if (argc > 3 && strcmp(argv[1], "--bench") == 0) {
        rounds = (int)strtol(argv[2], NULL, 10);
        argv += 2;
        argc -= 2;
    }
    if (argc < 3 || rounds < 0) {
        fprintf(stderr, "usage: mock_run [--bench N] FILE.so COMPONENT [\"setting: value\" ...]\n");
        return 2;
    }
    for (i = 3; i < argc && len < sizeof settings; i++) {
        len += (size_t)snprintf(settings + len, sizeof settings - len, "%s\n", argv[i]);
    }
    mock = mock_open(argv[1], argv[2], settings);
    if (mock_error(mock)[0] != '\0') {
        fprintf(stderr, "mock_run: %s\n", mock_error(mock));
    } else if (mock_create(mock, 10000) != TMON_OK) {
        mock_print(mock, stderr);
        fprintf(stderr, "mock_run: create() failed\n");
    } else if (rounds > 0) {
        bench(mock, rounds);
        rc = 0;
    } else {
        if (mock_check(mock, 10000) != TMON_UNSUPPORTED) {
            mock_print(mock, stdout);
        }
        if (mock_collect(mock, 10000) != TMON_UNSUPPORTED) {
            mock_print(mock, stdout);
        }
        rc = mock_problem(mock)[0] != '\0';
    }
    mock_close(mock);
    return rc;
}
