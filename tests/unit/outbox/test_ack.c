/* core/alert/ack.c with a queue behind it: told once, not repeated, its end told. */
#include "kit.h"

#include "alert/private.h"
#include "base/log.h"

static const char *const to_both[] = {"chat", "page"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
    {.name = "page", .one_alert = true, .concurrency = 4, .give_up_ms = 86400000},
};

/* The same, and the pager has to know who sees to it. */
static const struct outbox_sink curious[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
    {.name = "page",
     .one_alert = true,
     .wants_acks = true,
     .concurrency = 4,
     .give_up_ms = 86400000},
};

static struct routing *both(struct kit *kit)
{
    return kit_plain(sinks, 2, to_both, 2, true);
}

static struct routing *patient(struct kit *kit)
{
    struct routing *routing = both(kit);

    routing->root.group_wait_ms = 10000;
    return routing;
}

struct ack_job {
    const char *id, *by;
    const struct alerts_view *view;
    char acked_by[64];
    int64_t acked_ms;
};

static int ack(struct kit *kit, struct state_tx *tx, void *arg)
{
    const struct ack_job *job = arg;
    const struct alerts_ack by = {job->by ? job->by : "", "I look into it"};

    return alerts_ack(kit->alerts, tx, job->id, job->by ? &by : NULL, kit->now);
}

static void note(void *arg, const struct alerts_view *view)
{
    struct ack_job *job = arg;

    job->acked_ms = view->acked_ms;
    (void)snprintf(job->acked_by, sizeof job->acked_by, "%s",
                   view->acked_by ? view->acked_by : "(nobody)");
}

static int find(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct ack_job *job = arg;

    return alerts_find(kit->alerts, job->id, note, job, kit->now);
}

static int do_ack(struct kit *kit, const char *id, const char *by)
{
    struct ack_job job = {.id = id, .by = by};

    return kit_do(kit, ack, &job);
}

/* Of the first alert that a waiting attempt tells of. */
static void key_of(struct kit *kit, char ret_key[64])
{
    struct tmon_notification *notification;
    struct wire_reader reader;

    wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
    assert_int_equal(notification_decode(&reader, &notification), 0);
    (void)snprintf(ret_key, 64, "%s", notification->alerts[0]->key);
    notification_destroy(notification);
}

static void answer_all(struct kit *kit)
{
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
}

static void is_not_repeated(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);
    char key[64], fingerprint[17];

    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info");
    key_of(kit, key);
    (void)snprintf(fingerprint, sizeof fingerprint, "%.16s", key);
    answer_all(kit);
    assert_int_equal(do_ack(kit, fingerprint, "ada"), 0);
    for (int hour = 0; hour < 5; hour++) {
        kit_pass(kit, 3600000);
        if (hour == 2) {
            kit_restart(kit);
        }
        assert_int_equal(kit->n, 2); /* the other one only; a group shows what else fires */
        for (size_t i = 0; i < kit->n; i++) {
            if (strncmp(kit_text(kit, i), "page", 4) == 0) {
                assert_string_equal(kit_text(kit, i), "page: +B");
            } else {
                assert_string_equal(kit_text(kit, i), "chat: +B +A");
            }
        }
        answer_all(kit);
        assert_true(kit_next(kit) > 0);
    }
    assert_int_equal(do_ack(kit, key, NULL), 0);
    kit_pass(kit, 3600000);
    assert_true(kit->n >= 3); /* both again */
    answer_all(kit);
    assert_int_equal(do_ack(kit, key, "bob"), 0);
    assert_int_equal(kit_resolve(kit, "A", "info"), ALERTS_RESOLVED);
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 2); /* its end is told to both */
    answer_all(kit);
    assert_int_equal(do_ack(kit, key, "bob"), -ENOENT);
    assert_int_equal(do_ack(kit, fingerprint, "bob"), -ENOENT);
    kit_close(kit);
}

