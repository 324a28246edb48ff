/*
 * A history against a model that keeps everything, over random lives: nasty values, series that
 * come and go, selectors, collections that fail, reloads, restarts, a clock that goes back, and
 * with a bound that is too small.  Whatever is read without `cut` is all of it, to the bit.  And
 * the same with threads, for the thread sanitizer.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "history_kit.h"
#include "store/pace.h"

#define OWNERS 3
#define NAMES 4
#define SERIES 12 /* of an owner and name */
#define SELECTORS 8
#define MAYBES 16
#define SAMPLES 4000  /* of a series that are remembered */
#define AHEAD_MS 2000 /* of samples with a time of their own, at most */
#ifdef TMON_SANITIZED
#define ROUNDS 600
#define THREAD_ROUNDS 150
#else
#define ROUNDS 6000
#define THREAD_ROUNDS 1000
#endif

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

struct cell {
    struct {
        int64_t time_ms;
        uint64_t bits;
    } samples[SAMPLES];
    uint32_t n;
    int64_t keep_ms; /* of those that match; -1: nobody */
    int64_t sure_ms; /* what is not after it may have been dropped before it was wanted */
    bool fresh;      /* its owner's last collection had it */
    uint64_t bits;   /* the last value */
    bool read;       /* the present reading had it */
    /* Samples behind which there may be a mark that the model does not have: the owner went, or the
     * series was too old to be remembered. */
    int64_t maybe_ms[MAYBES];
    uint32_t nmaybes;
};

struct choice {
    const char *text;
    bool (*matches)(int owner, int name, int k);
};

static bool is_a(int owner, int name, int k)
{
    (void)owner;
    (void)k;
    return name == 0;
}

static bool is_b_of_1(int owner, int name, int k)
{
    (void)k;
    return name == 1 && owner == 1;
}

static bool is_below_5(int owner, int name, int k)
{
    (void)owner;
    (void)name;
    return k < 5;
}

static bool is_c_or_d(int owner, int name, int k)
{
    (void)owner;
    (void)k;
    return name >= 2;
}

static const struct choice choices[] = {
    {"__name__=\"a\" o!=\"\"", is_a},
    {"o=\"1\" __name__=\"b\"", is_b_of_1},
    {"k=~\"[0-4]\"", is_below_5},
    {"__name__=~\"c|d\" o!=\"\"", is_c_or_d},
};
#define CHOICES (sizeof choices / sizeof choices[0])

struct world {
    struct store *store;
    struct history *history;
    struct store_owner *owners[OWNERS];
    struct pace paces[OWNERS];
    struct history_selector *selectors[SELECTORS];
    const struct choice *chosen[SELECTORS];
    int64_t keeps[SELECTORS];
    struct cell (*cells)[NAMES][SERIES];
    struct buf batch;
    int64_t now_ms;
    size_t limit;
    size_t cuts, reads, samples;
};

/* ---- the model ---- */

static struct cell *cell_of(struct world *world, int owner, int name, int k)
{
    return &world->cells[owner][name][k];
}

static void each_cell(struct world *world,
                      void (*fn)(struct world *world, struct cell *cell, int o, int n, int k))
{
    for (int o = 0; o < OWNERS; o++) {
        for (int n = 0; n < NAMES; n++) {
            for (int k = 0; k < SERIES; k++) {
                fn(world, cell_of(world, o, n, k), o, n, k);
            }
        }
    }
}

static void model_put(struct cell *cell, int64_t time_ms, uint64_t bits, bool wall)
{
    if (cell->keep_ms < 0) {
        return;
    }
    if (cell->n > 0 && time_ms <= cell->samples[cell->n - 1].time_ms) {
        if (!wall || time_ms == cell->samples[cell->n - 1].time_ms) {
            return;
        }
        while (cell->n > 0 && cell->samples[cell->n - 1].time_ms >= time_ms) {
            cell->n--;
        }
    }
    if (cell->n == SAMPLES) {
        memmove(cell->samples, cell->samples + SAMPLES / 2, SAMPLES / 2 * sizeof cell->samples[0]);
        cell->n = SAMPLES / 2;
    }
    cell->samples[cell->n].time_ms = time_ms;
    cell->samples[cell->n++].bits = bits;
}

