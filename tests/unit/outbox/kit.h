/*
 * kit.h: alerts and outbox on a real state file, with a clock of the test's own, and a far end that
 * is the test itself.
 */
#ifndef TESTS_OUTBOX_KIT_H
#define TESTS_OUTBOX_KIT_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alert/alerts.h"
#include "alert/maintenance.h"
#include "alert/silences.h"
#include "base/limits.h"
#include "model/labels.h"
#include "model/notification.h"
#include "outbox/outbox.h"
#include "state/state.h"

#define KIT_ATTEMPTS 4096

/* In the place of the C library's, for SQLite too: nothing here crashes in earnest. */
int fsync(int fd)
{
    return 0;
}

int fdatasync(int fd)
{
    return 0;
}

struct kit {
    char directory[64];
    struct state *state;
    struct alerts *alerts;
    struct outbox *outbox;
    struct alerts_time now;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct outbox_attempt *attempts[KIT_ATTEMPTS]; /* not answered yet, in order; owned */
    size_t n;
    struct routing *(*make_routing)(struct kit *kit);
    const struct outbox_sink *sinks;
    size_t nsinks;
    struct outbox_times times;
    const char *vfs; /* of SQLite; NULL: the default */
    int fails_in;    /* the commit of the so many'th job fails once before it succeeds; 0: none */
    bool fails;      /* the one under way does */
    int failures;    /* so many have, the last one then: */
    int64_t failed_ms;
    /* Not NULL: what the disk refuses is tried again until it is accepted; this is called when that
     * takes long, with how often it was tried. */
    void (*stuck)(struct kit *kit, int tries);
    int crashes; /* so many times everything was lost that was not durable */
    /* Not NULL: called when a commit has failed and everything was read anew and has run, before
     * the job is done again. */
    void (*between)(struct kit *kit);
};

/* ---- the thread of the state ---- */

static int kit_load(void *owner, struct state_tx *tx, bool writable)
{
    struct kit *kit = owner;
    int r = outbox_load(kit->outbox, tx, writable, kit->now);

    return r < 0 ? r : alerts_load(kit->alerts, tx, writable, kit->now);
}

static void kit_before_commit(void *owner, struct state_tx *tx)
{
    struct kit *kit = owner;

    if (alerts_run(kit->alerts, tx, kit->now) == 0) {
        outbox_run(kit->outbox, tx, kit->now);
    }
    if (tx->error == 0) {
        alerts_save(kit->alerts, tx);
    }
    if (kit->fails && tx->error == 0) {
        tx->error = -EIO;
    }
}

static void kit_committed(void *owner)
{
    struct kit *kit = owner;

    outbox_committed(kit->outbox);
}

static void kit_attempt(void *owner, struct outbox_attempt *attempt)
{
    struct kit *kit = owner;

    (void)pthread_mutex_lock(&kit->lock);
    assert_true(kit->n < KIT_ATTEMPTS);
    kit->attempts[kit->n++] = attempt;
    (void)pthread_mutex_unlock(&kit->lock);
}

/* ---- jobs, one at a time ---- */

struct kit_job {
    struct state_job job;
    struct kit *kit;
    int (*fn)(struct kit *kit, struct state_tx *tx, void *arg);
    void *arg;
    bool over;
    int result;
};

static int kit_run(struct state_job *job, struct state_tx *tx)
{
    struct kit_job *mine = (struct kit_job *)(void *)job;

    return mine->fn ? mine->fn(mine->kit, tx, mine->arg) : 0;
}

static void kit_done(struct state_job *job, int result)
{
    struct kit_job *mine = (struct kit_job *)(void *)job;

    (void)pthread_mutex_lock(&mine->kit->lock);
    mine->over = true;
    mine->result = result;
    (void)pthread_cond_broadcast(&mine->kit->changed);
    (void)pthread_mutex_unlock(&mine->kit->lock);
}

