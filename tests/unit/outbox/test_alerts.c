/* core/alert with a queue behind it: time, large groups, what is left out of the table's tests. */
#include "kit.h"

#include <time.h>

#include "../state/fault_vfs.h"
#include "alert/private.h"
#include "base/log.h"

static const char *const to_chat[] = {"chat"};
static const char *const to_both[] = {"chat", "mail"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
    {.name = "mail", .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *one_group(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, true);
}

static struct routing *each(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, false);
}

static struct routing *both(struct kit *kit)
{
    return kit_plain(sinks, 2, to_both, 2, true);
}

/* ---- time ---- */

static void the_wall_clock_steps(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit->now.real_ms += 86400000;
    kit_pass(kit, 1800000);
    assert_int_equal(kit->n, 0); /* nothing is due because of that */
    kit->now.real_ms -= 2 * 86400000;
    kit_pass(kit, 1800000);
    assert_int_equal(kit->n, 1); /* nor is it put off */
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    kit_close(kit);
}

static void ends_run_by_the_other_clock(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    struct kit_put put = {.name = "A", .severity = "info", .ttl_ms = 60000};

    assert_int_equal(kit_do(kit, kit_put_job, &put), 0);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit->now.real_ms += 86400000;
    kit_pass(kit, 59999);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 1);
    assert_string_equal(kit_text(kit, 0), "chat: -A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    put.ttl_ms = INT64_MAX;
    assert_int_equal(kit_do(kit, kit_put_job, &put), 0);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_restart(kit);
    assert_int_equal(kit->n, 0);
    assert_true(kit_next(kit) > 0);
    kit_close(kit);
}

static struct routing *at_once(struct kit *kit)
{
    struct routing *routing = kit_plain(sinks, 2, to_both, 2, true);

    routing->root.group_interval_ms = 0;
    routing->root.repeat_interval_ms = 0;
    return routing;
}

/* Intervals of nothing: it does not run in circles. */
static void intervals_of_nothing(void **state)
{
    struct kit *kit = kit_open(at_once, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    for (int i = 0; i < 10; i++) {
        assert_true(kit_next(kit) > 0);
        while (kit->n > 0) {
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
        kit_pass(kit, 500);
    }
    kit_close(kit);
}

/* ---- repeats ---- */

/* Every alert of a large group, once. */
static void a_large_group_repeats(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    char name[16];
    size_t told = 0;

    for (int i = 0; i < 450; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
    }
    for (int hour = 0; hour < 3; hour++) {
        kit_pass(kit, hour == 0 ? 1000 : 3600000);
        told = 0;
        while (kit->n > 0) {
            struct tmon_notification *notification;
            struct wire_reader reader;

            wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
            assert_int_equal(notification_decode(&reader, &notification), 0);
            assert_false(notification->resolved);
            told += notification->nalerts;
            /* Everything that fires is there or counted, as far as it was told of by then. */
            assert_true(notification->nalerts + notification->ntruncated <= 450);
            if (hour > 0) {
                assert_int_equal(notification->nalerts + notification->ntruncated, 450);
            }
            notification_destroy(notification);
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
        assert_in_range(told, 450, 600 + 200); /* the last part has others beside its news */
    }
    kit_close(kit);
}

/* ---- sizes ---- */

static int put_large(struct kit *kit, struct state_tx *tx, void *arg)
{
    static char value[231], url[8001], text[60001];
    static char names[64][8];
    struct tmon_pair labels[64] = {{"alertname", arg}};
    const struct tmon_pair annotations[] = {{"description", text}, {"summary", text}};
    const struct alerts_input input = {.labels = labels,
                                       .nlabels = 64,
                                       .annotations = annotations,
                                       .nannotations = 2,
                                       .generator_url = url};
    enum alerts_verdict verdict;
    char why[128];

    memset(value, 'v', sizeof value - 1);
    memset(url, 'u', sizeof url - 1);
    memset(text, 't', sizeof text - 1);
    for (int i = 1; i < 64; i++) {
        (void)snprintf(names[i], sizeof names[i], "b%d", i + 100);
        labels[i] = (struct tmon_pair){names[i], value};
    }
    if (alerts_input_check(&input, why, sizeof why) < 0) {
        (void)fprintf(stderr, "%s\n", why);
        return -EINVAL;
    }
    return alerts_put(kit->alerts, tx, &input, kit->now, &verdict);
}

/* As many of the largest as a notification may have: it fits into a call, and can be read. */
static void the_largest_of_all(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);
    struct tmon_notification *notification;
    struct wire_reader reader;
    char name[16];

    (void)kit_fire(kit, "First", "info");
    kit_answer(kit, 0, OUTBOX_REJECTED);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        assert_int_equal(kit_do(kit, put_large, name), 0);
    }
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 1);
    assert_true(kit->attempts[0]->len < LIMIT_CALL_BYTES - 65536);
    wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
    assert_int_equal(notification_decode(&reader, &notification), 0);
    assert_int_equal(notification->nalerts, 200);
    notification_destroy(notification);
    kit_restart(kit);
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert"), "201");
    kit_close(kit);
}