/* Whether there may be a mark behind the first n samples. */
static bool maybe_marked(const struct cell *cell, uint32_t n)
{
    for (uint32_t i = 0; i < MAYBES && n > 0; i++) {
        if (cell->maybe_ms[i] == cell->samples[n - 1].time_ms) {
            return true;
        }
    }
    return false;
}

static void maybe_mark(struct cell *cell)
{
    if (cell->n > 0) {
        cell->maybe_ms[cell->nmaybes++ % MAYBES] = cell->samples[cell->n - 1].time_ms;
    }
}

static void model_mark(struct cell *cell, int64_t time_ms)
{
    int64_t last_ms;

    if (cell->n == 0 || cell->samples[cell->n - 1].bits == HISTORY_STALE_BITS) {
        return;
    }
    last_ms = cell->samples[cell->n - 1].time_ms;
    if (time_ms - last_ms > cell->keep_ms || last_ms <= cell->sure_ms) {
        maybe_mark(cell);
    } else {
        model_put(cell, time_ms + (time_ms == last_ms), HISTORY_STALE_BITS, true);
    }
}

static void rematch(struct world *world, struct cell *cell, int o, int n, int k)
{
    int64_t keep_ms = -1;

    for (int i = 0; i < SELECTORS; i++) {
        if (world->selectors[i] && world->chosen[i]->matches(o, n, k) &&
            world->keeps[i] > keep_ms) {
            keep_ms = world->keeps[i];
        }
    }
    if (keep_ms < 0) {
        cell->n = 0;
    } else if (cell->keep_ms < 0) {
        cell->sure_ms = INT64_MIN;
        cell->fresh = false;
    } else if (keep_ms > cell->keep_ms && world->now_ms - cell->keep_ms > cell->sure_ms) {
        cell->sure_ms = world->now_ms - cell->keep_ms;
    }
    cell->keep_ms = keep_ms;
}

/* ---- what happens ---- */

static void owner_add(struct world *world, int o)
{
    char name[8];
    const struct tmon_pair label = {"o", name};
    const struct store_owner_spec spec = {
        .name = name, .labels = &label, .nlabels = 1, .keep_ms = 40000};

    snprintf(name, sizeof name, "%d", o);
    assert_int_equal(store_owner_add(world->store, &spec, &world->owners[o]), 0);
    world->paces[o] = (struct pace){.time_ms = 0};
}

static void open_world(struct world *world)
{
    const struct history_limits limits = {.bytes = world->limit};

    assert_int_equal(store_create(NULL, &world->store), 0);
    assert_int_equal(history_create(world->store, &limits, &world->history), 0);
    for (int o = 0; o < OWNERS; o++) {
        owner_add(world, o);
    }
}

static uint64_t next_bits(uint64_t before)
{
    switch (draw(12)) {
    case 0:
        return HISTORY_STALE_BITS; // a plugin may send it
    case 1:
        return bits_of(NAN);
    case 2:
        return (uint64_t)draw(UINT32_MAX) << 32 | draw(UINT32_MAX);
    case 3:
        return bits_of(-0.0);
    case 4:
        return bits_of(draw(2) ? INFINITY : -INFINITY);
    case 5:
    case 6:
        return bits_of(draw(100000) / 100.0);
    case 7:
    case 8:
        return bits_of((double)(int64_t)(before % 100000) + draw(100));
    default:
        return before;
    }
}

/* As history_feed.c has it. */
static int64_t align(struct pace *pace, int64_t time_ms)
{
    int64_t most = pace->interval_ms / 100 < 2 ? pace->interval_ms / 100 : 2;
    int64_t off = time_ms - pace_next(pace);

    if (pace->time_ms == 0) {
        pace_start(pace, time_ms);
    } else {
        pace_step(pace, off >= -most && off <= most ? 0 : off);
    }
    return pace->time_ms;
}