static int kit_do_once(struct kit *kit, int (*fn)(struct kit *, struct state_tx *, void *),
                       void *arg)
{
    struct kit_job job = {
        .job = {.run = kit_run, .done = kit_done}, .kit = kit, .fn = fn, .arg = arg};

    assert_int_equal(state_submit(kit->state, &job.job), 0);
    (void)pthread_mutex_lock(&kit->lock);
    while (!job.over) {
        (void)pthread_cond_wait(&kit->changed, &kit->lock);
    }
    (void)pthread_mutex_unlock(&kit->lock);
    return job.result;
}

static int kit_outcome_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_outcome(kit->outbox, tx, arg, kit->now);
}

static int kit_do(struct kit *kit, int (*fn)(struct kit *, struct state_tx *, void *), void *arg)
{
    int crashes = kit->crashes, r;

    if (kit->fails_in > 0 && --kit->fails_in == 0) {
        kit->fails = true;
        assert_true(kit_do_once(kit, fn, arg) < 0);
        kit->fails = false;
        kit->failures++;
        kit->failed_ms = kit->now.mono_ms;
        while (kit_do_once(kit, NULL, NULL) < 0) {
            (void)usleep(200); /* the state tries again by itself */
        }
        if (kit->between) {
            kit->between(kit);
        }
    }
    r = kit_do_once(kit, fn, arg);
    for (int tries = 1; kit->stuck && (r == -EIO || r == -ENOSPC); tries++) {
        kit->failures++;
        kit->failed_ms = kit->now.mono_ms;
        kit->stuck(kit, tries);
        (void)usleep(500);
        if (fn == kit_outcome_job && crashes != kit->crashes) {
            return 0; /* nobody is left who could say it again */
        }
        r = kit_do_once(kit, fn, arg);
    }
    return r;
}

/* ---- made, ended, restarted ---- */

static int kit_configure(struct kit *kit, struct state_tx *tx, void *arg)
{
    int r = outbox_configure(kit->outbox, tx, kit->sinks, kit->nsinks, kit->now);

    return r < 0 ? r : alerts_route(kit->alerts, tx, kit->make_routing(kit), kit->now);
}

static void kit_begin(struct kit *kit)
{
    const struct outbox_hooks outbox_hooks = {kit, kit_attempt};
    const struct state_options options = {
        .directory = kit->directory,
        .vfs = kit->vfs,
        .retry_ms = 1,
        .hooks = {kit, kit_load, kit_before_commit, kit_committed, NULL},
    };
    struct alerts_hooks alerts_hooks;
    struct buf why;

    buf_init(&why, 4096);
    assert_int_equal(outbox_create(&outbox_hooks, &kit->times, &kit->outbox), 0);
    alerts_hooks = outbox_alerts_hooks(kit->outbox);
    assert_int_equal(alerts_create(&alerts_hooks, &kit->alerts), 0);
    outbox_join(kit->outbox, kit->alerts);
    if (state_open(&options, &why, &kit->state) < 0) {
        fail_msg("%s", buf_str(&why));
    }
    buf_finish(&why);
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
}

static void kit_end(struct kit *kit)
{
    state_close(kit->state);
    alerts_destroy(kit->alerts);
    outbox_destroy(kit->outbox);
    while (kit->n > 0) {
        free(kit->attempts[--kit->n]);
    }
}

static inline struct kit *kit_open(struct routing *(*make_routing)(struct kit *),
                                   const struct outbox_sink *sinks, size_t nsinks)
{
    struct kit *kit = calloc(1, sizeof *kit);

    assert_non_null(kit);
    (void)snprintf(kit->directory, sizeof kit->directory, "/tmp/tmon-outbox-XXXXXX");
    assert_non_null(mkdtemp(kit->directory));
    (void)pthread_mutex_init(&kit->lock, NULL);
    (void)pthread_cond_init(&kit->changed, NULL);
    kit->now = (struct alerts_time){1700000000000, 1000000};
    kit->make_routing = make_routing;
    kit->sinks = sinks;
    kit->nsinks = nsinks;
    kit_begin(kit);
    return kit;
}

