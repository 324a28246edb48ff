/*
 * history.c: what an hour of history costs: bytes, appending, reading, a snapshot.
 *
 * Values and times are a recording (bench/host.gz) of what the component `host` yielded every 15 s
 * on a machine with two cores on which seven people compiled; 10,000 series are 40 such hosts, each
 * at another minute of it.  One thread; the times are of CPU, the best of many rounds.  An hour is
 * full before anything is measured.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "model/sample.h"
#include "store/history.h"
#include "store/store.h"

#define SERIES 10000
#define INTERVAL_MS 15000
#define HOUR_MS 3600000
#define ROUNDS_MOST 1000
#define FIRST_MS INT64_C(1700000000000)
#define LINE_BYTES (1 << 16)
#define MIB (1024.0 * 1024.0)

struct series {
    char name[256];
    char labels[8][2][256];
    size_t nlabels;
    bool moves;
    double values[ROUNDS_MOST];
};

struct recording {
    struct series *series;
    size_t n;
    size_t rounds;
    const double *times; /* of node_time_seconds */
};

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static size_t heap(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* `name{key="value",...} 1 2 = = 3`, where = is the number before. */
static void read_series(char *line, struct series *series, size_t *ret_rounds)
{
    char *at = line + strcspn(line, "{ ");
    bool labels = *at == '{';
    size_t n = 0;

    *at++ = '\0';
    snprintf(series->name, sizeof series->name, "%s", line);
    while (labels && *at != '}') {
        char *key = at + (*at == ',');
        char *value = strstr(key, "=\"");
        char *end = value ? strchr(value + 2, '"') : NULL;

        if (!end || series->nlabels == 8) {
            die("the recording's labels");
        }
        *value = *end = '\0';
        snprintf(series->labels[series->nlabels][0], 256, "%s", key);
        snprintf(series->labels[series->nlabels++][1], 256, "%s", value + 2);
        at = end + 1;
    }
    for (char *save, *word = strtok_r(at + labels, " \n", &save); word && n < ROUNDS_MOST;
         word = strtok_r(NULL, " \n", &save)) {
        series->values[n] = *word == '=' && n > 0 ? series->values[n - 1] : strtod(word, NULL);
        series->moves |= n > 0 && *word != '=';
        n++;
    }
    *ret_rounds = n;
}

static void load(const char *path, struct recording *recording)
{
    gzFile file = gzopen(path, "rb");
    char *line = malloc(LINE_BYTES);

    if (!file || !line) {
        die("cannot read bench/host.gz (run it from the source tree)");
    }
    *recording = (struct recording){.n = 0};
    while (gzgets(file, line, LINE_BYTES)) {
        recording->series =
            realloc(recording->series, (recording->n + 1) * sizeof *recording->series);
        if (!recording->series) {
            die("no memory");
        }
        memset(&recording->series[recording->n], 0, sizeof *recording->series);
        read_series(line, &recording->series[recording->n++], &recording->rounds);
    }
    gzclose(file);
    free(line);
    for (size_t i = 0; i < recording->n; i++) {
        if (strcmp(recording->series[i].name, "node_time_seconds") == 0) {
            recording->times = recording->series[i].values;
        }
    }
    if (!recording->times) {
        die("the recording has no times");
    }
}

/* ---- the store ---- */

struct world {
    const struct recording *recording;
    bool moving;
    size_t hosts;
    struct store *store;
    struct store_owner *owners[1000];
    size_t series;
    struct buf batches[1000];
};

/* There and back again. */
static size_t row_of(const struct recording *recording, size_t round)
{
    size_t period = 2 * recording->rounds - 2;

    return round % period < recording->rounds ? round % period : period - round % period;
}

/* How much the collection was off its schedule when it was recorded. */
static int64_t lateness_ms(const struct recording *recording, size_t round)
{
    size_t at = row_of(recording, round);

    return (int64_t)(recording->times[at] * 1e3 + 0.5) -
           (int64_t)(recording->times[0] * 1e3 + 0.5) - (int64_t)at * INTERVAL_MS;
}

static void encode(struct world *world, size_t host, size_t round)
{
    struct buf *batch = &world->batches[host];
    size_t at = row_of(world->recording, round);
    const char *why;

    buf_clear(batch);
    for (size_t i = 0; i < world->recording->n; i++) {
        const struct series *series = &world->recording->series[i];
        struct tmon_pair labels[8];
        struct tmon_metric metric = {.size = sizeof metric,
                                     .kind = TMON_UNTYPED,
                                     .name = series->name,
                                     .value = series->values[at],
                                     .labels = labels,
                                     .nlabels = series->nlabels};

        if (world->moving && !series->moves) {
            continue;
        }
        for (size_t j = 0; j < series->nlabels; j++) {
            labels[j] = (struct tmon_pair){series->labels[j][0], series->labels[j][1]};
        }
        if (sample_encode(batch, &metric, &why) < 0) {
            die(why);
        }
    }
}

static double commit(struct world *world, size_t round)
{
    int64_t time_ms = FIRST_MS + (int64_t)round * INTERVAL_MS;
    struct store_commit_result result;
    double start;
    double spent = 0;

    for (size_t i = 0; i < world->hosts; i++) {
        int64_t at_ms = time_ms + lateness_ms(world->recording, round + i);

        encode(world, i, round + i);
        start = now_ns();
        if (store_commit(world->store, world->owners[i], world->batches[i].data,
                         world->batches[i].len, at_ms, at_ms, &result) < 0) {
            die("a commit failed");
        }
        spent += now_ns() - start;
    }
    return spent;
}

static void world_init(struct world *world, const struct recording *recording, bool moving)
{
    size_t of_one = 0;

    memset(world, 0, sizeof *world);
    for (size_t i = 0; i < recording->n; i++) {
        of_one += !moving || recording->series[i].moves;
    }
    world->recording = recording;
    world->moving = moving;
    world->hosts = (SERIES + of_one / 2) / of_one;
    world->series = world->hosts * of_one;
    if (store_create(NULL, &world->store) < 0) {
        die("no memory");
    }
    for (size_t i = 0; i < world->hosts; i++) {
        char name[32];
        const struct tmon_pair label = {"host", name};
        const struct store_owner_spec spec = {.name = name, .labels = &label, .nlabels = 1};

        snprintf(name, sizeof name, "h%03zu", i);
        buf_init(&world->batches[i], 1 << 20);
        if (store_owner_add(world->store, &spec, &world->owners[i]) < 0) {
            die("no memory");
        }
    }
}

static void world_finish(struct world *world)
{
    store_destroy(world->store);
    for (size_t i = 0; i < world->hosts; i++) {
        buf_finish(&world->batches[i]);
    }
}

static struct history_selector *select_by(struct history *history, enum matcher_op op,
                                          const char *host, int64_t keep_ms)
{
    struct history_selector *selector = NULL;
    struct matcher matcher;
    char why[128];

    if (matcher_init(&matcher, "host", op, host, why, sizeof why) < 0 ||
        history_select(history, &matcher, 1, keep_ms, &selector) < 0) {
        die("cannot select");
    }
    matcher_finish(&matcher);
    return selector;
}

static struct history_selector *select_all(struct history *history, int64_t keep_ms)
{
    return select_by(history, MATCHER_NOT_EQUAL, "", keep_ms);
}

/* ---- figures ---- */

struct sum {
    size_t series;
    size_t samples;
    double value;
};

static int add(void *arg, const struct history_series *series)
{
    struct sum *sum = arg;

    sum->series++;
    sum->samples += series->n;
    sum->value += series->samples[series->n - 1].value;
    return series->cut;
}

static double best_of(struct history *history, const struct history_selector *selector,
                      int64_t from_ms, int64_t to_ms, bool last, struct sum *ret_sum)
{
    double best = 1e18;

    for (int i = 0; i < 20; i++) {
        struct sum sum = {0};
        double start = now_ns();
        int r = last ? history_read_last(history, selector, from_ms, to_ms, add, &sum)
                     : history_read(history, selector, from_ms, to_ms, add, &sum);
        double spent = now_ns() - start;

        if (r != 0) {
            die("the hour is not all there");
        }
        best = spent < best ? spent : best;
        *ret_sum = sum;
    }
    return best;
}

static void snapshot(struct world *world, struct history *history, int64_t now_ms)
{
    struct history *again = NULL;
    struct store *store = NULL;
    struct history_stats stats;
    struct buf buf;
    double save = now_ns();
    double restore;

    buf_init(&buf, 256u << 20);
    if (history_save(history, now_ms, &buf) < 0) {
        die("cannot save");
    }
    save = now_ns() - save;
    if (store_create(NULL, &store) < 0 || history_create(store, NULL, &again) < 0) {
        die("no memory");
    }
    (void)select_all(again, HOUR_MS);
    restore = now_ns();
    if (history_restore(again, buf.data, buf.len, now_ms) < 0) {
        die("cannot restore");
    }
    restore = now_ns() - restore;
    history_stats(again, NULL, &stats);
    if (stats.series != world->series) {
        die("not all was restored");
    }
    printf("  snapshot          %.2f MiB, written in %.1f ms, read in %.1f ms\n",
           (double)buf.len / MIB, save / 1e6, restore / 1e6);
    store_destroy(store);
    buf_finish(&buf);
}

static void one(const struct recording *recording, bool moving)
{
    static struct world world;
    struct history *history = NULL;
    struct history_selector *selector;
    struct history_stats stats;
    struct sum sum, few;
    size_t round = 0;
    size_t before;
    size_t peak = 0;
    int64_t now_ms;
    double alone = 1e18, beside = 1e18, fed = 1e18, spent, read, last;

    world_init(&world, recording, moving);
    for (; round < 40; round++) {
        spent = commit(&world, round);
        alone = spent < alone ? spent : alone;
    }
    before = heap();
    if (history_create(world.store, NULL, &history) < 0) {
        die("no memory");
    }
    selector = select_by(history, MATCHER_EQUAL, "nobody", HOUR_MS);
    for (; round < 80; round++) {
        spent = commit(&world, round);
        beside = spent < beside ? spent : beside;
    }
    history_unselect(history, selector);
    selector = select_all(history, HOUR_MS);
    for (; round < 700; round++) {
        spent = commit(&world, round);
        fed = spent < fed ? spent : fed;
        history_sample_own(history, FIRST_MS + (int64_t)round * INTERVAL_MS);
        if (round > 350) { // an hour is full, and some blocks were dropped
            history_stats(history, NULL, &stats);
            peak = stats.bytes > peak ? stats.bytes : peak;
        }
    }
    now_ms = FIRST_MS + (int64_t)(round - 1) * INTERVAL_MS + 100;
    history_stats(history, NULL, &stats);
    read = best_of(history, selector, now_ms - HOUR_MS, now_ms, false, &sum);
    last = best_of(history, selector, now_ms - 300000, now_ms, true, &few);
    printf("%zu series, %s\n", world.series,
           moving ? "only such as ever moved" : "all that the host has");
    printf("  an hour at 15 s   %.2f MiB at most, %.2f MiB at the end (%.2f by malloc); %.2f "
           "bytes/sample, all included\n",
           (double)peak / MIB, (double)stats.bytes / MIB, (double)(heap() - before) / MIB,
           (double)peak / (double)sum.samples);
    printf("  append            %.1f ns/sample (a commit takes %.1f with it, %.1f beside a history "
           "that wants none of it, %.1f without)\n",
           (fed - alone) / (double)world.series, fed / (double)world.series,
           beside / (double)world.series, alone / (double)world.series);
    printf("  read              %.2f ns/sample, %.0f ns/series of %.0f samples; the last one only "
           "%.1f ns/series\n",
           read / (double)sum.samples, read / (double)sum.series,
           (double)sum.samples / (double)sum.series, last / (double)few.series);
    snapshot(&world, history, now_ms);
    world_finish(&world);
}

int main(int argc, char **argv)
{
    struct recording recording;

    load(argc > 1 ? argv[1] : "bench/host.gz", &recording);
    one(&recording, false);
    one(&recording, true);
    free(recording.series);
    return 0;
}