static void emit(struct world *world, int o, int n, int k, int64_t time_ms)
{
    static const char names[NAMES][2] = {"a", "b", "c", "d"};
    struct cell *cell = cell_of(world, o, n, k);
    // Not where it may be older than a mark that the model does not know.
    int64_t own_ms =
        draw(20) == 0 && !maybe_marked(cell, cell->n) ? time_ms - draw(20000) + AHEAD_MS : 0;
    char text[8];
    const struct tmon_pair label = {"k", text};
    struct tmon_metric metric = {.size = sizeof metric,
                                 .kind = TMON_UNTYPED,
                                 .name = names[n],
                                 .labels = &label,
                                 .nlabels = 1,
                                 .time_ms = own_ms};
    const char *why;

    snprintf(text, sizeof text, "%d", k);
    cell->bits = next_bits(cell->bits);
    memcpy(&metric.value, &cell->bits, sizeof metric.value);
    assert_int_equal(sample_encode(&world->batch, &metric, &why), 0);
    if (own_ms) {
        cell->fresh = false;
        model_put(cell, own_ms, cell->bits, false);
    } else {
        cell->fresh = true;
        model_put(cell, time_ms, cell->bits, true);
    }
}

static void commit(struct world *world, int o)
{
    struct store_commit_result result;
    int64_t time_ms = align(&world->paces[o], world->now_ms);
    uint32_t density = draw(4) ? 20 : 2;

    for (int n = 0; n < NAMES; n++) {
        for (int k = 0; k < SERIES; k++) {
            if (draw(density)) {
                emit(world, o, n, k, time_ms);
            } else {
                struct cell *cell = cell_of(world, o, n, k);

                if (cell->fresh) {
                    model_mark(cell, time_ms);
                }
                cell->fresh = false;
            }
        }
    }
    assert_int_equal(store_commit(world->store, world->owners[o], world->batch.data,
                                  world->batch.len, world->now_ms - KIT_T0 + 100000000,
                                  world->now_ms, &result),
                     0);
    buf_clear(&world->batch);
}

static void fail_collection(struct world *world, int o)
{
    store_collection_failed(world->store, world->owners[o], world->now_ms);
    for (int n = 0; n < NAMES; n++) {
        for (int k = 0; k < SERIES; k++) {
            struct cell *cell = cell_of(world, o, n, k);

            if (cell->fresh) {
                model_mark(cell, world->now_ms);
            }
            cell->fresh = false;
        }
    }
}

static void replace_owner(struct world *world, int o)
{
    store_owner_remove(world->store, world->owners[o]);
    owner_add(world, o);
    for (int n = 0; n < NAMES; n++) {
        for (int k = 0; k < SERIES; k++) {
            struct cell *cell = cell_of(world, o, n, k);

            if (cell->fresh) {
                maybe_mark(cell);
            }
            cell->fresh = false;
        }
    }
}

static void change_selector(struct world *world)
{
    static const int64_t keeps[] = {60000, 300000, 900000, 3600000};
    uint32_t i = draw(SELECTORS);

    if (world->selectors[i]) {
        history_unselect(world->history, world->selectors[i]);
        world->selectors[i] = NULL;
    } else {
        world->chosen[i] = &choices[draw(CHOICES)];
        world->keeps[i] = keeps[draw(4)];
        world->selectors[i] = kit_select(world->history, world->chosen[i]->text, world->keeps[i]);
    }
    each_cell(world, rematch);
}

static void forget_owner(struct world *world, struct cell *cell, int o, int n, int k)
{
    (void)world;
    (void)o;
    (void)n;
    (void)k;
    cell->fresh = false;
}

static void forget_the_future(struct world *world, struct cell *cell, int o, int n, int k)
{
    (void)o;
    (void)n;
    (void)k;
    while (cell->n > 0 && cell->samples[cell->n - 1].time_ms > world->now_ms + AHEAD_MS) {
        cell->n--;
    }
}