static void kit_close(struct kit *kit)
{
    char command[128];

    kit_end(kit);
    (void)snprintf(command, sizeof command, "rm -rf %s", kit->directory);
    assert_int_equal(system(command), 0);
    (void)pthread_mutex_destroy(&kit->lock);
    (void)pthread_cond_destroy(&kit->changed);
    free(kit);
}

/* What was under way is lost, as by a crash. */
static inline void kit_restart(struct kit *kit)
{
    kit_end(kit);
    kit_begin(kit);
}

static inline void kit_pass(struct kit *kit, int64_t ms)
{
    kit->now.real_ms += ms;
    kit->now.mono_ms += ms;
    assert_int_equal(kit_do(kit, NULL, NULL), 0);
}

/* ---- alerts ---- */

struct kit_put {
    const char *name, *severity;
    bool resolved;
    int64_t ttl_ms;
    enum alerts_verdict verdict;
};

static int kit_put_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct kit_put *put = arg;
    struct tmon_pair labels[] = {{"alertname", put->name}, {"severity", put->severity}};
    const struct tmon_pair annotations[] = {{"summary", "it is so"}};
    const struct alerts_input input = {
        .labels = labels,
        .nlabels = (size_t)labels_normalize(labels, 2),
        .annotations = annotations,
        .nannotations = 1,
        .resolved = put->resolved,
        .ttl_ms = put->ttl_ms,
    };

    return alerts_put(kit->alerts, tx, &input, kit->now, &put->verdict);
}

static inline enum alerts_verdict kit_fire(struct kit *kit, const char *name, const char *severity)
{
    struct kit_put put = {.name = name, .severity = severity};

    assert_int_equal(kit_do(kit, kit_put_job, &put), 0);
    return put.verdict;
}

static inline enum alerts_verdict kit_resolve(struct kit *kit, const char *name,
                                              const char *severity)
{
    struct kit_put put = {.name = name, .severity = severity, .resolved = true};

    assert_int_equal(kit_do(kit, kit_put_job, &put), 0);
    return put.verdict;
}

/* ---- silences ---- */

struct kit_silence {
    const char *id, *matcher;  /* id NULL: a new one */
    int64_t starts_ms, for_ms; /* from now; 0: now */
    char ret_id[SILENCE_ID_SIZE], why[256];
};

static int kit_silence_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct kit_silence *silence = arg;
    struct matcher matcher;
    const struct silence_input input = {
        .id = silence->id,
        .matchers = &matcher,
        .nmatchers = 1,
        .starts_ms = silence->starts_ms > 0 ? kit->now.real_ms + silence->starts_ms : 0,
        .ends_ms = kit->now.real_ms + silence->starts_ms + silence->for_ms,
        .created_by = "the test",
        .comment = "as it is",
    };
    int r;

    assert_int_equal(matcher_parse(&matcher, silence->matcher, silence->why, sizeof silence->why),
                     0);
    r = alerts_silence_put(kit->alerts, tx, &input, kit->now, silence->ret_id, silence->why,
                           sizeof silence->why);
    matcher_finish(&matcher);
    return r;
}

/* A new one from now on.  Its id, until the next call. */
static inline const char *kit_silence(struct kit *kit, const char *matcher, int64_t for_ms)
{
    static struct kit_silence silence;

    silence = (struct kit_silence){.matcher = matcher, .for_ms = for_ms};
    assert_int_equal(kit_do(kit, kit_silence_job, &silence), 0);
    return silence.ret_id;
}

static int kit_expire_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return alerts_silence_expire(kit->alerts, tx, arg, kit->now);
}

static inline int kit_expire(struct kit *kit, const char *id)
{
    char copy[64];

    (void)snprintf(copy, sizeof copy, "%s", id);
    return kit_do(kit, kit_expire_job, copy);
}

/* ---- inhibition ---- */