/* Before anybody was told: it is told once. */
static void is_told_once(void **state)
{
    struct kit *kit = kit_open(patient, sinks, 2);
    struct ack_job job = {0};
    const struct alert *alert;
    char key[64];
    size_t pos = 0;

    (void)kit_fire(kit, "A", "info");
    assert_int_equal(kit->n, 0);
    alert = map_next(&kit->alerts->by_episode, &pos);
    (void)snprintf(key, sizeof key, "%s", alert->key);
    assert_int_equal(do_ack(kit, key, "ada"), 0);
    kit_restart(kit);
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 2);
    answer_all(kit);
    kit_pass(kit, 4 * 3600000);
    assert_int_equal(kit->n, 0);
    job.id = key;
    assert_int_equal(kit_do(kit, find, &job), 0);
    assert_string_equal(job.acked_by, "ada");
    assert_true(job.acked_ms > 0);
    assert_int_equal(kit->alerts->counts.acked, 1);
    assert_int_equal(kit_resolve(kit, "A", "info"), ALERTS_RESOLVED);
    assert_int_equal(kit->alerts->counts.acked, 0);
    kit_pass(kit, 300000);
    answer_all(kit);
    kit_close(kit);
}

/* What was rejected was not told: the next repeat tells it all the same. */
static void rejected_is_told_again(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);
    char key[64];

    (void)kit_fire(kit, "A", "info");
    key_of(kit, key);
    assert_int_equal(do_ack(kit, key, "ada"), 0);
    kit_answer(kit, 0, OUTBOX_REJECTED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 3600000);
    assert_int_equal(kit->n, 1);
    answer_all(kit);
    kit_close(kit);
}

#define OF_PAGER "SELECT title FROM outbox WHERE sink = 'page' ORDER BY id"

/* Once, to whom wants it, behind the firing and before the end, whatever becomes of it. */
static void pagers_are_told(void **state)
{
    static const enum outbox_result results[] = {OUTBOX_DELIVERED, OUTBOX_REJECTED};

    for (size_t i = 0; i < 2; i++) {
        struct kit *kit = kit_open(both, curious, 2);
        char key[64];

        (void)kit_fire(kit, "A", "info");
        key_of(kit, key);
        assert_int_equal(do_ack(kit, key, "ada"), 0);
        assert_int_equal(kit->n, 2); /* it waits behind the firing */
        assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A");
        answer_all(kit);
        kit_restart(kit);
        assert_int_equal(do_ack(kit, key, "bob"), 0);
        assert_int_equal(do_ack(kit, key, NULL), 0);
        assert_int_equal(do_ack(kit, key, "eve"), 0);
        assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A");
        while (kit->n > 0) {
            kit_answer(kit, 0, results[i]);
        }
        assert_int_equal(kit_resolve(kit, "A", "info"), ALERTS_RESOLVED);
        kit_pass(kit, 1000);
        assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A resolved: A");
        answer_all(kit);
        kit_close(kit);
    }
}

/* What was told of nothing is told of no acknowledgement: that follows the firing, or goes with it.
 */
static void nobody_hears_of_it_alone(void **state)
{
    struct kit *kit = kit_open(patient, curious, 2);
    const struct alert *alert;
    char key[64];
    size_t pos = 0;

    (void)kit_fire(kit, "A", "info");
    alert = map_next(&kit->alerts->by_episode, &pos);
    (void)snprintf(key, sizeof key, "%s", alert->key);
    assert_int_equal(do_ack(kit, key, "ada"), 0);
    assert_string_equal(kit_sql(kit, OF_PAGER), "");
    kit_pass(kit, 10000);
    assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A");
    for (size_t i = 0; i < 2; i++) {
        kit_answer(kit, 0, OUTBOX_REJECTED);
    }
    assert_int_equal(kit->n, 0); /* it was taken back with the firing */
    assert_string_equal(kit_sql(kit, "SELECT state FROM outbox WHERE sink = 'page' ORDER BY id"),
                        "2 3");
    assert_int_equal(kit_resolve(kit, "A", "info"), ALERTS_RESOLVED);
    kit_pass(kit, 300000);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

#define OF_CHAT "SELECT title FROM outbox WHERE sink = 'chat' ORDER BY id"

/* Chat gives what it cannot have delivered to the pager. */
static const char *const to_chat[] = {"chat"};
static const struct outbox_sink handing_on[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000, .failover = "page"},
    {.name = "page",
     .one_alert = true,
     .wants_acks = true,
     .concurrency = 4,
     .give_up_ms = 86400000},
};

