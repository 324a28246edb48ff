/*
 * outbox.c: the queue is made, read from the file, told its sinks, run; see outbox.h.
 */
#include "outbox/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "outbox/private.h"

#define PRUNE_MS 60000                        /* between two looks for what is old */
#define PRUNE_OVER (LIMIT_OUTBOX_ENDED / 100) /* too many, until it looks at once */
#define PRUNE_ROWS 500                        /* deleted at a time */

static const char *const state_names[OUTBOX_STATES] = {"pending", "delivered", "dead", "cancelled",
                                                       "dropped"};

const char *outbox_state_name(enum outbox_state state)
{
    return state < OUTBOX_STATES ? state_names[state] : "unknown";
}

/* ---- made, ended ---- */

static void set_default(int64_t *value, int64_t fallback)
{
    if (*value <= 0) {
        *value = fallback;
    }
}

static void set_times(struct outbox *outbox, const struct outbox_times *times)
{
    if (times) {
        outbox->times = *times;
    }
    set_default(&outbox->times.backoff_first_ms, 1000);
    set_default(&outbox->times.backoff_most_ms, 300000);
    set_default(&outbox->times.breaker_first_ms, 15000);
    set_default(&outbox->times.breaker_most_ms, 300000);
    set_default(&outbox->times.pause_ms, 300000);
    set_default(&outbox->times.failover_ms, 60000);
    set_default(&outbox->times.keep_ms, INT64_C(7) * 86400 * 1000);
    if (outbox->times.window == 0) {
        outbox->times.window = LIMIT_OUTBOX_WINDOW;
    }
}

int outbox_create(const struct outbox_hooks *hooks, const struct outbox_times *times,
                  struct outbox **ret_outbox)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    uint64_t seed = 0;

    if (!outbox) {
        return -ENOMEM;
    }
    outbox->hooks = *hooks;
    set_times(outbox, times);
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed = (uint64_t)clock_real_ns();
    }
    (void)snprintf(outbox->prefix, sizeof outbox->prefix, "%016llx", (unsigned long long)seed);
    buf_init(&outbox->scratch, 2 * LIMIT_CALL_BYTES);
    buf_init(&outbox->other, 65536);
    map_init(&outbox->tickets);
    outbox->started_end = &outbox->started;
    *ret_outbox = outbox;
    return 0;
}

static void forget_started(struct outbox *outbox)
{
    while (outbox->started) {
        struct outbox_attempt *attempt = outbox->started;

        outbox->started = attempt->next;
        free(attempt);
    }
    outbox->started_end = &outbox->started;
}

void outbox_destroy(struct outbox *outbox)
{
    if (!outbox) {
        return;
    }
    forget_started(outbox);
    tickets_finish(outbox);
    for (size_t i = 0; i < outbox->nsinks; i++) {
        sink_free(outbox->sinks[i]);
    }
    free(outbox->sinks);
    buf_finish(&outbox->scratch);
    buf_finish(&outbox->other);
    free(outbox);
}

void outbox_join(struct outbox *outbox, struct alerts *alerts)
{
    outbox->alerts = alerts;
}

struct alerts_hooks outbox_alerts_hooks(struct outbox *outbox)
{
    return (struct alerts_hooks){.owner = outbox,
                                 .notify = queue_notify,
                                 .withdraw = queue_withdraw,
                                 .waits = queue_waits,
                                 .wants_acks = queue_wants_acks};
}

void outbox_hold(struct outbox *outbox)
{
    outbox->held = true;
}

bool outbox_full(const struct outbox *outbox)
{
    uint64_t pending = 0;

    for (size_t i = 0; i < outbox->nsinks; i++) {
        pending += outbox->sinks[i]->pending;
    }
    return pending >= LIMIT_OUTBOX_PENDING;
}

/* ---- reading the file ---- */