/* One more rule: both sides one matcher each; `equal` NULL: none. */
static inline void kit_inhibit(struct routing *routing, const char *source, const char *target,
                               const char *equal)
{
    struct inhibit_rule *rule;
    char why[256];

    routing->inhibit =
        realloc(routing->inhibit, (routing->ninhibit + 1) * sizeof *routing->inhibit);
    rule = &routing->inhibit[routing->ninhibit++];
    *rule = (struct inhibit_rule){.nsource = 1, .ntarget = 1};
    rule->source = calloc(1, sizeof *rule->source);
    rule->target = calloc(1, sizeof *rule->target);
    assert_int_equal(matcher_parse(rule->source, source, why, sizeof why), 0);
    assert_int_equal(matcher_parse(rule->target, target, why, sizeof why), 0);
    if (equal) {
        rule->equal = calloc(1, sizeof *rule->equal);
        rule->equal[rule->nequal++] = strdup(equal);
    }
}

/* ---- maintenance ---- */

/* Every day, in UTC. */
static inline void kit_window(struct route *route, const char *from, const char *to)
{
    char why[128];
    struct window *window;

    route->maintenance = maintenance_create(1);
    route->maintenance_set = true;
    window = &route->maintenance->windows[route->maintenance->n++];
    window->days = WINDOW_DAYS_ALL;
    assert_int_equal(window_minutes(from, &window->begin), 0);
    assert_int_equal(window_minutes(to, &window->end), 0);
    assert_int_equal(zone_load("UTC", &window->zone, why, sizeof why), 0);
}

/* ---- attempts ---- */

/* "sink: +A -B (2)": what the attempt at this place says, firing with plus, how many more in
 * brackets. */
static inline const char *kit_text(struct kit *kit, size_t i)
{
    static char text[4096];
    struct tmon_notification *notification;
    struct wire_reader reader;
    size_t len;

    if (i >= kit->n) {
        return "nothing";
    }
    wire_reader_init(&reader, kit->attempts[i]->body, kit->attempts[i]->len);
    assert_int_equal(notification_decode(&reader, &notification), 0);
    len = (size_t)snprintf(text, sizeof text, "%s:", kit->attempts[i]->sink);
    for (size_t j = 0; j < notification->nalerts && len < sizeof text; j++) {
        len += (size_t)snprintf(text + len, sizeof text - len, " %s%s",
                                notification->alerts[j]->firing ? "+" : "-",
                                notification->alerts[j]->name);
    }
    if (notification->ntruncated > 0 && len < sizeof text) {
        (void)snprintf(text + len, sizeof text - len, " (%zu)", notification->ntruncated);
    }
    assert_int_equal(notification->attempt, kit->attempts[i]->attempt);
    notification_destroy(notification);
    return text;
}

static inline void kit_answer_after(struct kit *kit, size_t i, enum outbox_result result,
                                    int64_t retry_after_ms)
{
    struct outbox_outcome outcome = {
        .id = kit->attempts[i]->id, .result = result, .retry_after_ms = retry_after_ms};

    (void)snprintf(outcome.sink, sizeof outcome.sink, "%s", kit->attempts[i]->sink);
    (void)snprintf(outcome.reason, sizeof outcome.reason, "answer %d", result);
    free(kit->attempts[i]);
    memmove(&kit->attempts[i], &kit->attempts[i + 1], (--kit->n - i) * sizeof kit->attempts[0]);
    assert_int_equal(kit_do(kit, kit_outcome_job, &outcome), 0);
}

static inline void kit_answer(struct kit *kit, size_t i, enum outbox_result result)
{
    kit_answer_after(kit, i, result, -1);
}

/* ---- what the file and the queue say ---- */

struct kit_sql {
    const char *sql;
    char text[4096];
};

