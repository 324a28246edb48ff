/*
 * A store against a model that is too simple to be wrong, over random histories; and the same with
 * readers beside it, which is what the thread sanitizer is for.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit.h"

#define OWNERS 3
#define FAMILIES 5
#define SERIES 120 /* of one family: two or three chunks */
#define LABEL 1900 /* bytes of a label, at most */
#define KEEP_S 20
#ifdef TMON_SANITIZED
#define ROUNDS 100
#else
#define ROUNDS 500
#endif

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

/* What the store should hold. */
struct cell {
    int owner; /* -1: not there */
    double value;
    int64_t seen_s;
};

struct world {
    struct store *store;
    struct store_owner *owners[OWNERS];
    struct cell cells[FAMILIES][SERIES];
    struct buf batch;
    int64_t now_s;
};

static void put_owner(struct world *world, int i)
{
    char name[8];
    const struct store_owner_spec spec = {.name = name, .keep_ms = KEEP_S * 1000};

    snprintf(name, sizeof name, "o%d", i);
    assert_int_equal(store_owner_add(world->store, &spec, &world->owners[i]), 0);
}

static void world_init(struct world *world)
{
    *world = (struct world){.now_s = 100};
    assert_int_equal(store_create(NULL, &world->store), 0);
    for (int i = 0; i < OWNERS; i++) {
        put_owner(world, i);
    }
    for (int f = 0; f < FAMILIES; f++) {
        for (int s = 0; s < SERIES; s++) {
            world->cells[f][s].owner = -1;
        }
    }
    buf_init(&world->batch, 1 << 20);
}

static void world_finish(struct world *world)
{
    store_destroy(world->store);
    buf_finish(&world->batch);
}

/* The label's text: of very different lengths, so that chunks fill and move unevenly. */
static void label_of(int s, char text[static LABEL])
{
    int len = snprintf(text, LABEL, "s%d-", s);
    int more = s * 37 % (LABEL - 40);

    memset(text + len, 'x', (size_t)more);
    text[len + more] = '\0';
}

static void commit_some(struct world *world, int owner)
{
    struct store_commit_result result;
    uint32_t expected = 0;
    bool skip_families = draw(4) == 0;

    for (int f = 0; f < FAMILIES; f++) {
        uint32_t density = 1 + draw(4);
        bool backwards = draw(8) == 0;
        char name[16];

        if (skip_families && draw(2)) {
            continue;
        }
        snprintf(name, sizeof name, "family_%d", f);
        for (int i = 0; i < SERIES; i++) {
            int s = backwards ? SERIES - 1 - i : i;
            struct cell *cell = &world->cells[f][s];
            double value = draw(1000000) / 100.0;
            char label[LABEL];

            if (draw(density)) {
                continue;
            }
            label_of(s, label);
            assert_true(kit_sample(&world->batch, f % 2 ? TMON_GAUGE : TMON_UNTYPED, name, "s",
                                   label, value));
            if (cell->owner < 0 || cell->owner == owner) {
                *cell = (struct cell){owner, value, world->now_s};
                expected++;
            }
        }
    }
    assert_int_equal(store_commit(world->store, world->owners[owner], world->batch.data,
                                  world->batch.len, world->now_s * 1000, world->now_s * 1000,
                                  &result),
                     0);
    buf_clear(&world->batch);
    assert_int_equal(result.accepted, expected);
}

static void forget(struct world *world, int owner)
{
    for (int f = 0; f < FAMILIES; f++) {
        for (int s = 0; s < SERIES; s++) {
            if (world->cells[f][s].owner == owner) {
                world->cells[f][s].owner = -1;
            }
        }
    }
}

static void expire(struct world *world)
{
    store_expire(world->store, world->now_s * 1000);
    for (int f = 0; f < FAMILIES; f++) {
        for (int s = 0; s < SERIES; s++) {
            if (world->now_s - world->cells[f][s].seen_s > KEEP_S) {
                world->cells[f][s].owner = -1;
            }
        }
    }
}

static void assert_same(struct world *world)
{
    size_t len;
    char *text = kit_scrape(world->store, EXPOSITION_TEXT, false, 1 + draw(90000),
                            world->now_s * 1000, &len);
    char error[256];
    unsigned samples;
    uint32_t counts[OWNERS] = {0};

    if (!kit_read(text, len, false, &samples, error)) {
        fail_msg("%s", error);
    }
    for (int f = 0; f < FAMILIES; f++) {
        for (int s = 0; s < SERIES; s++) {
            const struct cell *cell = &world->cells[f][s];
            char label[LABEL];
            char line[LABEL + 40];
            const char *at;

            label_of(s, label);
            snprintf(line, sizeof line, "\nfamily_%d{s=\"%s\"} ", f, label);
            at = strstr(text, line);
            if ((at != NULL) != (cell->owner >= 0)) {
                fail_msg("%s: should %sbe there", line, cell->owner >= 0 ? "" : "not ");
            }
            if (at) {
                assert_true(strtod(at + strlen(line), NULL) == cell->value);
                counts[cell->owner]++;
            }
        }
    }
    for (int i = 0; i < OWNERS; i++) {
        assert_int_equal(store_owner_series(world->owners[i]), counts[i]);
    }
    free(text);
}

