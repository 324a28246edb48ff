/* core/store/spans.c: whatever changed in between, a scrape made of kept spans is, byte for byte,
 * what one without them is; and a span that somebody still sends does not change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "kit.h"
#include "store/spans.h"

#define MOST (8u << 20)
#ifdef TMON_SANITIZED
#define ROUNDS 400
#else
#define ROUNDS 4000
#endif

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

struct world {
    struct store *store;
    struct store_owner *owner;
    struct span_list kept;
    struct buf batch;
    int64_t now_ms;
};

static void make(struct world *world)
{
    const struct store_owner_spec spec = {.name = "o", .keep_ms = 20000};

    *world = (struct world){.now_ms = 1000};
    buf_init(&world->batch, 8 << 20);
    assert_int_equal(store_create(NULL, &world->store), 0);
    assert_int_equal(store_owner_add(world->store, &spec, &world->owner), 0);
}

static void drop(struct world *world)
{
    span_list_finish(&world->kept);
    store_destroy(world->store);
    buf_finish(&world->batch);
}

static void emit(struct world *world, struct tmon_metric metric)
{
    const char *why;

    metric.size = sizeof metric;
    assert_int_equal(sample_encode(&world->batch, &metric, &why), 0);
}

static void commit(struct world *world)
{
    struct store_commit_result result;

    assert_int_equal(store_commit(world->store, world->owner, world->batch.data, world->batch.len,
                                  world->now_ms, world->now_ms, &result),
                     0);
    buf_clear(&world->batch);
}

static void emit_plain(struct world *world, const char *name, int item, double value)
{
    char label[16];
    const struct tmon_pair pair = {"item", label};

    (void)snprintf(label, sizeof label, "%d", item);
    emit(world,
         (struct tmon_metric){.kind = strcmp(name, "c_total") == 0 ? TMON_COUNTER : TMON_GAUGE,
                              .name = name,
                              .help = "Plain.",
                              .value = value,
                              .labels = &pair,
                              .nlabels = 1});
}

/* A scrape of spans into one text, to be freed; the spans stay in *list. */
static char *scrape(struct world *world, enum exposition_format format, size_t most,
                    struct span_list *list)
{
    struct exposition *exposition = NULL;
    struct buf text;
    int r;

    buf_init(&text, 64 << 20);
    assert_int_equal(exposition_create(world->store, format, false, world->now_ms, &exposition), 0);
    r = exposition_spans(exposition, &world->kept, most, list);
    assert_true(r >= 0);
    for (size_t i = 0; i < list->n; i++) {
        buf_append(&text, list->items[i]->text, list->items[i]->len);
    }
    for (;;) {
        char block[3000];
        ssize_t n = exposition_read(exposition, block, sizeof block);

        assert_true(n >= 0);
        assert_false(n > 0 && r == 0);
        if (n == 0) {
            break;
        }
        buf_append(&text, block, (size_t)n);
    }
    exposition_destroy(exposition);
    return buf_take(&text);
}

static void assert_right(struct world *world, enum exposition_format format, size_t most,
                         struct span_list *list)
{
    char *text = scrape(world, format, most, list);
    char *expected = kit_scrape(world->store, format, false, 65536, world->now_ms, NULL);

    if (strcmp(text, expected) != 0) {
        size_t at = 0;

        while (text[at] == expected[at]) {
            at++;
        }
        at = at > 100 ? at - 100 : 0;
        fail_msg("is\n%.300s\nshould be\n%.300s", text + at, expected + at);
    }
    free(text);
    free(expected);
}

static void what_did_not_change_is_kept(void **unused)
{
    struct world world;
    struct span_list first, second, third;
    size_t same = 0;

    (void)unused;
    make(&world);
    for (int i = 0; i < 9000; i++) {
        emit_plain(&world, i < 4500 ? "a_bytes" : "b_bytes", i, i);
    }
    commit(&world);
    assert_right(&world, EXPOSITION_TEXT, MOST, &first);
    assert_right(&world, EXPOSITION_TEXT, MOST, &second);
    assert_true(first.n >= 3);
    assert_int_equal(second.n, first.n);
    for (size_t i = 0; i + 1 < first.n; i++) {
        assert_ptr_equal(first.items[i], second.items[i]);
    }
    // The last one has the agent's own metrics, which change unseen.
    assert_ptr_not_equal(first.items[first.n - 1], second.items[first.n - 1]);

    emit_plain(&world, "b_bytes", 8000, -0.125);
    commit(&world);
    assert_right(&world, EXPOSITION_TEXT, MOST, &third);
    assert_int_equal(third.n, first.n);
    for (size_t i = 0; i < first.n; i++) {
        same += first.items[i] == third.items[i];
    }
    assert_int_equal(same, first.n - 2);
    span_list_finish(&first);
    span_list_finish(&second);
    span_list_finish(&third);
    drop(&world);
}