static int kit_sql_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct kit_sql *query = arg;
    sqlite3_stmt *statement = NULL;
    size_t len = 0;

    *query->text = '\0';
    assert_int_equal(sqlite3_prepare_v2(tx->db, query->sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW && len < sizeof query->text) {
        len += (size_t)snprintf(query->text + len, sizeof query->text - len, "%s%s", len ? " " : "",
                                (const char *)sqlite3_column_text(statement, 0));
    }
    (void)sqlite3_finalize(statement);
    return 0;
}

/* Runs it; the first column of what it gives, with blanks between. */
static inline const char *kit_sql(struct kit *kit, const char *sql)
{
    static struct kit_sql query;

    query.sql = sql;
    assert_int_equal(kit_do(kit, kit_sql_job, &query), 0);
    return query.text;
}

struct kit_sink_view {
    const char *name;
    struct outbox_sink_view view;
    char reason[256];
    bool found;
};

static bool kit_on_sink(void *arg, const struct outbox_sink_view *view)
{
    struct kit_sink_view *wanted = arg;

    if (strcmp(view->name, wanted->name) == 0) {
        wanted->view = *view;
        (void)snprintf(wanted->reason, sizeof wanted->reason, "%s", view->reason);
        wanted->found = true;
    }
    return true;
}

static int kit_sink_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    outbox_sinks(kit->outbox, tx, kit_on_sink, arg, kit->now);
    return 0;
}

/* How the sink fares. */
static inline struct outbox_sink_view kit_view(struct kit *kit, const char *name)
{
    struct kit_sink_view wanted = {.name = name};

    assert_int_equal(kit_do(kit, kit_sink_job, &wanted), 0);
    assert_true(wanted.found);
    return wanted.view;
}

static int kit_next_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    int64_t alerts = alerts_next(kit->alerts), outbox = outbox_next(kit->outbox);

    *(int64_t *)arg = alerts < outbox ? alerts : outbox;
    return 0;
}

/* In how many milliseconds it wants to run again; -1: never.  Never 0 for ever. */
static inline int64_t kit_next(struct kit *kit)
{
    int64_t next = 0;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(kit_do(kit, kit_next_job, &next), 0);
        if (next > kit->now.mono_ms) {
            return next == INT64_MAX ? -1 : next - kit->now.mono_ms;
        }
        assert_int_equal(kit_do(kit, NULL, NULL), 0);
    }
    fail_msg("it wants to run again and again");
    return 0;
}

static int kit_retry_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_retry(kit->outbox, tx, *(int64_t *)arg, kit->now);
}

static int kit_drop_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_drop(kit->outbox, tx, *(int64_t *)arg, kit->now);
}

static inline int kit_retry(struct kit *kit, int64_t id)
{
    return kit_do(kit, kit_retry_job, &id);
}

static inline int kit_drop(struct kit *kit, int64_t id)
{
    return kit_do(kit, kit_drop_job, &id);
}

/* ---- routing ---- */

static inline void kit_sink(struct routing *routing, const char *name, bool one_alert)
{
    long i = routing_sink(routing, name);

    routing->sinks[i].live = true;
    routing->sinks[i].one_alert = one_alert;
}

static inline void kit_to(struct routing *routing, struct route *route, const char *const *names,
                          size_t n)
{
    route->to = calloc(n, sizeof *route->to);
    assert_non_null(route->to);
    for (size_t i = 0; i < n; i++) {
        route->to[i] = (uint32_t)routing_sink(routing, names[i]);
    }
    route->nto = n;
    route->to_set = true;
}

/* Everything to these sinks, at once; one group for each alertname, or one of all. */
static inline struct routing *kit_plain(const struct outbox_sink *sinks, size_t n,
                                        const char *const *to, size_t nto, bool one_group)
{
    struct routing *routing = routing_create();

    for (size_t i = 0; i < n; i++) {
        kit_sink(routing, sinks[i].name, sinks[i].one_alert);
    }
    kit_to(routing, &routing->root, to, nto);
    routing->root.group_wait_ms = 0;
    routing->root.group_interval_ms = 1000;
    routing->root.repeat_interval_ms = 3600000;
    routing->root.group_by_set = one_group;
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

#endif