static void restart(struct world *world)
{
    struct buf saved;

    buf_init(&saved, 64 << 20);
    assert_int_equal(history_save(world->history, world->now_ms, &saved), 0);
    store_destroy(world->store);
    open_world(world);
    for (int i = 0; i < SELECTORS; i++) {
        if (world->selectors[i]) {
            world->selectors[i] =
                kit_select(world->history, world->chosen[i]->text, world->keeps[i]);
        }
    }
    assert_int_equal(
        history_restore(world->history, saved.data, saved.len, world->now_ms + AHEAD_MS), 0);
    buf_finish(&saved);
    each_cell(world, forget_owner);
    each_cell(world, forget_the_future);
}

/* ---- comparing ---- */

struct reading {
    struct world *world;
    int64_t from_ms;
    int64_t to_ms;
    bool last;
};

static struct cell *cell_named(struct world *world, const struct history_series *series)
{
    const char *name = NULL, *o = NULL, *k = NULL;

    for (size_t i = 0; i < series->nlabels; i++) {
        if (strcmp(series->labels[i].key, "__name__") == 0) {
            name = series->labels[i].value;
        } else if (strcmp(series->labels[i].key, "o") == 0) {
            o = series->labels[i].value;
        } else {
            k = series->labels[i].value;
        }
    }
    assert_true(name && o && k && series->nlabels == 3);
    return cell_of(world, *o - '0', *name - 'a', atoi(k));
}

/* From the last sample on. */
static int compare(void *arg, const struct history_series *series)
{
    struct reading *reading = arg;
    struct cell *cell = cell_named(reading->world, series);
    uint32_t at = cell->n;

    assert_false(cell->read); // once each
    cell->read = true;
    reading->world->cuts += series->cut;
    reading->world->samples += series->n;
    if (reading->last) {
        assert_int_equal(series->n, !series->cut);
    }
    while (at > 0 && cell->samples[at - 1].time_ms > reading->to_ms) {
        at--;
    }
    for (size_t n = series->n; n > 0; n--) {
        const struct history_sample *sample = &series->samples[n - 1];

        assert_true(sample->time_ms > reading->from_ms && sample->time_ms <= reading->to_ms);
        if (kit_is_stale(sample->value) && maybe_marked(cell, at) &&
            sample->time_ms > cell->samples[at - 1].time_ms) {
            continue;
        }
        assert_true(at > 0);
        at--;
        assert_true(sample->time_ms == cell->samples[at].time_ms);
        assert_memory_equal(&sample->value, &cell->samples[at].bits, 8);
    }
    if (!series->cut && !reading->last) { // nothing is missing
        assert_false(at > 0 && cell->samples[at - 1].time_ms > reading->from_ms &&
                     cell->samples[at - 1].time_ms > cell->sure_ms);
    }
    return 0;
}

static void unread(struct world *world, struct cell *cell, int o, int n, int k)
{
    (void)world;
    (void)o;
    (void)n;
    (void)k;
    cell->read = false;
}

static void read_one(struct world *world, uint32_t i)
{
    int64_t keep_ms = world->keeps[i];
    struct reading reading = {
        .world = world,
        .from_ms = world->now_ms - draw((uint32_t)keep_ms + 1),
        .to_ms = world->now_ms + 3000,
        .last = draw(2),
    };
    int r;

    if (draw(2)) {
        reading.to_ms = reading.from_ms + draw((uint32_t)(world->now_ms - reading.from_ms) + 1);
    }
    each_cell(world, unread);
    r = (reading.last ? history_read_last : history_read)(
        world->history, world->selectors[i], reading.from_ms, reading.to_ms, compare, &reading);
    world->reads++;
    if (r == -ENOBUFS && world->limit) {
        return;
    }
    assert_int_equal(r, 0);
    for (int o = 0; o < OWNERS; o++) {
        for (int n = 0; n < NAMES; n++) {
            for (int k = 0; k < SERIES; k++) {
                const struct cell *cell = cell_of(world, o, n, k);
                uint32_t at = cell->n;

                while (at > 0 && cell->samples[at - 1].time_ms > reading.to_ms) {
                    at--;
                }
                if (cell->read || !world->chosen[i]->matches(o, n, k) || at == 0) {
                    continue;
                }
                assert_false(cell->samples[at - 1].time_ms > reading.from_ms &&
                             cell->samples[at - 1].time_ms > cell->sure_ms);
            }
        }
    }
}