static int load_last_id(struct outbox *outbox, struct state_tx *tx)
{
    static const char sql[] = "SELECT max((SELECT coalesce(max(id), 0) FROM outbox), "
                              "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
                              "WHERE name = 'outbox'))";
    sqlite3_stmt *statement = state_prepare(tx, sql);

    if (statement && state_step(tx, statement) == 1 &&
        sqlite3_column_int64(statement, 0) > outbox->last_id) {
        outbox->last_id = sqlite3_column_int64(statement, 0);
    }
    if (statement) {
        (void)sqlite3_reset(statement);
    }
    return tx->error;
}

struct flying {
    struct sink *sink;
    struct alerts_time now;
};

static void take_flying(void *arg, const struct row *row)
{
    const struct flying *flying = arg;

    if (row->state == OUTBOX_PENDING && row->head) {
        (void)item_add_flying(flying->sink, row, flying->now);
    }
}

/* Attempts that were handed out go on whatever becomes of the file. */
static int load_flying(struct outbox *outbox, struct state_tx *tx, struct alerts_time now)
{
    const struct ticket *ticket;
    size_t pos = 0;
    int r = 0;

    while (r >= 0 && (ticket = map_next(&outbox->tickets, &pos))) {
        struct flying flying = {ticket->sink, now};

        r = row_get(tx, ticket->id, take_flying, &flying);
        r = r == -EUCLEAN && tx->error == 0 ? 0 : r; /* it is found to be lost when it is due */
    }
    return r < 0 ? r : 0;
}

int outbox_load(struct outbox *outbox, struct state_tx *tx, bool writable, struct alerts_time now)
{
    int r;

    /* What was started in a batch that failed was not handed out. */
    forget_started(outbox);
    tickets_undo(outbox);
    for (size_t i = 0; i < outbox->nsinks; i++) {
        sink_forget_items(outbox->sinks[i]);
    }
    r = count_rows(outbox, tx);
    if (r == 0) {
        r = load_last_id(outbox, tx);
    }
    if (r == 0) {
        r = load_flying(outbox, tx, now);
    }
    (void)writable; /* rows are read when they are due; what is lost is found then */
    return r;
}

/* ---- sinks ---- */

static int configure_sink(struct outbox *outbox, const struct outbox_sink *given,
                          struct alerts_time now)
{
    struct sink *sink = sink_get(outbox, given->name);
    char *failover = given->failover ? strdup(given->failover) : NULL;

    if (!sink || (given->failover && !failover)) {
        free(failover);
        return -ENOMEM;
    }
    free(sink->failover);
    sink->failover = failover;
    if (!sink->configured || given->changed) {
        sink_mended(sink, &outbox->times, now);
    }
    sink->configured = true;
    sink->one_alert = given->one_alert;
    sink->wants_acks = given->wants_acks;
    sink->concurrency = given->concurrency ? given->concurrency : 1;
    sink->budget = given->budget;
    sink->budget_ms = given->budget_ms;
    sink->give_up_ms = given->give_up_ms;
    return 0;
}

int outbox_configure(struct outbox *outbox, struct state_tx *tx, const struct outbox_sink *sinks,
                     size_t n, struct alerts_time now)
{
    int r = 0;

    for (size_t i = 0; i < outbox->nsinks; i++) {
        bool there = false;

        for (size_t j = 0; j < n && !there; j++) {
            there = strcmp(outbox->sinks[i]->name, sinks[j].name) == 0;
        }
        if (!there && outbox->sinks[i]->configured) {
            digest_save(outbox, tx, outbox->sinks[i], true, now);
            outbox->sinks[i]->configured = false;
        }
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        r = configure_sink(outbox, &sinks[i], now);
    }
    if (r < 0 && tx->error == 0) {
        tx->error = r;
    }
    return r;
}

/* ---- running ---- */