static struct routing *chat_first(struct kit *kit)
{
    return kit_plain(handing_on, 2, to_chat, 1, true);
}

/* The pager to which an acknowledged episode goes over is told of both, and by its end. */
static void who_takes_over_is_told(void **state)
{
    struct kit *kit = kit_open(chat_first, handing_on, 2);
    char key[64];

    (void)kit_fire(kit, "A", "critical");
    key_of(kit, key);
    assert_int_equal(do_ack(kit, key, "ada"), 0);
    assert_string_equal(kit_sql(kit, OF_CHAT), "firing: A"); /* who does not want it is not told */
    for (int64_t passed = 0; passed < 300000 && !*kit_sql(kit, OF_PAGER); passed += 1000) {
        while (kit->n > 0) {
            kit_answer(kit, 0, OUTBOX_RETRY);
        }
        kit_pass(kit, 1000);
    }
    assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A");
    answer_all(kit);
    assert_int_equal(kit_resolve(kit, "A", "critical"), ALERTS_RESOLVED);
    kit_pass(kit, 1000);
    assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A resolved: A");
    answer_all(kit);
    kit_close(kit);
}

/* A firing that was given up and is tried again is followed by what could not be told behind it. */
static void a_dead_letter_that_is_tried_again(void **state)
{
    struct kit *kit = kit_open(both, curious, 2);
    char key[64];

    (void)kit_fire(kit, "A", "info");
    key_of(kit, key);
    for (size_t i = 0; i < 2; i++) {
        kit_answer(kit, 0, OUTBOX_REJECTED);
    }
    assert_int_equal(do_ack(kit, key, "ada"), 0);
    assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A"); /* it has heard of nothing */
    assert_int_equal(
        kit_retry(kit, atoi(kit_sql(kit, "SELECT id FROM outbox WHERE sink = 'page'"))), 0);
    kit_pass(kit, 0);
    assert_string_equal(kit_sql(kit, OF_PAGER), "firing: A acknowledged: A");
    assert_int_equal(kit->n, 1);
    answer_all(kit);
    assert_string_equal(kit_sql(kit, "SELECT state FROM outbox WHERE sink = 'page' ORDER BY id"),
                        "1 1");
    kit_close(kit);
}

static void refuses(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);
    char key[64], long_name[LIMIT_ACK_BY_BYTES + 2];

    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    (void)kit_fire(kit, "A", "info");
    key_of(kit, key);
    assert_int_equal(do_ack(kit, "", "ada"), -ENOENT);
    assert_int_equal(do_ack(kit, "-", "ada"), -ENOENT);
    assert_int_equal(do_ack(kit, "0000000000000000", "ada"), -ENOENT);
    assert_int_equal(do_ack(kit, key + 1, "ada"), -ENOENT);
    assert_int_equal(do_ack(kit, key, long_name), -EINVAL);
    assert_int_equal(do_ack(kit, key, "\xff"), -EINVAL);
    assert_int_equal(do_ack(kit, key, NULL), 0);
    answer_all(kit);
    kit_close(kit);
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_not_repeated),
        cmocka_unit_test(is_told_once),
        cmocka_unit_test(rejected_is_told_again),
        cmocka_unit_test(pagers_are_told),
        cmocka_unit_test(nobody_hears_of_it_alone),
        cmocka_unit_test(who_takes_over_is_told),
        cmocka_unit_test(a_dead_letter_that_is_tried_again),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