static void read_some(struct world *world)
{
    struct history_stats stats;
    uint32_t i = draw(SELECTORS);

    if (world->selectors[i]) {
        read_one(world, i);
    }
    history_stats(world->history, NULL, &stats);
    if (world->limit) {
        assert_true(stats.bytes <= world->limit + 16384);
    }
}

static void step(struct world *world)
{
    int o = (int)draw(OWNERS);

    world->now_ms += draw(10) ? 1000 + draw(20000) : draw(300000);
    switch (draw(60)) {
    case 0:
        replace_owner(world, o);
        break;
    case 1:
    case 2:
        fail_collection(world, o);
        break;
    case 3:
    case 4:
        change_selector(world);
        break;
    case 5:
        if (draw(4) == 0) {
            restart(world);
        }
        break;
    case 6:
        if (draw(4) == 0) {
            world->now_ms -= 1000 + draw(40000);
        }
        break;
    case 7:
    case 8:
    case 9:
        history_sample_own(world->history, world->now_ms);
        break;
    default:
        commit(world, o);
        break;
    }
    read_some(world);
}

static void live(size_t limit)
{
    struct world world = {.now_ms = KIT_T0, .limit = limit};
    struct history_stats stats;

    world.cells = calloc(OWNERS, sizeof *world.cells);
    assert_non_null(world.cells);
    for (int o = 0; o < OWNERS; o++) {
        for (int n = 0; n < NAMES; n++) {
            for (int k = 0; k < SERIES; k++) {
                world.cells[o][n][k].keep_ms = -1;
            }
        }
    }
    buf_init(&world.batch, 1 << 20);
    open_world(&world);
    for (int i = 0; i < ROUNDS; i++) {
        step(&world);
    }
    assert_true(world.samples > ROUNDS);
    if (limit) {
        assert_true(world.cuts > 0);
    } else {
        assert_int_equal(world.cuts, 0);
    }
    for (int i = 0; i < SELECTORS; i++) {
        history_unselect(world.history, world.selectors[i]);
    }
    history_stats(world.history, NULL, &stats);
    assert_int_equal(stats.series + stats.samples + stats.cut, 0);
    store_destroy(world.store);
    buf_finish(&world.batch);
    free(world.cells);
}

static void random_lives_agree_with_the_model(void **unused)
{
    (void)unused;
    live(0);
}

static void with_too_little_memory_nothing_wrong_is_said(void **unused)
{
    (void)unused;
    live(80000);
}

/* ---- threads ---- */

struct shared {
    struct store *store;
    struct history *history;
    _Atomic bool stop;
    _Atomic int64_t now_ms;
    unsigned bad;
    size_t samples;
};

struct collector {
    struct shared *shared;
    struct store_owner *owner;
    int number;
};

/* Every value says its time, so that a reader knows what is right. */
static void *collect(void *arg)
{
    static const double bounds[] = {0.5, 1};
    struct collector *collector = arg;
    struct shared *shared = collector->shared;
    struct buf batch;
    const char *why;

    buf_init(&batch, 1 << 20);
    for (int i = 0; i < THREAD_ROUNDS; i++) {
        int64_t time_ms = KIT_T0 + i * INT64_C(15000);
        struct store_commit_result result;

        for (int k = 0; k < 300; k++) {
            char text[8];

            snprintf(text, sizeof text, "%d", (k + i / 50) % 310);
            (void)kit_sample(&batch, TMON_GAUGE, "x", "k", text, (double)(time_ms - KIT_T0));
        }
        {
            double points[] = {(double)i, (double)i};
            struct tmon_metric metric = {.size = sizeof metric,
                                         .kind = TMON_HISTOGRAM,
                                         .name = "h",
                                         .value = (double)(time_ms - KIT_T0),
                                         .bounds = bounds,
                                         .points = points,
                                         .npoints = 2,
                                         .count = (uint64_t)i};

            (void)sample_encode(&batch, &metric, &why);
        }
        (void)store_commit(shared->store, collector->owner, batch.data, batch.len,
                           1000000 + i * INT64_C(15000), time_ms, &result);
        buf_clear(&batch);
        if (i % 40 == 39) {
            store_collection_failed(shared->store, collector->owner, time_ms + 5000);
        }
        atomic_store(&shared->now_ms, time_ms);
    }
    buf_finish(&batch);
    return NULL;
}

