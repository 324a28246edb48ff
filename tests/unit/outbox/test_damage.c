/*
 * core/alert and core/outbox over rows that do not verify: each value of each row in turn is
 * another one than was written.  What is damaged is told as lost, the rest lives, and nothing waits
 * for ever behind it.
 */
#include "kit.h"

#include <fcntl.h>

#include "base/log.h"

#ifdef TMON_SANITIZED
#define FLIPS 20
#else
#define FLIPS 60
#endif

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
};

/* Two groups: of what is critical, and of the rest. */
static struct routing *two_groups(struct kit *kit)
{
    struct routing *routing = kit_plain(sinks, 1, to_chat, 1, true);

    routing_destroy(routing);
    routing = routing_create();
    kit_sink(routing, "chat", false);
    kit_to(routing, &routing->root, to_chat, 1);
    routing->root.group_wait_ms = 0;
    routing->root.group_interval_ms = 1000;
    routing->root.repeat_interval_ms = 36000000;
    routing->root.group_by_set = true;
    routing->root.group_by = calloc(1, sizeof *routing->root.group_by);
    routing->root.group_by[routing->root.ngroup_by++] = strdup("severity");
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

/* Told: A and X, of which A has ended; waiting: B (tried), C and the end of A behind it, and Y. */
static void make_history(struct kit *kit)
{
    (void)kit_silence(kit, "alertname=Q", 86400000);
    (void)kit_silence(kit, "alertname=~Q|R", 86400000);
    (void)kit_fire(kit, "A", "info");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    (void)kit_fire(kit, "X", "critical");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 1000);
    (void)kit_fire(kit, "B", "info");
    kit_answer(kit, 0, OUTBOX_RETRY);
    kit_pass(kit, 1000);
    if (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    (void)kit_fire(kit, "C", "info");
    (void)kit_fire(kit, "Y", "critical");
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    kit_pass(kit, 1000);
    (void)kit_resolve(kit, "A", "info");
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
}

/* What the far end hears from now on, in alphabetical order of the marks: "+B +C ..." each once. */
struct ear {
    bool fired[128], ended[128];
};

static void deliver_all(struct kit *kit, struct ear *ear)
{
    for (int i = 0; i < 40; i++) {
        while (kit->n > 0) {
            for (const char *at = kit_text(kit, 0); *at; at++) {
                if (*at == '+') {
                    ear->fired[(unsigned char)at[1]] = true;
                } else if (*at == '-') {
                    ear->ended[(unsigned char)at[1]] = true;
                }
            }
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
        kit_pass(kit, 20000);
    }
}

/* A copy of the first one's file, not opened yet. */
static struct kit *copy(const struct kit *first, char ret_path[static 128])
{
    struct kit *kit = calloc(1, sizeof *kit);
    char command[256];

    *kit = *first;
    kit->n = 0;
    (void)snprintf(kit->directory, sizeof kit->directory, "/tmp/tmon-outbox-XXXXXX");
    assert_non_null(mkdtemp(kit->directory));
    (void)snprintf(command, sizeof command, "cp %s/* %s", first->directory, kit->directory);
    assert_int_equal(system(command), 0);
    (void)snprintf(ret_path, 128, "%s/state.db", kit->directory);
    (void)pthread_mutex_init(&kit->lock, NULL);
    (void)pthread_cond_init(&kit->changed, NULL);
    return kit;
}

/* ... with one change. */
static struct kit *open_changed(const struct kit *first, const char *sql)
{
    char path[128];
    struct kit *kit = copy(first, path);
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        fail_msg("%s: %s", sql, why);
    }
    assert_int_equal(sqlite3_changes(db), 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    kit_begin(kit);
    return kit;
}

/* ... with some bytes flipped, anywhere. */
static struct kit *open_flipped(const struct kit *first, unsigned seed)
{
    char path[128];
    struct kit *kit = copy(first, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t len = lseek(fd, 0, SEEK_END);

    assert_true(len > 0);
    for (int i = 0; i < 4; i++) {
        unsigned char byte;
        off_t at;

        seed = seed * 1103515245u + 12345u;
        at = (off_t)((seed >> 8) % (unsigned)len);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (unsigned char)(1u << (seed >> 5) % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    (void)close(fd);
    kit_begin(kit);
    return kit;
}

static uint64_t lost_rows(struct kit *kit)
{
    struct state_stats stats;

    state_stats(kit->state, &stats);
    return stats.lost_rows;
}

static int list_all_job(struct kit *kit, struct state_tx *tx, void *arg);

static bool on_any(void *arg, const struct outbox_row *row)
{
    return true;
}

static int list_all_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    const struct outbox_filter filter = {.state = -1};

    return outbox_list(kit->outbox, tx, &filter, on_any, NULL);
}

static void damage(const struct kit *first, const char *table, int64_t id, const char *change)
{
    char sql[256];
    struct kit *kit;
    struct ear ear = {0};

    (void)snprintf(sql, sizeof sql, "UPDATE %s SET %s WHERE id = %lld", table, change,
                   (long long)id);
    kit = open_changed(first, sql);
    deliver_all(kit, &ear);
    assert_int_equal(kit_do(kit, list_all_job, NULL), 0); /* whoever looks at it sees no harm */
    kit_pass(kit, 60000);
    if (lost_rows(kit) != 1) {
        fail_msg("%s: %llu lost", sql, (unsigned long long)lost_rows(kit));
    }
    /* At most what was in that row is not heard. */
    if (ear.fired['B'] + ear.fired['C'] + ear.fired['Y'] + ear.ended['A'] < 3) {
        fail_msg("%s: heard +B %d +C %d +Y %d -A %d", sql, ear.fired['B'], ear.fired['C'],
                 ear.fired['Y'], ear.ended['A']);
    }
    if (strcmp(kit_sql(kit, "SELECT count(*) FROM outbox WHERE state = 0"), "0") != 0 ||
        kit_view(kit, "chat").pending != 0) {
        fail_msg("%s: %s wait, %llu in memory", sql,
                 kit_sql(kit, "SELECT count(*) FROM outbox WHERE state = 0"),
                 (unsigned long long)kit_view(kit, "chat").pending);
    }
    /* Life goes on. */
    (void)kit_fire(kit, "Z", "critical");
    kit_pass(kit, 1000);
    assert_true(kit->n > 0);
    for (const char *name = "ABCXYZ"; *name; name++) {
        const char text[2] = {*name, '\0'};

        (void)kit_resolve(kit, text, *name < 'D' ? "info" : "critical");
    }
    deliver_all(kit, &ear);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert"), "0");
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert_group"), "0");
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    kit_close(kit);
}

static void each_row_of(const char *table, const char *const *changes, size_t n)
{
    struct kit *kit = kit_open(two_groups, sinks, 1);
    char sql[128], ids[4096];
    int rows = 0;

    make_history(kit);
    (void)snprintf(sql, sizeof sql, "SELECT id FROM %s", table);
    (void)snprintf(ids, sizeof ids, "%s", kit_sql(kit, sql));
    kit_end(kit);
    for (char *at = ids, *end; *at; at = end) {
        int64_t id = strtoll(at, &end, 10);

        for (size_t i = 0; i < n; i++) {
            damage(kit, table, id, changes[i]);
        }
        rows++;
    }
    assert_true(rows > 1);
    kit_begin(kit);
    kit_close(kit);
}

static void notifications(void **state)
{
    static const char *const changes[] = {
        "uid = 'x' || uid",
        "ordering = ordering + 1",
        "head = 1 - head",
        "state = (state + 3) % 5",
        "state = 77",
        "attempts = attempts + 1",
        "next_ms = next_ms + 100000000000",
        "created_ms = 1",
        "ended_ms = ended_ms + 1",
        "flags = 1 - flags",
        "reason = 'x'",
        "title = 'x' || title",
        "body = x'00'",
        "body = x'ffffffffffffffff'",
        "body = substr(body, 1, length(body) - 1) || x'41'",
        "body = ''",
        "sum = sum + 1",
    };

    each_row_of("outbox", changes, sizeof changes / sizeof changes[0]);
}

static void alerts(void **state)
{
    static const char *const changes[] = {
        "body = x'00'",
        "body = x''",
        "body = substr(body, 1, length(body) - 1) || x'41'",
        "body = x'02' || substr(body, 2)",
        "sum = sum + 1",
    };

    each_row_of("alert", changes, sizeof changes / sizeof changes[0]);
    each_row_of("alert_group", changes, sizeof changes / sizeof changes[0]);
}

static void silences(void **state)
{
    static const char *const changes[] = {
        "uid = '01' || substr(uid, 3)",
        "uid = ''",
        "body = substr(body, 1, length(body) - 1) || x'41'",
        "sum = sum + 1",
    };

    each_row_of("silence", changes, sizeof changes / sizeof changes[0]);
}

/* A row whose sink is another one now is that one's loss, and not ours. */
static void a_row_that_went_astray(void **state)
{
    struct kit *first = kit_open(two_groups, sinks, 1), *kit;
    struct ear ear = {0};

    make_history(first);
    kit_end(first);
    kit = open_changed(first, "UPDATE outbox SET sink = 'mail' WHERE id = 3");
    deliver_all(kit, &ear);
    assert_true(ear.fired['C'] && ear.fired['Y'] && ear.ended['A']);
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    assert_int_equal(kit_do(kit, list_all_job, NULL), 0);
    assert_int_equal(lost_rows(kit), 1);
    kit_close(kit);
    kit_begin(first);
    kit_close(first);
}

/* Whatever is left of it lives, and comes to an end. */
static void flipped_bytes(void **state)
{
    struct kit *first = kit_open(two_groups, sinks, 1), *kit;

    make_history(first);
    kit_end(first);
    for (unsigned seed = 1; seed <= FLIPS; seed++) {
        struct ear ear = {0};

        kit = open_flipped(first, seed);
        deliver_all(kit, &ear);
        (void)kit_do(kit, list_all_job, NULL);
        for (const char *name = "ABCXYZ"; *name; name++) {
            const char text[2] = {*name, '\0'};

            (void)kit_fire(kit, text, *name < 'D' ? "info" : "critical");
            deliver_all(kit, &ear);
            (void)kit_resolve(kit, text, *name < 'D' ? "info" : "critical");
            deliver_all(kit, &ear);
        }
        assert_true(ear.fired['Z'] && ear.ended['Z']);
        assert_int_equal(kit_view(kit, "chat").pending, 0);
        kit_close(kit);
    }
    kit_begin(first);
    kit_close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(notifications),
        cmocka_unit_test(alerts),
        cmocka_unit_test(silences),
        cmocka_unit_test(a_row_that_went_astray),
    };

    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT); // of losses that are meant
    return cmocka_run_group_tests(tests, NULL, NULL);
}