/* A scrape that stops and goes on while the world changes; what it says is valid, whatever it says.
 */
struct slow_scrape {
    struct exposition *exposition;
    struct buf text;
};

static void go_on(struct world *world, struct slow_scrape *slow)
{
    char block[20000];
    ssize_t n;

    if (!slow->exposition) {
        buf_init(&slow->text, 4 << 20);
        assert_int_equal(exposition_create(world->store, EXPOSITION_OPENMETRICS, false,
                                           world->now_s * 1000, &slow->exposition),
                         0);
    }
    n = exposition_read(slow->exposition, block, 1 + draw(sizeof block));
    assert_true(n >= 0);
    buf_append(&slow->text, block, (size_t)n);
    if (n == 0) {
        char error[256];
        unsigned samples;

        if (!kit_read(buf_str(&slow->text), slow->text.len, true, &samples, error)) {
            fail_msg("%s", error);
        }
        exposition_destroy(slow->exposition);
        buf_finish(&slow->text);
        slow->exposition = NULL;
    }
}

static void step(struct world *world)
{
    int owner = (int)draw(OWNERS);

    world->now_s += draw(5);
    expire(world);
    switch (draw(12)) {
    case 0:
        store_owner_remove(world->store, world->owners[owner]);
        put_owner(world, owner);
        forget(world, owner);
        break;
    case 1:
        world->now_s += draw(KEEP_S);
        break;
    default:
        commit_some(world, owner);
        break;
    }
}

static void random_histories_agree_with_the_model(void **unused)
{
    struct world world;
    struct slow_scrape slow[2] = {{0}};

    (void)unused;
    world_init(&world);
    for (int round = 0; round < ROUNDS; round++) {
        step(&world);
        go_on(&world, &slow[0]);
        if (round % 3 == 0) {
            go_on(&world, &slow[1]);
        }
        if (round % 20 == 0) {
            expire(&world);
            assert_same(&world);
        }
    }
    for (int i = 0; i < 2; i++) {
        exposition_destroy(slow[i].exposition);
        buf_finish(&slow[i].text);
    }
    world_finish(&world);
}

struct reader {
    struct store *store;
    struct store_metric *metric;
    _Atomic bool stop;
    unsigned scrapes;
    unsigned bad;
};

static void *read_on(void *arg)
{
    struct reader *reader = arg;

    while (!atomic_load(&reader->stop)) {
        size_t len;
        char *text = kit_scrape(reader->store, EXPOSITION_TEXT, false, 7000, 0, &len);
        char error[256];
        unsigned samples;

        reader->bad += !kit_read(text, len, false, &samples, error);
        reader->scrapes++;
        store_metric_observe(reader->metric, 0.5);
        free(text);
    }
    return NULL;
}

static void readers_beside_it_see_valid_text(void **unused)
{
    static const double bounds[] = {0.1, 1};
    const struct store_metric_spec spec = {
        .kind = TMON_HISTOGRAM, .name = "reads_seconds", .bounds = bounds, .nbounds = 2};
    struct world world;
    struct reader readers[2] = {{0}};
    pthread_t threads[2];

    (void)unused;
    world_init(&world);
    assert_int_equal(store_metric_add(world.store, &spec, &readers[0].metric), 0);
    for (int i = 0; i < 2; i++) {
        readers[i].store = world.store;
        readers[i].metric = readers[0].metric;
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (int round = 0; round < ROUNDS / 3; round++) {
        step(&world);
    }
    for (int i = 0; i < 2; i++) {
        atomic_store(&readers[i].stop, true);
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].bad, 0);
        assert_true(readers[i].scrapes > 0);
    }
    assert_int_equal(store_metric_count(readers[0].metric),
                     readers[0].scrapes + readers[1].scrapes);
    world_finish(&world);
}

static void memory_comes_back(void **unused)
{
    struct world world;
    struct store_stats before;
    struct store_stats full;
    struct store_stats after;

    (void)unused;
    world_init(&world);
    store_stats(world.store, &before);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 5000; i++) {
            char label[32];

            snprintf(label, sizeof label, "%d-%d", round, i);
            assert_true(kit_sample(&world.batch, TMON_GAUGE, "flood", "i", label, i));
        }
        {
            struct store_commit_result result;

            world.now_s += KEEP_S + 1;
            assert_int_equal(store_commit(world.store, world.owners[0], world.batch.data,
                                          world.batch.len, world.now_s * 1000, world.now_s * 1000,
                                          &result),
                             0);
            buf_clear(&world.batch);
            assert_int_equal(result.created, 5000);
        }
        if (round == 1) {
            store_stats(world.store, &full);
        }
    }
    store_stats(world.store, &after);
    assert_true(after.bytes <= full.bytes + full.bytes / 10); // twenty floods cost no more than two
    store_owner_remove(world.store, world.owners[0]);
    store_stats(world.store, &after);
    assert_true(after.series <= before.series);
    // What stays are the tables of ids, which are small.
    assert_true(after.bytes < full.bytes / 2);
    world.owners[0] = NULL;
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_agree_with_the_model),
        cmocka_unit_test(readers_beside_it_see_valid_text),
        cmocka_unit_test(memory_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