static int check(void *arg, const struct history_series *series)
{
    struct shared *shared = arg;
    bool says_time = false;

    for (size_t i = 0; i < series->nlabels; i++) {
        says_time |= strcmp(series->labels[i].value, "x") == 0 ||
                     strcmp(series->labels[i].value, "h_sum") == 0;
    }
    for (size_t i = 0; i < series->n; i++) {
        const struct history_sample *sample = &series->samples[i];

        shared->bad += i > 0 && sample->time_ms <= sample[-1].time_ms;
        shared->bad += says_time && !kit_is_stale(sample->value) &&
                       sample->value != (double)(sample->time_ms - KIT_T0);
        shared->samples++;
    }
    return 0;
}

static void *evaluate(void *arg)
{
    struct shared *shared = arg;
    struct history_selector *always = kit_select(shared->history, "k!=\"\"", 600000);
    struct history_selector *often = NULL;
    const struct store_metric_spec spec = {.kind = TMON_COUNTER, .name = "evaluations"};
    struct store_metric *metric = NULL;
    struct buf saved;

    buf_init(&saved, 64 << 20);
    for (int i = 0; !atomic_load(&shared->stop); i++) {
        int64_t now_ms = atomic_load(&shared->now_ms);
        struct history_stats stats;

        (void)history_read(shared->history, always, now_ms - 600000, now_ms, check, shared);
        (void)history_read_last(shared->history, always, now_ms - 600000, now_ms - 1, check,
                                shared);
        if (i % 3 == 0) {
            history_unselect(shared->history, often);
            often = kit_select(shared->history, i % 2 ? "__name__=~\"h.*\"" : "__name__=\"x\"",
                               3600000);
            store_metric_remove(shared->store, metric);
            metric = NULL;
            (void)store_metric_add(shared->store, &spec, &metric);
        }
        (void)history_read(shared->history, often, 0, now_ms, check, shared);
        history_sample_own(shared->history, now_ms);
        history_stats(shared->history, often, &stats);
        if (i % 10 == 0) {
            buf_clear(&saved);
            shared->bad += history_save(shared->history, now_ms, &saved) < 0;
            shared->bad += history_restore(shared->history, saved.data, saved.len, now_ms) < 0;
        }
    }
    history_unselect(shared->history, often);
    history_unselect(shared->history, always);
    store_metric_remove(shared->store, metric);
    buf_finish(&saved);
    return NULL;
}

static void readers_and_commits_go_beside_each_other(void **unused)
{
    struct shared shared = {.bad = 0};
    struct collector collectors[3];
    pthread_t threads[4];

    (void)unused;
    atomic_store(&shared.now_ms, KIT_T0);
    assert_int_equal(store_create(NULL, &shared.store), 0);
    assert_int_equal(
        history_create(shared.store, &(struct history_limits){.bytes = 700000}, &shared.history),
        0);
    for (int i = 0; i < 3; i++) {
        char name[8];
        const struct tmon_pair label = {"o", name};
        const struct store_owner_spec spec = {
            .name = name, .labels = &label, .nlabels = 1, .keep_ms = 100000};

        snprintf(name, sizeof name, "%d", i);
        collectors[i] = (struct collector){.shared = &shared, .number = i};
        assert_int_equal(store_owner_add(shared.store, &spec, &collectors[i].owner), 0);
    }
    assert_int_equal(pthread_create(&threads[3], NULL, evaluate, &shared), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, collect, &collectors[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    atomic_store(&shared.stop, true);
    pthread_join(threads[3], NULL);
    assert_int_equal(shared.bad, 0);
    assert_true(shared.samples > 1000);
    store_destroy(shared.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_agree_with_the_model),
        cmocka_unit_test(with_too_little_memory_nothing_wrong_is_said),
        cmocka_unit_test(readers_and_commits_go_beside_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