/* What has ended without a time is a row that waits and whose state the disk has changed. */
static void find_false(struct outbox *outbox, struct state_tx *tx, int state)
{
    static const char sql[] = "SELECT id FROM outbox WHERE state > 0 AND state = ?1 AND "
                              "ended_ms <= 0 LIMIT ?2";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int64_t lost[LOST_AT_A_TIME];
    size_t n = 0;

    if (!statement) {
        return;
    }
    (void)sqlite3_bind_int(statement, 1, state);
    (void)sqlite3_bind_int(statement, 2, LOST_AT_A_TIME);
    while (n < LOST_AT_A_TIME && state_step(tx, statement) == 1) {
        lost[n++] = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    for (size_t i = 0; i < n; i++) {
        row_lost(outbox, tx, lost[i]);
    }
}

static void prune_state(struct outbox *outbox, struct state_tx *tx, int state, uint64_t over,
                        struct alerts_time now)
{
    static const char sql[] =
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state > 0 AND state = ?1 AND "
        "ended_ms > 0 AND (ended_ms < ?2 OR ?3 > 0) ORDER BY ended_ms LIMIT ?4)";
    sqlite3_stmt *statement = state_prepare(tx, sql);

    if (!statement) {
        return;
    }
    (void)sqlite3_bind_int(statement, 1, state);
    (void)sqlite3_bind_int64(statement, 2, now.real_ms - outbox->times.keep_ms);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)over);
    (void)sqlite3_bind_int64(statement, 4,
                             over > 0 && over < PRUNE_ROWS ? (int64_t)over : PRUNE_ROWS);
    (void)state_step(tx, statement);
    (void)sqlite3_reset(statement);
    if (tx->error == 0) {
        uint64_t gone = (uint64_t)sqlite3_changes(tx->db);

        outbox->ended[state] -= gone;
        if (gone > 0 && state == OUTBOX_DEAD) {
            (void)count_dead(outbox, tx);
        }
    }
}

static void prune(struct outbox *outbox, struct state_tx *tx, struct alerts_time now)
{
    bool due = now.mono_ms - outbox->pruned_mono >= PRUNE_MS;

    for (int state = 1; state < OUTBOX_STATES && tx->error == 0; state++) {
        uint64_t over = outbox->ended[state] > LIMIT_OUTBOX_ENDED
                            ? outbox->ended[state] - LIMIT_OUTBOX_ENDED
                            : 0;

        if (due) {
            find_false(outbox, tx, state);
        }
        if (outbox->ended[state] > 0 && (over >= PRUNE_OVER || due)) {
            prune_state(outbox, tx, state, over, now);
        }
    }
    if (due) {
        outbox->pruned_mono = now.mono_ms;
    }
}

void outbox_run(struct outbox *outbox, struct state_tx *tx, struct alerts_time now)
{
    for (size_t i = 0; i < outbox->nsinks && tx->error == 0; i++) {
        struct sink *sink = outbox->sinks[i];

        sink_fail_over(outbox, tx, sink, now);
        sink_pump(outbox, tx, sink, now);
        digest_save(outbox, tx, sink, false, now);
        /* What waits must be in memory or behind what is. */
        outbox->damaged =
            outbox->damaged || (sink->configured && sink->by_id.used == 0 && !sink->more &&
                                sink->pending > 0 && sink->pending != sink->mended);
    }
    if (tx->error == 0) {
        prune(outbox, tx, now);
    }
    if (tx->error == 0 && outbox->damaged) {
        outbox_mend(outbox, tx, now);
    }
}

static int64_t next_start(const struct outbox *outbox, const struct sink *sink)
{
    int64_t at;
    const struct item *first = item_first(sink, &at);

    if (outbox->held || !sink->configured ||
        sink->under_way >= (sink->probing ? 1 : sink->concurrency)) {
        return INT64_MAX;
    }
    if (!first && sink->more && !sink->full) {
        at = 0; /* what is in the file may be due */
    }
    if (at != INT64_MAX && at < sink->not_before) {
        at = sink->not_before;
    }
    return at != INT64_MAX && at < sink->asked_until ? sink->asked_until : at;
}

int64_t outbox_next(const struct outbox *outbox)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < outbox->nsinks; i++) {
        int64_t start = next_start(outbox, outbox->sinks[i]);
        int64_t failover = sink_failover_due(outbox, outbox->sinks[i]);

        next = start < next ? start : next;
        next = failover < next ? failover : next;
    }
    return next;
}
