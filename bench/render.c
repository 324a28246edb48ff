/*
 * render.c: the store alone: what a series costs to commit, to keep and to show.
 *
 * One thread, no sockets.  Prints the best of many rounds, since everything else is the machine's
 * noise.  The rival is the obvious way: one snprintf("%.17g") a line.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "model/sample.h"
#include "store/exposition.h"
#include "store/spans.h"
#include "store/store.h"

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t state = 88172645463325252u;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* What the series' values are: every second one a float of 17 digits, or of two decimals, or none.
 */
enum values { HALF_FLOATS, HALF_DECIMALS, INTEGERS };
static const char *const value_names[] = {"half 17-digit floats", "half two-decimal floats",
                                          "integers"};

static double value_of(int i, enum values values)
{
    if (values == HALF_FLOATS && i % 2) {
        return (double)(draw() >> 11) / 9007199254740992.0 * 1000;
    }
    if (values == HALF_DECIMALS && i % 2) {
        return (double)(draw() % 10000000) / 100;
    }
    return (double)(draw() % 1000000);
}

static void fill(struct buf *batch, int series, enum values values)
{
    for (int i = 0; i < series; i++) {
        char family[64];
        char shard[16];
        char item[16];
        const struct tmon_pair labels[] = {{"shard", shard}, {"item", item}};
        struct tmon_metric metric = {
            .size = sizeof metric, .kind = TMON_GAUGE, .labels = labels, .nlabels = 2};
        const char *why;

        snprintf(family, sizeof family, "bench_load_family_%03d_bytes", i / 100);
        snprintf(shard, sizeof shard, "s%02d", i % 10);
        snprintf(item, sizeof item, "item%06d", i);
        metric.name = family;
        metric.help = "A family of the bench.";
        metric.value = value_of(i, values);
        if (sample_encode(batch, &metric, &why) < 0) {
            fprintf(stderr, "bench: cannot encode: %s\n", why);
            exit(1);
        }
    }
}

static char block[EXPOSITION_BLOCK];

static size_t scrape(struct store *store, enum exposition_format format, bool gzip)
{
    struct exposition *exposition;
    size_t total = 0;
    ssize_t n;

    if (exposition_create(store, format, gzip, 1000, &exposition) < 0) {
        exit(1);
    }
    while ((n = exposition_read(exposition, block, sizeof block)) > 0) {
        total += (size_t)n;
    }
    exposition_destroy(exposition);
    return total;
}

/* As the HTTP server does it: what did not change since the last time is taken as it is. */
static size_t scrape_spans(struct store *store, struct span_list *kept)
{
    struct exposition *exposition;
    struct span_list list;
    size_t total = 0;

    if (exposition_create(store, EXPOSITION_TEXT, false, 1000, &exposition) < 0 ||
        exposition_spans(exposition, kept, 64u << 20, &list) != 0) {
        exit(1);
    }
    for (size_t i = 0; i < list.n; i++) {
        total += list.items[i]->len;
    }
    exposition_destroy(exposition);
    span_list_finish(&list);
    return total;
}

static void one(int series, enum values values)
{
    struct span_list kept = {.n = 0};
    struct buf batches[2]; // of other values
    struct buf batch;
    struct store *store;
    struct store_owner *owner;
    struct store_commit_result result;
    struct store_stats stats;
    size_t before;
    size_t bytes = 0;
    double best_first = 0;
    double best_commit = 1e18;
    double best_text = 1e18;
    double best_kept = 1e18;
    double best_om = 1e18;
    double best_gzip = 1e18;
    size_t gzip_bytes = 0;
    int rounds = series > 20000 ? 15 : 60;
    char name[64];
    const struct store_owner_spec spec = {.name = "bench", .series = 1000000};

    for (int i = 0; i < 2; i++) {
        buf_init(&batches[i], 64u << 20);
        fill(&batches[i], series, values);
    }
    batch = batches[0];
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    if (store_create(&(struct store_limits){.series = 1000000}, &store) < 0 ||
        store_owner_add(store, &spec, &owner) < 0) {
        exit(1);
    }
    best_first = now_ns();
    if (store_commit(store, owner, batch.data, batch.len, 1000, 1000, &result) < 0) {
        exit(1);
    }
    best_first = now_ns() - best_first;
    before = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    store_stats(store, &stats);
    for (int i = 0; i < rounds; i++) {
        double start = now_ns();
        double stop;

        batch = batches[i % 2];
        if (store_commit(store, owner, batch.data, batch.len, 2000 + i * 1000, 2000 + i * 1000,
                         &result) < 0) {
            exit(1);
        }
        stop = now_ns();
        best_commit = stop - start < best_commit ? stop - start : best_commit;
        start = now_ns();
        bytes = scrape_spans(store, &kept);
        stop = now_ns();
        best_text = stop - start < best_text ? stop - start : best_text;
        start = now_ns();
        (void)scrape_spans(store, &kept);
        stop = now_ns();
        best_kept = stop - start < best_kept ? stop - start : best_kept;
        start = now_ns();
        scrape(store, EXPOSITION_OPENMETRICS, false);
        stop = now_ns();
        best_om = stop - start < best_om ? stop - start : best_om;
        if (i < 5) {
            start = now_ns();
            gzip_bytes = scrape(store, EXPOSITION_TEXT, true);
            stop = now_ns();
            best_gzip = stop - start < best_gzip ? stop - start : best_gzip;
        }
    }
    snprintf(name, sizeof name, "%d series, %s", series, value_names[values]);
    printf("%-38s scrape %5.1f ns/series, %5.2f where nothing changed (in blocks, OpenMetrics "
           "%5.1f; gzip %5.1f, %.1f %% of %zu bytes); "
           "commit %5.1f, the first "
           "%5.1f; memory %.1f bytes/series (text %.1f)\n",
           name, best_text / series, best_kept / series, best_om / series, best_gzip / series,
           100.0 * (double)gzip_bytes / (double)bytes, bytes, best_commit / series,
           best_first / series, (double)before / series, (double)bytes / series);
    if (result.accepted != (uint32_t)series) {
        printf("bench: only %u samples were accepted\n", result.accepted);
        exit(1);
    }
    span_list_finish(&kept);
    store_destroy(store);
    buf_finish(&batches[0]);
    buf_finish(&batches[1]);
}

static void rival(int series)
{
    double *values = malloc((size_t)series * sizeof *values);
    double best = 1e18;
    static char line[256];

    for (int i = 0; values && i < series; i++) {
        values[i] = value_of(i, HALF_FLOATS);
    }
    for (int round = 0; values && round < 5; round++) {
        double start = now_ns();
        double stop;

        for (int i = 0; i < series; i++) {
            snprintf(line, sizeof line,
                     "bench_load_family_%03d_bytes{item=\"item%06d\",shard=\"s%02d\"} %.17g\n",
                     i / 100, i, i % 10, values[i]);
        }
        stop = now_ns();
        best = stop - start < best ? stop - start : best;
    }
    printf("%-38s scrape %5.1f ns/series\n", "snprintf(\"%.17g\"), half floats", best / series);
    free(values);
}

int main(void)
{
    for (enum values values = HALF_FLOATS; values <= INTEGERS; values++) {
        one(10000, values);
        one(100000, values);
    }
    rival(100000);
    return 0;
}