/* Names are as long as what reads them allows. */
static void long_names(void **state)
{
    char name[131], why[128];
    struct tmon_pair labels[] = {{name, "x"}};
    const struct alerts_input input = {.labels = labels, .nlabels = 1};

    memset(name, 'n', sizeof name);
    name[129] = '\0';
    assert_int_equal(alerts_input_check(&input, why, sizeof why), -EINVAL);
    name[128] = '\0';
    assert_int_equal(alerts_input_check(&input, why, sizeof why), 0);
}

/* ---- instances that are gone ---- */

static int put_check(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct tmon_pair labels[] = {{"alertname", "CheckFailing"}, {"instance", arg}};
    const struct alerts_input input = {.labels = labels, .nlabels = 2, .source = ALERTS_CHECK};
    enum alerts_verdict verdict;

    return alerts_put(kit->alerts, tx, &input, kit->now, &verdict);
}

static bool is_memory(void *arg, const char *value)
{
    return strcmp(value, "memory") == 0;
}

static int prune_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return alerts_prune(kit->alerts, tx, ALERTS_CHECK, "instance", is_memory, NULL, kit->now);
}

static void instances_that_are_gone(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    char memory[] = "memory", disk[16];

    assert_int_equal(kit_do(kit, put_check, memory), 0);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(disk, sizeof disk, "disk%d", i);
        assert_int_equal(kit_do(kit, put_check, disk), 0);
    }
    (void)kit_fire(kit, "Ours", "info"); /* of another source */
    assert_int_equal(kit_do(kit, prune_job, NULL), 0);
    kit_pass(kit, 10000);
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    kit_pass(kit, 10000);
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert"), "2");
    kit_close(kit);
}

/* ---- a disk that can only be read ---- */

static void relent(struct kit *kit, int tries)
{
    if (tries == 10) {
        fault_disarm();
    }
}

/* A group that nobody is in any more is not in the way of reading the rest. */
static void only_to_be_read(void **state)
{
    static const struct fault fault = {.kind = FAULT_IOERR, .first = 1};
    struct kit *kit;

    fault_install();
    kit = kit_open(each, sinks, 2);
    kit_end(kit);
    {
        char path[128];

        (void)snprintf(path, sizeof path, "%s/state.db", kit->directory);
        assert_int_equal(unlink(path), 0);
        (void)snprintf(path, sizeof path, "%s/state.mark", kit->directory);
        (void)unlink(path);
    }
    kit->vfs = FAULT_VFS;
    kit_begin(kit);
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info");
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    assert_string_equal(kit_sql(kit, "DELETE FROM alert WHERE id = 1"), "");
    kit->stuck = relent;
    fault_arm(&fault);
    assert_int_equal(kit_do_once(kit, kit_put_job, &(struct kit_put){"C", "info", false, 0, 0}) < 0,
                     true);
    assert_int_equal(kit->alerts->by_episode.used, 1); /* read anew, as it is in the file */
    assert_int_equal(kit_fire(kit, "C", "info"), ALERTS_FIRING);
    kit_pass(kit, 1000);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert_group"), "2");
    kit_close(kit);
}

/* ---- what it costs ---- */

static double cpu_seconds(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#ifdef TMON_SANITIZED
#define LARGE 2000
#define ENOUGH 60.0
#else
#define LARGE 20000
#define ENOUGH 3.0
#endif

static int put_many(struct kit *kit, struct state_tx *tx, void *arg)
{
    const bool *resolved = arg;
    int r = 0;

    for (int i = 0; i < LARGE && r == 0; i++) {
        char name[16];
        struct kit_put put = {.name = name, .severity = "info", .resolved = *resolved};

        (void)snprintf(name, sizeof name, "A%d", i);
        r = kit_put_job(kit, tx, &put);
    }
    return r;
}

/* A group of many behind a sink that is down fires, and ends unheard, in one go. */
static void a_storm_in_one_group(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);
    bool resolved = false;
    double began;

    (void)kit_fire(kit, "First", "info");
    assert_int_equal(kit->n, 2);
    kit_pass(kit, 500);
    began = cpu_seconds();
    assert_int_equal(kit_do(kit, put_many, &resolved), 0);
    kit_pass(kit, 1000);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox WHERE state = 0"),
                        LARGE == 20000 ? "202" : "22");
    resolved = true;
    assert_int_equal(kit_do(kit, put_many, &resolved), 0);
    kit_pass(kit, 1000);
    print_message("# %d alerts: %.2f s\n", LARGE, cpu_seconds() - began);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox WHERE state = 0"), "2");
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert"), "1");
    assert_true(cpu_seconds() - began < ENOUGH);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_steps),
        cmocka_unit_test(ends_run_by_the_other_clock),
        cmocka_unit_test(intervals_of_nothing),
        cmocka_unit_test(a_large_group_repeats),
        cmocka_unit_test(instances_that_are_gone),
        cmocka_unit_test(only_to_be_read),
        cmocka_unit_test(a_storm_in_one_group),
        cmocka_unit_test(the_largest_of_all),
        cmocka_unit_test(long_names),
    };

    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // of a disk that fails as it should
    return cmocka_run_group_tests(tests, NULL, NULL);
}
