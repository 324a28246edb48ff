/* core/outbox/window.c: queues that are longer than memory. */
#include "kit.h"

#include <malloc.h>
#include <time.h>

#include "outbox/private.h"

#ifdef TMON_SANITIZED
#define MANY 30000
#else
#define MANY 300000 /* TMON_BACKLOG=1000000 writes half a gigabyte */
#endif

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 64, .give_up_ms = 86400000},
    {.name = "mail", .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *each(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, false);
}

struct fill {
    const char *sink;
    int64_t n;
    uint64_t ordering; /* the first; each has its own, or all have 0 */
    bool one_ordering;
    size_t len; /* of the body, at least */
};

/* Rows as they would have been queued, written at once. */
static int fill_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct fill *fill = arg;
    struct tmon_alert alert = {.size = sizeof alert,
                               .firing = true,
                               .key = "k",
                               .name = "A",
                               .summary = "",
                               .description = "",
                               .fingerprint = "0",
                               .generator_url = ""};
    const struct tmon_alert *const alerts[] = {&alert};
    struct tmon_notification notification = {
        .size = sizeof notification, .attempt = 1, .alerts = alerts, .nalerts = 1};
    struct buf body;
    char *text = malloc(fill->len + 1);

    memset(text, 'x', fill->len);
    text[fill->len] = '\0';
    alert.description = text;
    buf_init(&body, 1 << 20);
    content_put_items(&body, &(struct content_item){.episode = 1, .firing = true, .news = true}, 1);
    assert_int_equal(notification_encode(&body, &notification), 0);
    for (int64_t i = 0; i < fill->n; i++) {
        char uid[UID_SIZE];
        struct row row = {.uid = uid,
                          .sink = fill->sink,
                          .ordering = fill->one_ordering ? 7 : fill->ordering + (uint64_t)i,
                          .head = !fill->one_ordering || (i == 0 && fill->ordering == 0),
                          .created_ms = kit->now.real_ms,
                          .reason = "",
                          .title = "firing: A",
                          .body = body.data,
                          .len = body.len,
                          .body_sum = row_body_sum(body.data, body.len)};

        make_uid(kit->outbox, uid);
        row_insert(kit->outbox, tx, &row);
    }
    buf_finish(&body);
    free(text);
    return tx->error;
}

/* The agent does not know of them until it starts anew. */
static void fill(struct kit *kit, const char *sink, int64_t n, bool one_ordering, size_t len)
{
    for (int64_t i = 0; i < n; i += 20000) {
        struct fill part = {sink, n - i < 20000 ? n - i : 20000, (uint64_t)i, one_ordering, len};

        assert_int_equal(kit_do(kit, fill_job, &part), 0);
    }
}

static double seconds(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* All that are under way are delivered, in one job; it remembers the last, and refuses if they did
 * not come in order. */
static int deliver_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    int64_t *last = arg;
    int r = 0;

    (void)pthread_mutex_lock(&kit->lock);
    for (size_t i = 0; i < kit->n; i++) {
        struct outbox_outcome outcome = {.id = kit->attempts[i]->id, .retry_after_ms = -1};

        if (outcome.id <= *last) {
            (void)fprintf(stderr, "# %lld after %lld\n", (long long)outcome.id, (long long)*last);
            r = -EPROTO;
        }
        *last = outcome.id;
        (void)snprintf(outcome.sink, sizeof outcome.sink, "%s", kit->attempts[i]->sink);
        free(kit->attempts[i]);
        r = r < 0 ? r : outbox_outcome(kit->outbox, tx, &outcome, kit->now);
    }
    kit->n = 0;
    (void)pthread_mutex_unlock(&kit->lock);
    return r;
}