/* Of everything that may happen to a store, something. */
static void step(struct world *world, struct store_metric **own)
{
    static const char *const names[] = {"a_bytes", "c_total", "c_total", "e_bytes", "g_bytes"};
    static const double bounds[] = {1, 2};
    const double points[] = {draw(9), 9};
    int n = (int)draw(300);
    uint32_t f = draw(5);

    switch (draw(12)) {
    case 0: // lines that are none of a plain series
        emit(world, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                         .name = draw(2) ? "b_seconds" : "f_seconds",
                                         .bounds = bounds,
                                         .points = points,
                                         .npoints = 2,
                                         .count = 9});
        commit(world);
        break;
    case 1:
        emit(world, (struct tmon_metric){
                        .kind = TMON_GAUGE, .name = "d_bytes", .value = 1, .time_ms = draw(3) * 7});
        commit(world);
        break;
    case 2: // a value too long for its place
        emit_plain(world, "g_bytes", (int)draw(50), draw(2) ? -1.2345678901234567e-100 : 1);
        commit(world);
        break;
    case 3:
        store_metric_set(own[0], draw(100000));
        break;
    case 4: {
        const struct store_metric_spec spec = {.kind = TMON_GAUGE, .name = "c_more"};

        if (own[1]) {
            store_metric_remove(world->store, own[1]);
            own[1] = NULL;
        } else {
            assert_int_equal(store_metric_add(world->store, &spec, &own[1]), 0);
        }
        break;
    }
    case 5:
        world->now_ms += draw(15000); // some stop
        break;
    case 6: // a family without help gets one; "c", whose name "c_total" takes over, comes and goes
        if (draw(2)) {
            emit_plain(world, "c", 1, 1);
        }
        emit(world, (struct tmon_metric){
                        .kind = TMON_COUNTER, .name = "h_total", .help = draw(2) ? "H." : NULL});
        commit(world);
        break;
    default:
        for (int i = 0; i < n; i++) {
            emit_plain(world, names[f], (int)draw(2000), draw(3) ? i : draw(100000) / 7.0);
        }
        commit(world);
        break;
    }
    world->now_ms += draw(300);
}

static void kept_spans_are_right_whatever_happens(void **unused)
{
    const struct store_metric_spec spec = {.kind = TMON_GAUGE, .name = "c_own"};
    struct store_metric *own[2] = {NULL, NULL};
    struct world world;
    struct span_list sent = {.n = 0}; // a client that takes its time
    struct buf sent_text;

    (void)unused;
    make(&world);
    buf_init(&sent_text, 64 << 20);
    assert_int_equal(store_metric_add(world.store, &spec, &own[0]), 0);
    for (int round = 0; round < ROUNDS; round++) {
        enum exposition_format format = round / 20 % 2 ? EXPOSITION_TEXT : EXPOSITION_OPENMETRICS;
        struct span_list list;

        step(&world, own);
        assert_right(&world, format, draw(10) ? MOST : draw(200000), &list);
        if (draw(8) != 0) {
            span_list_finish(&list);
            continue;
        }
        for (size_t i = 0, at = 0; i < sent.n; at += sent.items[i++]->len) {
            assert_memory_equal(sent.items[i]->text, buf_str(&sent_text) + at, sent.items[i]->len);
        }
        span_list_finish(&sent);
        sent = list;
        buf_clear(&sent_text);
        for (size_t i = 0; i < sent.n; i++) {
            buf_append(&sent_text, sent.items[i]->text, sent.items[i]->len);
        }
    }
    span_list_finish(&sent);
    buf_finish(&sent_text);
    drop(&world);
}

/* The head of a family depends on whether there is another one: "c" takes the name of "c_total". */
static void heads_depend_on_other_families(void **unused)
{
    char label[1900];
    const struct tmon_pair pair = {"item", label};
    struct world world;
    struct span_list list;

    (void)unused;
    make(&world);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 40; i++) { // a span's length, so that the next one begins with c_total
            memset(label, 'a' + i % 26, sizeof label - 1);
            label[sizeof label - 1] = '\0';
            label[i] = '-';
            emit(&world, (struct tmon_metric){.kind = TMON_GAUGE,
                                              .name = "a_bytes",
                                              .value = i,
                                              .labels = &pair,
                                              .nlabels = 1});
        }
        for (int i = 0; i < 2000; i++) {
            emit_plain(&world, "c_total", i, i);
        }
        if (round % 2) {
            emit_plain(&world, "c", 1, 1);
        }
        commit(&world);
        assert_right(&world, EXPOSITION_OPENMETRICS, MOST, &list);
        assert_true(memcmp(list.items[1]->text, "# TYPE c", 8) == 0);
        span_list_finish(&list);
        world.now_ms += 30000; // "c" stops
    }
    drop(&world);
}

/* More stretches than a list takes: the rest comes by exposition_read(). */
static void many_stretches(void **unused)
{
    static const double bound = 1, point = 1;
    struct world world;
    struct span_list list;

    (void)unused;
    make(&world);
    for (int i = 0; i < 400; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "h%03d_bytes", i);
        for (int item = 0; item < 100; item++) {
            emit_plain(&world, name, item, item);
        }
        (void)snprintf(name, sizeof name, "h%03d_seconds", i);
        emit(&world, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                          .name = name,
                                          .bounds = &bound,
                                          .points = &point,
                                          .npoints = 1,
                                          .count = 1});
        commit(&world);
    }
    for (int i = 0; i < 3; i++) {
        assert_right(&world, EXPOSITION_OPENMETRICS, MOST, &list);
        span_list_finish(&list);
    }
    drop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_did_not_change_is_kept),
        cmocka_unit_test(kept_spans_are_right_whatever_happens),
        cmocka_unit_test(heads_depend_on_other_families),
        cmocka_unit_test(many_stretches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