static void a_million(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    const char *wish = getenv("TMON_BACKLOG");
    int64_t many = wish ? strtoll(wish, NULL, 10) : MANY, last = 0;
    size_t before, after;
    double began;

    fill(kit, "chat", many, false, 0);
    kit_end(kit);
    before = mallinfo2().uordblks;
    began = seconds();
    kit_begin(kit);
#ifndef TMON_SANITIZED
    assert_true(seconds() - began < 1);
#else
    (void)began;
#endif
    after = mallinfo2().uordblks;
    print_message("# %lld waiting: %.3f s, %zu KiB\n", (long long)many, seconds() - began,
                  (after - before) / 1024);
#ifndef TMON_SANITIZED
    assert_true(after - before < 6 << 20);
#endif
    assert_int_equal(kit_view(kit, "chat").pending, many);
    assert_int_equal(kit_view(kit, "chat").oldest_ms, 1700000000000);
    assert_int_equal(kit->n, 64);

    /* What comes new waits for its turn. */
    (void)kit_fire(kit, "New", "critical");
    assert_int_equal(kit_view(kit, "chat").pending, many + 1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(kit->n, 64);
        assert_int_equal(kit_do(kit, deliver_job, &last), 0);
        if (i % 10 == 0) {
            char name[16];

            (void)snprintf(name, sizeof name, "New%d", i);
            (void)kit_fire(kit, name, "critical");
        }
    }
    assert_int_equal(last, 6400);
    assert_int_equal(kit_view(kit, "chat").pending, many + 11 - 6400);
    assert_true(mallinfo2().uordblks - before < 8 << 20);
    kit_close(kit);
}

static void to_the_end(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    int64_t last = 0;

    fill(kit, "chat", 3000, false, 0);
    kit_restart(kit);
    (void)kit_fire(kit, "New", "critical");
    while (kit->n > 0) {
        assert_int_equal(kit_do(kit, deliver_job, &last), 0);
    }
    assert_int_equal(last, 3001);
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    assert_true(kit_next(kit) > 1000);
    kit_close(kit);
}

static void one_behind_the_other(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    int64_t last = 0;

    fill(kit, "chat", 1000, true, 0);
    kit_restart(kit);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(kit->n, 1);
        assert_int_equal(kit_do(kit, deliver_job, &last), 0);
        assert_int_equal(last, i + 1);
    }
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    kit_close(kit);
}

/* Large ones: memory holds a few, and nothing spins while those are under way. */
static void large_ones(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    int64_t last = 0;

    fill(kit, "chat", 40, false, 60000 * 10);
    kit_restart(kit);
    assert_true(kit->n >= 3 && kit->n < 10);
    assert_int_equal(kit_next(kit), -1);
    while (kit->n > 0) {
        assert_int_equal(kit_do(kit, deliver_job, &last), 0);
    }
    assert_int_equal(last, 40);
    kit_close(kit);
}

/* New ones come as fast as old ones go: the old ones are not forgotten over them. */
static void nobody_starves(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    int64_t last = 0;
    char name[16];

    kit->times.window = 8;
    fill(kit, "chat", 2000, false, 0);
    kit_restart(kit);
    for (int i = 0; i < 40; i++) {
        for (int j = 0; j < 64; j++) {
            (void)snprintf(name, sizeof name, "N%d-%d", i, j);
            (void)kit_fire(kit, name, "info");
        }
        assert_int_equal(kit_do(kit, deliver_job, &last), 0); /* in order */
    }
    assert_true(last > 2000);
    kit_close(kit);
}

/* A long queue of one sink is not in the way of another. */
static void each_for_itself(void **state)
{
    static const struct outbox_sink mail_too[] = {
        {.name = "chat", .concurrency = 1, .give_up_ms = 86400000},
        {.name = "mail", .concurrency = 1, .give_up_ms = 86400000},
    };
    struct kit *kit = kit_open(each, mail_too, 2);

    fill(kit, "chat", 3000, false, 0);
    fill(kit, "mail", 1, false, 0);
    kit_restart(kit);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit->attempts[1]->sink, "mail");
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million),
        cmocka_unit_test(to_the_end),
        cmocka_unit_test(one_behind_the_other),
        cmocka_unit_test(large_ones),
        cmocka_unit_test(nobody_starves),
        cmocka_unit_test(each_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
