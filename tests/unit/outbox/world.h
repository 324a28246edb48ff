/*
 * world.h: a random world around alerts and outbox: names that fire and resolve, sinks of every
 * mood, an operator, crashes, configurations that change; and at the far end somebody who writes
 * down all that he sees, and knows the promises.
 *
 * The truth is kept here without a look at the implementation: which alerts fire, to which sinks
 * their routes lead, what each sink has seen of each episode.  An attempt that is answered
 * DELIVERED or AMBIGUOUS was seen; of one that a crash took, a coin decides.
 */
#ifndef TESTS_OUTBOX_WORLD_H
#define TESTS_OUTBOX_WORLD_H

#include "kit.h"

#include "alert/private.h"
#include "base/buf.h"
#include "outbox/private.h"

#define WORLD_NAMES 6
#define WORLD_SINKS 5 /* the last is the fallback */
#define WORLD_ITEMS 64
#define WORLD_RULES 2
#define WORLD_SILENCES 12

static const char *const world_sinks[WORLD_SINKS] = {"chat", "page", "mail", "back", "log"};
static const char *const world_severities[3] = {"info", "warning", "critical"};

struct world_window { /* of maintenance */
    enum { WINDOW_INHERITED, WINDOW_NONE, WINDOW_OWN } kind;
    int begin, minutes; /* begin: of the day, in UTC */
};

struct world_config {
    bool live[WORLD_SINKS];
    bool one_alert[WORLD_SINKS];
    uint32_t concurrency[WORLD_SINKS];
    int failover[WORLD_SINKS]; /* -1: none */
    uint32_t budget[WORLD_SINKS];
    int64_t give_up_ms, wait_ms, interval_ms, repeat_ms;
    unsigned to; /* of the root: bits of sinks */
    struct world_window window;
    size_t nchildren;
    struct {
        unsigned to;
        int severity;
        bool go_on;
        int64_t wait_ms;
        struct world_window window;
    } children[2];
    int group_by; /* 0: nothing, 1: alertname, 2: all */
    size_t ninhibit;
    struct {
        uint32_t source, target; /* of world_matchers */
        bool by_severity;
    } inhibit[WORLD_RULES];
};

struct world_silence {
    char id[SILENCE_ID_SIZE];
    uint32_t matcher; /* of world_matchers */
    int64_t starts_ms, ends_ms;
};

enum mood { GOOD, FLAKY, DOWN, LOCKED, MEAN, MOODS };

struct world_item { /* one alert of a notification */
    char key[64];
    bool firing, news;
};

struct world_flight { /* of the attempt at the same place of kit->attempts */
    int64_t id;
    int sink;
    uint64_t ordering;
    char uid[40];
    size_t n;
    struct world_item items[WORLD_ITEMS];
};

struct heard { /* what a sink knows of an episode */
    int sink;
    char key[64];
    bool attempted;    /* its firing was handed out */
    bool firing;       /* seen */
    bool maybe;        /* a crash took an attempt that was not seen */
    bool resolved;     /* seen */
    bool lost;         /* its firing was rejected, given up or dropped */
    bool resolve_lost; /* so was its resolve */
    bool touched;      /* an operator tried it again: more than once is his wish */
    char resolve_uid[40];
    char news_uid[40]; /* the last notification that told of it as news */
    int64_t news_ms;
    int64_t id; /* of the notification that told it first */
};

struct world {
    struct kit *kit;
    struct world_config config;
    int64_t configured_ms;
    struct outbox_sink sinks[WORLD_SINKS];
    struct {
        bool firing;
        int64_t ttl_ms, ends_ms; /* by the monotonic clock; 0: none */
    } names[WORLD_NAMES];
    struct ack_seen { /* somebody sees to it */
        int64_t episode;
        int64_t since_ms; /* on the wall clock; 0: no longer */
    } * acks;
    size_t nacks;
    enum mood mood[WORLD_SINKS];
    struct world_flight *flights;
    size_t nflights;
    struct heard *heard;
    size_t nheard;
    struct move_seen { /* taken over by another sink */
        int from, to;
        int64_t episode;
    } * moves;
    size_t nmoves;
    struct move_seen *drops; /* the operator wanted it so */
    size_t ndrops;
    struct world_silence silences[WORLD_SILENCES];
    size_t nsilences;
    int64_t last_row;
    uint64_t random;
    bool trace, revived;
    int failures, crashes;
};

static struct world *the_world; /* for kit->make_routing() */

static inline uint32_t draw(struct world *world, uint32_t n)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (uint32_t)(world->random >> 33) % n;
}

static inline bool chance(struct world *world, uint32_t percent)
{
    return draw(world, 100) < percent;
}

#define TRACE(...)                                                                                 \
    do {                                                                                           \
        if (world->trace) {                                                                        \
            (void)fprintf(stderr, "%9lld ", (long long)(world->kit->now.mono_ms - 1000000));       \
            (void)fprintf(stderr, __VA_ARGS__);                                                    \
            (void)fputc('\n', stderr);                                                             \
        }                                                                                          \
    } while (0)

static inline int world_sink(const char *name)
{
    for (int i = 0; i < WORLD_SINKS; i++) {
        if (strcmp(world_sinks[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static inline void look(struct world *world);

#include "world_hold.h"

/* ---- configurations ---- */

static inline void draw_config(struct world *world)
{
    struct world_config *config = &world->config;
    static const int64_t waits[] = {0, 0, 2000, 15000};

    *config = (struct world_config){
        .give_up_ms = chance(world, 30) ? 120000 : 86400000,
        .wait_ms = waits[draw(world, 4)],
        .interval_ms = chance(world, 50) ? 10000 : 1000,
        .repeat_ms = chance(world, 50) ? 300000 : 86400000,
        .to = 1 + draw(world, 15),
        .nchildren = draw(world, 3),
        .group_by = (int)draw(world, 3),
    };
    for (int i = 0; i < WORLD_SINKS; i++) {
        config->live[i] = i == WORLD_SINKS - 1 || chance(world, 85);
        config->one_alert[i] = chance(world, i == 1 ? 80 : 10);
        config->concurrency[i] = 1 + draw(world, 3);
        config->failover[i] = chance(world, 30) ? (int)draw(world, WORLD_SINKS) : -1;
        if (config->failover[i] == i) {
            config->failover[i] = -1;
        }
        config->budget[i] = chance(world, 25) ? 1 + draw(world, 2) : 0;
    }
    for (size_t i = 0; i < config->nchildren; i++) {
        config->children[i].to = 1 + draw(world, 15);
        config->children[i].severity = (int)draw(world, 3);
        config->children[i].go_on = chance(world, 50);
        config->children[i].wait_ms = waits[draw(world, 4)];
    }
    draw_inhibition(world);
    draw_windows(world);
    for (int i = 0; i < WORLD_SINKS; i++) {
        world->sinks[i].changed = false;
    }
}

static inline void apply_config(struct world *world)
{
    const struct world_config *config = &world->config;
    struct kit *kit = world->kit;
    size_t n = 0;

    for (int i = 0; i < WORLD_SINKS; i++) {
        if (config->live[i]) {
            world->sinks[n++] = (struct outbox_sink){
                .name = world_sinks[i],
                .one_alert = config->one_alert[i],
                .concurrency = config->concurrency[i],
                .failover = config->failover[i] < 0 ? NULL : world_sinks[config->failover[i]],
                .budget = config->budget[i],
                .budget_ms = 20000,
                .give_up_ms = config->give_up_ms,
            };
        }
    }
    kit->sinks = world->sinks;
    kit->nsinks = n;
    world->configured_ms = kit->now.real_ms;
}

static inline void routing_to(struct routing *routing, struct route *route, unsigned to)
{
    const char *names[WORLD_SINKS];
    size_t n = 0;

    for (int i = 0; i < WORLD_SINKS; i++) {
        if (to & (1u << i)) {
            names[n++] = world_sinks[i];
        }
    }
    kit_to(routing, route, names, n);
}

static inline struct routing *world_routing(struct kit *kit)
{
    const struct world_config *config = &the_world->config;
    struct routing *routing = routing_create();
    struct route *root = &routing->root;
    char why[128];

    for (int i = 0; i < WORLD_SINKS; i++) {
        long sink = routing_sink(routing, world_sinks[i]);

        routing->sinks[sink].live = config->live[i];
        routing->sinks[sink].one_alert = config->one_alert[i];
    }
    routing_to(routing, root, config->to);
    root->group_wait_ms = config->wait_ms;
    root->group_interval_ms = config->interval_ms;
    root->repeat_interval_ms = config->repeat_ms;
    root->group_by_set = true;
    if (config->group_by == 1) {
        root->group_by = calloc(1, sizeof *root->group_by);
        root->group_by[root->ngroup_by++] = strdup("alertname");
    }
    root->group_by_all = config->group_by == 2;
    root->routes = calloc(2, sizeof *root->routes);
    root->nroutes = config->nchildren;
    for (size_t i = 0; i < config->nchildren; i++) {
        struct route *route = &root->routes[i];

        route_init(route);
        route->matchers = calloc(1, sizeof *route->matchers);
        route->nmatchers = 1;
        assert_int_equal(matcher_init(route->matchers, "severity", MATCHER_EQUAL,
                                      world_severities[config->children[i].severity], why,
                                      sizeof why),
                         0);
        routing_to(routing, route, config->children[i].to);
        route->go_on = config->children[i].go_on;
        route->group_wait_ms = config->children[i].wait_ms;
    }
    add_inhibition(config, routing);
    add_windows(config, root);
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

/* ---- the truth about routes ---- */

static inline unsigned live_of(const struct world_config *config, unsigned to)
{
    unsigned live = 0;

    for (int i = 0; i < WORLD_SINKS; i++) {
        live |= config->live[i] ? to & (1u << i) : 0;
    }
    return live ? live : 1u << (WORLD_SINKS - 1);
}

/* Those that may be told that it fires: none by a route that is in a window. */
static inline unsigned sinks_of(const struct world *world, int name)
{
    const struct world_config *config = &world->config;
    bool taken = false;
    unsigned to = 0;

    for (size_t i = 0; i < config->nchildren; i++) {
        if (config->children[i].severity == name % 3) {
            taken = true;
            if (!is_in_window(world, &config->children[i].window)) {
                to |= live_of(config, config->children[i].to);
            }
            if (!config->children[i].go_on) {
                break;
            }
        }
    }
    return taken || is_in_window(world, &config->window) ? to : live_of(config, config->to);
}

/* ---- what sinks know ---- */

static inline struct heard *heard_find(struct world *world, int sink, const char *key)
{
    for (size_t i = 0; i < world->nheard; i++) {
        if (world->heard[i].sink == sink && strcmp(world->heard[i].key, key) == 0) {
            return &world->heard[i];
        }
    }
    return NULL;
}

static inline struct heard *heard_get(struct world *world, int sink, const char *key)
{
    struct heard *heard = heard_find(world, sink, key);

    if (!heard) {
        world->heard = realloc(world->heard, (world->nheard + 1) * sizeof *world->heard);
        heard = &world->heard[world->nheard++];
        *heard = (struct heard){.sink = sink};
        (void)snprintf(heard->key, sizeof heard->key, "%s", key);
    }
    return heard;
}

/* ---- looking into the table ---- */

struct peek {
    int64_t id;
    bool there;
    char uid[40], sink[64], reason[256];
    int state;
    uint32_t attempts, flags;
    uint64_t ordering;
    int64_t created_ms;
    size_t nitems;
    struct content_item *items;
};

static inline void copy_text(char *text, size_t size, sqlite3_stmt *statement, int column)
{
    (void)snprintf(text, size, "%s", (const char *)sqlite3_column_text(statement, column));
}

static inline void trace_row(struct world *world, sqlite3_stmt *statement)
{
    struct content_item *items = NULL;
    char text[512] = "";
    size_t n = 0, len = 0;

    (void)content_items(sqlite3_column_blob(statement, 3),
                        (size_t)sqlite3_column_bytes(statement, 3), &items, &n);
    for (size_t i = 0; i < n && len < sizeof text; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, " %s%s#%lld",
                                items[i].repeat ? "again "
                                : items[i].news ? ""
                                                : "~",
                                items[i].firing ? "+" : "-", (long long)items[i].episode);
    }
    TRACE("  %lld made for %s:%s", (long long)world->last_row,
          (const char *)sqlite3_column_text(statement, 1), text);
    free(items);
}

/* Nothing is made that tells of what is held back; what was made before goes on its way. */
static inline void check_held(struct world *world, sqlite3_stmt *statement)
{
    const char *sink = (const char *)sqlite3_column_text(statement, 1);
    struct content_item *items = NULL;
    size_t n = 0;

    (void)content_items(sqlite3_column_blob(statement, 3),
                        (size_t)sqlite3_column_bytes(statement, 3), &items, &n);
    for (size_t i = 0; i < n; i++) {
        const struct alert *alert = alert_find(world->kit->alerts, items[i].episode);
        const char *name = alert ? labels_get(alert->labels, alert->nlabels, "alertname") : "N0";

        if (alert && items[i].firing &&
            (is_held_back(world, atoi(name + 1)) ||
             !(sinks_of(world, atoi(name + 1)) & (1u << world_sink(sink))))) {
            fail_msg("%s is told of %s, which is held back", sink, name);
        }
    }
    free(items);
}

/* Notes what was taken over since the last look. */
static inline void note_moves(struct kit *kit, struct state_tx *tx)
{
    static const char sql[] = "SELECT id, sink, reason, body FROM outbox WHERE id > ?1";
    struct world *world = the_world;
    sqlite3_stmt *statement = state_prepare(tx, sql);

    (void)sqlite3_bind_int64(statement, 1, world->last_row);
    while (state_step(tx, statement) == 1) {
        struct content_item *items = NULL;
        size_t n = 0;
        char from[32] = "";

        world->last_row = sqlite3_column_int64(statement, 0);
        if (world->trace) {
            trace_row(world, statement);
        }
        if (sscanf((const char *)sqlite3_column_text(statement, 2), "taken over from %31[a-z]",
                   from) == 1) {
            (void)content_items(sqlite3_column_blob(statement, 3),
                                (size_t)sqlite3_column_bytes(statement, 3), &items, &n);
            world->moves = realloc(world->moves, (world->nmoves + n) * sizeof *world->moves);
            for (size_t i = 0; i < n; i++) {
                TRACE("  %lld: #%lld goes from %s to %s", (long long)world->last_row,
                      (long long)items[i].episode, from,
                      (const char *)sqlite3_column_text(statement, 1));
                world->moves[world->nmoves++] = (struct move_seen){
                    world_sink(from), world_sink((const char *)sqlite3_column_text(statement, 1)),
                    items[i].episode};
            }
        } else {
            check_held(world, statement);
        }
        free(items);
    }
    (void)sqlite3_reset(statement);
}

static inline int note_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    note_moves(kit, tx);
    return 0;
}

/* What was made after a commit had failed was made while the old truth held. */
static inline void world_between(struct kit *kit)
{
    assert_int_equal(kit_do_once(kit, note_job, NULL), 0);
}

static inline int peek_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    static const char sql[] = "SELECT uid, sink, reason, state, attempts, flags, ordering, "
                              "created_ms, body FROM outbox WHERE id = ?1";
    struct peek *peek = arg;
    sqlite3_stmt *statement;

    free(peek->items);
    *peek = (struct peek){.id = peek->id};
    note_moves(kit, tx);
    statement = state_prepare(tx, sql);

    (void)sqlite3_bind_int64(statement, 1, peek->id);
    peek->there = state_step(tx, statement) == 1;
    if (peek->there) {
        copy_text(peek->uid, sizeof peek->uid, statement, 0);
        copy_text(peek->sink, sizeof peek->sink, statement, 1);
        copy_text(peek->reason, sizeof peek->reason, statement, 2);
        peek->state = sqlite3_column_int(statement, 3);
        peek->attempts = (uint32_t)sqlite3_column_int64(statement, 4);
        peek->flags = (uint32_t)sqlite3_column_int64(statement, 5);
        peek->ordering = (uint64_t)sqlite3_column_int64(statement, 6);
        peek->created_ms = sqlite3_column_int64(statement, 7);
        (void)content_items(sqlite3_column_blob(statement, 8),
                            (size_t)sqlite3_column_bytes(statement, 8), &peek->items,
                            &peek->nitems);
    }
    (void)sqlite3_reset(statement);
    return 0;
}

static inline struct peek peek_at(struct world *world, int64_t id)
{
    struct peek peek = {.id = id};

    assert_int_equal(kit_do(world->kit, peek_job, &peek), 0);
    return peek;
}

/* ---- the far end ---- */

static inline int64_t episode_of(const char *key)
{
    return strtoll(strrchr(key, '-') + 1, NULL, 16);
}

/* Whether somebody saw to it before that time, and sees to it still. */
static inline bool is_seen_to(const struct world *world, int64_t episode, int64_t before_ms)
{
    for (size_t i = 0; i < world->nacks; i++) {
        if (world->acks[i].episode == episode && world->acks[i].since_ms > 0 &&
            world->acks[i].since_ms < before_ms) {
            return true;
        }
    }
    return false;
}

/* An attempt has arrived: is it allowed? */
static inline void receive(struct world *world, const struct outbox_attempt *attempt)
{
    struct world_flight *flight = &world->flights[world->nflights];
    struct peek peek = peek_at(world, attempt->id);
    struct tmon_notification *notification;
    struct wire_reader reader;
    uint32_t under_way = 1;
    char text[1024] = "";
    size_t len = 0;

    *flight = (struct world_flight){.id = attempt->id, .sink = world_sink(attempt->sink)};
    wire_reader_init(&reader, attempt->body, attempt->len);
    assert_int_equal(notification_decode(&reader, &notification), 0);
    assert_true(peek.there);
    assert_int_equal(peek.state, OUTBOX_PENDING);
    assert_string_equal(peek.sink, attempt->sink);
    assert_string_equal(peek.uid, notification->id);
    assert_int_equal(peek.attempts, attempt->attempt);
    assert_int_equal(notification->attempt, attempt->attempt);
    (void)snprintf(flight->uid, sizeof flight->uid, "%s", notification->id);
    flight->ordering = peek.ordering;

    /* Of a sink no more than it takes, of an ordering one, of a notification one. */
    assert_true(world->config.live[flight->sink]);
    for (size_t i = 0; i < world->nflights; i++) {
        const struct world_flight *other = &world->flights[i];

        assert_int_not_equal(other->id, flight->id);
        under_way += other->sink == flight->sink;
        if (other->sink == flight->sink && other->ordering == flight->ordering) {
            fail_msg("%lld and %lld of one ordering are under way at %s", (long long)other->id,
                     (long long)flight->id, attempt->sink);
        }
    }
    assert_true(under_way <= world->config.concurrency[flight->sink]);
    if (world->config.one_alert[flight->sink] && !(peek.flags & ITEM_DIGEST) &&
        peek.created_ms > world->configured_ms && notification->nalerts > 1) {
        /* An operator may try again what was made for another configuration. */
        assert_true(heard_get(world, flight->sink, notification->alerts[0]->key)->touched);
    }

    /* What a digest tells was put into it later than it was begun. */
    int64_t told_ms = peek.flags & ITEM_DIGEST ? world->kit->now.real_ms : peek.created_ms;

    assert_true(notification->nalerts > 0 && notification->nalerts <= WORLD_ITEMS);
    assert_true(peek.nitems >= notification->nalerts);
    bool news = false, all_resolved = true;
    for (size_t i = 0; i < notification->nalerts; i++) {
        const struct tmon_alert *alert = notification->alerts[i];
        struct world_item *item = &flight->items[flight->n++];
        struct heard *heard = heard_get(world, flight->sink, alert->key);

        (void)snprintf(item->key, sizeof item->key, "%s", alert->key);
        item->firing = alert->firing;
        item->news = peek.items[i].news;
        news = news || item->news;
        all_resolved = all_resolved && !alert->firing;
        if (world->trace && len < sizeof text) {
            len += (size_t)snprintf(text + len, sizeof text - len, " %s%s%s#%lld",
                                    item->news ? "" : "~", alert->firing ? "+" : "-", alert->name,
                                    (long long)episode_of(alert->key));
        }
        /* The alerts are what the row says that they are. */
        assert_int_equal(peek.items[i].episode, episode_of(alert->key));
        assert_int_equal(peek.items[i].firing, alert->firing);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(notification->alerts[j]->key, alert->key);
        }
        if (peek.items[i].repeat && !heard->touched && !(peek.flags & ITEM_DIGEST) &&
            is_seen_to(world, episode_of(alert->key), peek.created_ms) &&
            strncmp(peek.reason, "taken over", 10) != 0) {
            fail_msg("%s is reminded of %s, which is acknowledged", attempt->sink, alert->name);
        }
        if (alert->firing && item->news && !heard->touched &&
            strcmp(heard->news_uid, flight->uid) != 0) {
            if (*heard->news_uid &&
                told_ms - heard->news_ms < world->config.repeat_ms - REPEAT_SLACK_MS &&
                heard->news_ms > world->configured_ms) {
                fail_msg("%s is told twice of %s within %lld ms of %lld: %s and %s", attempt->sink,
                         alert->name, (long long)(told_ms - heard->news_ms),
                         (long long)world->config.repeat_ms, heard->news_uid, flight->uid);
            }
            (void)snprintf(heard->news_uid, sizeof heard->news_uid, "%s", flight->uid);
            heard->news_ms = peek.created_ms;
        }
    }
    TRACE("  %s gets %lld try %u ordering %llx:%s", attempt->sink, (long long)attempt->id,
          attempt->attempt, (unsigned long long)peek.ordering, text);
    assert_true(news);
    assert_int_equal(notification->resolved, all_resolved);
    notification_destroy(notification);
    free(peek.items);
    world->nflights++;
}

/* The far end has seen it, whatever becomes of its answer. */
static inline void see(struct world *world, const struct world_flight *flight)
{
    for (size_t i = 0; i < flight->n; i++) {
        const struct world_item *item = &flight->items[i];
        struct heard *heard = heard_get(world, flight->sink, item->key);

        if (item->firing) {
            if (heard->resolved && !heard->touched) {
                fail_msg("%s hears that %s fires after it heard of its end",
                         world_sinks[flight->sink], item->key);
            }
            heard->firing = true;
            heard->resolved = heard->resolved && !heard->touched;
            continue;
        }
        if (!heard->firing && !heard->maybe) {
            fail_msg("%s hears of the end of %s, of which it never heard",
                     world_sinks[flight->sink], item->key);
        }
        if (heard->resolved && !heard->touched && strcmp(heard->resolve_uid, flight->uid) != 0) {
            fail_msg("%s hears twice of the end of %s", world_sinks[flight->sink], item->key);
        }
        heard->resolved = true;
        (void)snprintf(heard->resolve_uid, sizeof heard->resolve_uid, "%s", flight->uid);
    }
}

/* From now on it cannot be taken back. */
static inline void note_attempt(struct world *world, const struct world_flight *flight)
{
    for (size_t i = 0; i < flight->n; i++) {
        if (flight->items[i].firing) {
            heard_get(world, flight->sink, flight->items[i].key)->attempted = true;
        }
    }
}

/* A crash took what was under way. */
static inline void world_lose_flights(struct world *world)
{
    for (size_t i = 0; i < world->nflights; i++) {
        const struct world_flight *flight = &world->flights[i];

        if (chance(world, 50)) {
            TRACE("  %lld was seen", (long long)flight->id);
            see(world, flight);
        }
        note_attempt(world, flight);
        for (size_t j = 0; j < flight->n; j++) {
            if (flight->items[j].firing) {
                heard_get(world, flight->sink, flight->items[j].key)->maybe = true;
            }
        }
    }
    world->nflights = 0;
    world->crashes = world->kit->crashes;
}

static inline void look(struct world *world)
{
    if (world->crashes != world->kit->crashes) {
        world_lose_flights(world);
    }
    while (world->nflights < world->kit->n) {
        receive(world, world->kit->attempts[world->nflights]);
    }
    for (size_t i = 0; i < world->nflights; i++) {
        assert_int_equal(world->flights[i].id, world->kit->attempts[i]->id);
    }
}

/* What was in a notification will not be told any more. */
static inline void lose(struct world *world, int sink, const struct world_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct heard *heard = heard_get(world, sink, items[i].key);

        if (items[i].news && items[i].firing) {
            heard->lost = true;
        } else if (items[i].news) {
            heard->resolve_lost = true;
        }
    }
}

static inline void answer(struct world *world, size_t i, enum outbox_result result,
                          int64_t retry_after_ms)
{
    struct world_flight flight;
    struct peek peek;

    look(world);
    flight = world->flights[i];
    TRACE("  %s answers %lld: %d", world_sinks[flight.sink], (long long)flight.id, result);
    if (result == OUTBOX_DELIVERED || result == OUTBOX_AMBIGUOUS) {
        see(world, &flight);
    }
    if (result != OUTBOX_UNREADY) {
        note_attempt(world, &flight);
    }
    world->nflights--;
    memmove(&world->flights[i], &world->flights[i + 1],
            (world->nflights - i) * sizeof world->flights[0]);
    kit_answer_after(world->kit, i, result, retry_after_ms);
    peek = peek_at(world, flight.id);
    assert_true(peek.there);
    if (world->crashes != world->kit->crashes) {
        /* the outcome may be lost */
    } else if (result == OUTBOX_DELIVERED) {
        assert_int_equal(peek.state, OUTBOX_SENT);
    } else if (result == OUTBOX_REJECTED) {
        assert_int_equal(peek.state, OUTBOX_DEAD);
    } else {
        assert_true(peek.state == OUTBOX_PENDING || peek.state == OUTBOX_DEAD ||
                    peek.state == OUTBOX_CANCELLED);
    }
    if (peek.state == OUTBOX_DEAD) {
        assert_int_not_equal(result, OUTBOX_PAUSE);
        TRACE("  %lld is dead", (long long)flight.id);
        lose(world, flight.sink, flight.items, flight.n);
    }
    free(peek.items);
    look(world);
}

static inline void answer_by_mood(struct world *world, size_t i)
{
    static const enum outbox_result flaky[] = {OUTBOX_DELIVERED, OUTBOX_DELIVERED, OUTBOX_DELIVERED,
                                               OUTBOX_RETRY,     OUTBOX_AMBIGUOUS, OUTBOX_REJECTED,
                                               OUTBOX_UNREADY,   OUTBOX_PAUSE};
    static const enum outbox_result down[] = {OUTBOX_RETRY, OUTBOX_RETRY, OUTBOX_AMBIGUOUS,
                                              OUTBOX_UNREADY};
    static const int64_t after[] = {-1, -1, -1, 0, 5000, 60000};
    enum outbox_result result = OUTBOX_DELIVERED;

    switch (world->mood[world->flights[i].sink]) {
    case FLAKY:
        result = flaky[draw(world, 8)];
        break;
    case DOWN:
        result = down[draw(world, 4)];
        break;
    case LOCKED:
        result = OUTBOX_PAUSE;
        break;
    case MEAN:
        result = chance(world, 70) ? OUTBOX_REJECTED : OUTBOX_DELIVERED;
        break;
    default:
        break;
    }
    answer(world, i, result,
           result == OUTBOX_DELIVERED || result == OUTBOX_REJECTED ? -1 : after[draw(world, 6)]);
}

/* ---- what holds at every step ---- */

struct step {
    char text[512];
    int64_t alerts_next, outbox_next;
    bool deep;
    bool groups_pending;
    uint64_t pending; /* of sinks that are configured */
};

static inline int64_t one_number(struct state_tx *tx, const char *sql, const char *sink)
{
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int64_t number = -1;

    if (sink) {
        (void)sqlite3_bind_text(statement, 1, sink, -1, SQLITE_STATIC);
    }
    if (state_step(tx, statement) == 1) {
        number = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    return number;
}

#define SAY(...) (void)snprintf(step->text, sizeof step->text, __VA_ARGS__)

static inline void check_counts(struct kit *kit, struct state_tx *tx, struct step *step)
{
    static const char pending[] = "SELECT count(*) FROM outbox WHERE state = 0 AND sink = ?1";
    static const char dead[] = "SELECT count(*) FROM outbox WHERE state = 2 AND sink = ?1";
    static const char ended[] = "SELECT count(*) FROM outbox WHERE state = ?1 + 0";
    static const char heads[] =
        "SELECT count(*) FROM (SELECT sum(head) AS h FROM outbox WHERE state = 0 "
        "GROUP BY sink, ordering HAVING h <> 1)";
    static const char strays[] = "SELECT count(*) FROM outbox WHERE state <> 0 AND head <> 0";
    static const char of_sink[] =
        "SELECT count(*) FROM outbox WHERE state = 0 AND head = 1 AND sink = ?1";

    for (size_t i = 0; i < kit->outbox->nsinks; i++) {
        struct sink *sink = kit->outbox->sinks[i];
        int64_t n = one_number(tx, pending, sink->name);

        step->pending += sink->configured ? sink->pending : 0;
        if (n != (int64_t)sink->pending) {
            SAY("%s: %lld pending in the file, %llu in memory", sink->name, (long long)n,
                (unsigned long long)sink->pending);
        }
        n = one_number(tx, dead, sink->name);
        if (n != (int64_t)sink->dead) {
            SAY("%s: %lld dead in the file, %llu in memory", sink->name, (long long)n,
                (unsigned long long)sink->dead);
        }
        if (!sink->more) {
            n = one_number(tx, of_sink, sink->name);
            if (n != (int64_t)sink->by_id.used) {
                SAY("%s: %lld first ones in the file, %zu in memory", sink->name, (long long)n,
                    sink->by_id.used);
            }
        }
        if (sink->by_id.used != sink->by_ordering.used) {
            SAY("%s: %zu by number, %zu by ordering", sink->name, sink->by_id.used,
                sink->by_ordering.used);
        }
    }
    for (int state = 1; state < OUTBOX_STATES; state++) {
        char number[8];
        int64_t n;

        (void)snprintf(number, sizeof number, "%d", state);
        n = one_number(tx, ended, number);
        if (n != (int64_t)kit->outbox->ended[state]) {
            SAY("%s: %lld in the file, %llu in memory", outbox_state_name((enum outbox_state)state),
                (long long)n, (unsigned long long)kit->outbox->ended[state]);
        }
    }
    if (one_number(tx, heads, NULL) != 0) {
        SAY("an ordering has no first one, or two");
    }
    if (one_number(tx, strays, NULL) != 0) {
        SAY("one that ended is the first of its ordering");
    }
}

struct same {
    const struct item *item;
    struct step *step;
};

static inline void compare_item(void *arg, const struct row *row)
{
    const struct same *same = arg;
    const struct item *item = same->item;
    struct step *step = same->step;

    if (row->state != OUTBOX_PENDING || !row->head || row->attempts != item->attempts ||
        row->flags != item->flags || row->ordering != item->ordering ||
        row->created_ms != item->created_ms || row->len != item->len ||
        memcmp(row->body, item->body, row->len) != 0 || strcmp(row->uid, item->uid) != 0 ||
        strcmp(row->sink, item->sink->name) != 0 || strcmp(row->title, item->title) != 0 ||
        strcmp(row->reason, item->reason ? item->reason : "") != 0) {
        SAY("notification %lld is not in memory what it is in the file", (long long)item->id);
    }
}

static inline void check_items(struct kit *kit, struct state_tx *tx, struct step *step)
{
    for (size_t i = 0; i < kit->outbox->nsinks; i++) {
        struct sink *sink = kit->outbox->sinks[i];
        const struct item *item;
        size_t pos = 0, under_way = 0, bytes = 0;

        while ((item = map_next(&sink->by_id, &pos))) {
            struct same same = {item, step};

            under_way += item->under_way;
            bytes += item->len;
            if (row_find(kit->outbox, tx, item->id, compare_item, &same) != 1) {
                SAY("notification %lld is not in the file", (long long)item->id);
            }
            if (item->under_way == heap_has(&item->ready)) {
                SAY("notification %lld is under way and waits, or neither", (long long)item->id);
            }
        }
        if (under_way != sink->under_way || bytes != sink->bytes) {
            SAY("%s: %zu under way, not %u; %zu bytes, not %zu", sink->name, under_way,
                sink->under_way, bytes, sink->bytes);
        }
    }
}

static inline int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in order, for what is walked in none. */
static inline char *sorted(struct buf *buf)
{
    char *lines[4096], *text = strdup(buf_str(buf)), *result = malloc(buf->len + 1), *at = result;
    size_t n = 0;

    for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line && n < 4096;
         line = strtok_r(NULL, "\n", &rest)) {
        lines[n++] = line;
    }
    qsort(lines, n, sizeof lines[0], by_text);
    for (size_t i = 0; i < n; i++) {
        at = stpcpy(stpcpy(at, lines[i]), "\n");
    }
    *at = '\0';
    free(text);
    buf_finish(buf);
    return result;
}

static inline bool has_news(const struct alerts *alerts, const struct group *group)
{
    for (size_t i = 0; i < group->nmembers; i++) {
        const struct alert *alert = group->members[i];

        if (alert->firing) {
            return true;
        }
        for (size_t j = 0; j < group->route->nto; j++) {
            const struct mark *mark = mark_find(alert, alerts->routed[group->route->to[j]]);

            if (mark && mark->fate == FATE_TOLD) {
                return true;
            }
        }
    }
    return false;
}

static inline char *dump(const struct alerts *alerts, const struct alerts *real)
{
    const struct alert *alert;
    const struct group *group, *other;
    struct buf buf;
    size_t pos = 0;

    buf_init(&buf, 1 << 20);
    while ((alert = map_next(&alerts->by_episode, &pos))) {
        buf_printf(&buf, "alert %lld: %s %d%d%d %lld %lld %lld %lld %u %u %lld %s\n",
                   (long long)alert->episode, alert->key, alert->firing, alert->expired,
                   alert->partly_told, (long long)alert->starts_ms, (long long)alert->updated_ms,
                   (long long)alert->ends_ms, (long long)alert->ttl_ms, alert->nannotations,
                   alert->nmarks, (long long)alert->acked_ms,
                   alert->acked_by ? alert->acked_by : "");
        for (size_t i = 0; i < alert->nmarks; i++) {
            const struct mark *mark = &alert->marks[i];

            buf_printf(&buf, "mark %lld: %s %d %lld %llx %lld\n", (long long)alert->episode,
                       alerts->sinks[mark->sink], mark->fate, (long long)mark->id,
                       (unsigned long long)mark->ordering, (long long)mark->told.real_ms);
        }
    }
    pos = 0;
    while ((group = map_next(&alerts->groups, &pos))) {
        if (!has_news(alerts, group)) {
            continue; /* on its way out; a reload may make such ones */
        }
        buf_printf(&buf, "group %s: %lld %lld\n", group->key, (long long)group->created_ms,
                   (long long)group->flushed_ms);
        other = map_get(&real->groups, group->key, strlen(group->key));
        /* A group that owes something finds out first, one in a window at its end; one whose sink
         * hears of a dead letter after all does at its next flush, and a reload at once. */
        for (size_t i = 0;
             other && !other->pending && !other->held && !the_world->revived && i < group->ntold;
             i++) {
            buf_printf(&buf, "told %s: %s %lld\n", group->key, alerts->sinks[group->told[i].sink],
                       (long long)group->told[i].at.real_ms);
        }
    }
    assert_false(buf.failed);
    return sorted(&buf);
}

static inline void no_attempt(void *owner, struct outbox_attempt *attempt)
{
    free(attempt);
}

/* A second agent that reads the file knows what the first one knows. */
static inline void check_reload(struct kit *kit, struct state_tx *tx, struct step *step)
{
    const struct outbox_hooks hooks = {NULL, no_attempt};
    struct outbox *outbox;
    struct alerts *alerts;
    struct alerts_hooks alerts_hooks;
    const struct group *group;
    char *a, *b;
    size_t pos = 0;

    (void)sqlite3_exec(tx->db, "SAVEPOINT again", NULL, NULL, NULL);
    assert_int_equal(outbox_create(&hooks, &kit->times, &outbox), 0);
    alerts_hooks = outbox_alerts_hooks(outbox);
    assert_int_equal(alerts_create(&alerts_hooks, &alerts), 0);
    outbox_join(outbox, alerts);
    assert_int_equal(outbox_load(outbox, tx, true, kit->now), 0);
    assert_int_equal(alerts_load(alerts, tx, true, kit->now), 0);
    assert_int_equal(outbox_configure(outbox, tx, kit->sinks, kit->nsinks, kit->now), 0);
    assert_int_equal(alerts_route(alerts, tx, kit->make_routing(kit), kit->now), 0);
    a = dump(kit->alerts, kit->alerts);
    b = dump(alerts, kit->alerts);
    if (strcmp(a, b) != 0) {
        (void)fprintf(stderr, "in memory:\n%sin the file:\n%s", a, b);
        SAY("memory is not what the file has");
    }
    free(a);
    free(b);
    for (size_t i = 0; i < outbox->nsinks; i++) {
        const struct sink *two = outbox->sinks[i], *one = sink_find(kit->outbox, two->name);

        if (!one || one->pending != two->pending || one->dead != two->dead) {
            SAY("%s has not in memory what it has in the file", two->name);
        }
    }
    while ((group = map_next(&kit->alerts->groups, &pos))) {
        if (!group->pending && group_needs_telling(kit->alerts, group, kit->now)) {
            SAY("group %s owes something and does not know it", group->key);
        }
    }
    alerts_destroy(alerts);
    outbox_destroy(outbox);
    (void)sqlite3_exec(tx->db, "ROLLBACK TO again; RELEASE again", NULL, NULL, NULL);
}

static inline int step_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct step *step = arg;
    const struct group *group;
    size_t pos = 0;

    *step = (struct step){.deep = step->deep};
    note_moves(kit, tx);
    check_counts(kit, tx, step);
    check_items(kit, tx, step);
    if (step->deep && !*step->text) {
        check_reload(kit, tx, step);
    }
    step->alerts_next = alerts_next(kit->alerts);
    step->outbox_next = outbox_next(kit->outbox);
    while ((group = map_next(&kit->alerts->groups, &pos))) {
        step->groups_pending = step->groups_pending || group->pending;
    }
    return 0;
}

static inline struct step step_look(struct world *world, bool deep)
{
    struct step step = {.deep = deep};

    assert_int_equal(kit_do(world->kit, step_job, &step), 0);
    if (*step.text) {
        fail_msg("%s", step.text);
    }
    return step;
}

struct firing {
    bool seen[WORLD_NAMES];
    char keys[WORLD_NAMES][64];
    bool wrong;
};

static inline bool note_firing(void *arg, const struct alerts_view *view)
{
    struct firing *firing = arg;
    int name = atoi(labels_get(view->labels, view->nlabels, "alertname") + 1);

    if (view->firing) {
        firing->wrong = firing->wrong || firing->seen[name];
        firing->seen[name] = true;
        (void)snprintf(firing->keys[name], sizeof firing->keys[name], "%s", view->key);
    }
    return true;
}

static inline int firing_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    *(struct firing *)arg = (struct firing){0};
    alerts_visit(kit->alerts, note_firing, arg, kit->now);
    return 0;
}

static inline struct firing check_firing(struct world *world)
{
    struct firing firing;

    assert_int_equal(kit_do(world->kit, firing_job, &firing), 0);
    assert_false(firing.wrong);
    for (int i = 0; i < WORLD_NAMES; i++) {
        if (firing.seen[i] != world->names[i].firing) {
            fail_msg("N%d %s, but it is said that it %s", i,
                     world->names[i].firing ? "fires" : "does not fire",
                     firing.seen[i] ? "does" : "does not");
        }
    }
    return firing;
}

/* Nothing asks to be run now for ever. */
static inline void check_rest(struct world *world)
{
    for (int i = 0; i < 100; i++) {
        struct step step = step_look(world, false);

        if (step.alerts_next > world->kit->now.mono_ms &&
            step.outbox_next > world->kit->now.mono_ms) {
            return;
        }
        assert_int_equal(kit_do(world->kit, NULL, NULL), 0);
        look(world);
    }
    fail_msg("it wants to be run again and again");
}

/* ---- what may happen ---- */

/* After a reload running ends count anew. */
static inline void world_ends(struct world *world, int64_t from_ms)
{
    for (int i = 0; i < WORLD_NAMES; i++) {
        if (world->names[i].ttl_ms > 0) {
            world->names[i].ends_ms = from_ms + world->names[i].ttl_ms;
        }
    }
    world->failures = world->kit->failures;
}

/* Also when a commit had failed. */
static inline void world_note_failure(struct world *world)
{
    if (world->failures != world->kit->failures) {
        world_ends(world, world->kit->failed_ms);
    }
}

static inline void world_pass(struct world *world, int64_t ms)
{
    struct kit *kit = world->kit;

    TRACE("%lld ms pass", (long long)ms);
    kit_pass(kit, ms);
    world_note_failure(world);
    for (int i = 0; i < WORLD_NAMES; i++) {
        if (world->names[i].firing && world->names[i].ends_ms > 0 &&
            world->names[i].ends_ms <= kit->now.mono_ms) {
            world->names[i].firing = false;
        }
    }
    look(world);
}

static inline void world_put(struct world *world, int name, bool resolved, int64_t ttl_ms)
{
    char text[16];
    struct kit_put put = {.name = text,
                          .severity = world_severities[name % 3],
                          .resolved = resolved,
                          .ttl_ms = ttl_ms};

    (void)snprintf(text, sizeof text, "N%d", name);
    TRACE("%s%s ttl %lld", resolved ? "-" : "+", text, (long long)ttl_ms);
    assert_int_equal(kit_do(world->kit, kit_put_job, &put), 0);
    world_note_failure(world);
    if (world->crashes != world->kit->crashes) {
        /* it may have been done already, and the answer was lost */
    } else if (resolved) {
        assert_int_equal(put.verdict,
                         world->names[name].firing ? ALERTS_RESOLVED : ALERTS_NOT_FIRING);
    } else {
        assert_int_equal(put.verdict, world->names[name].firing ? ALERTS_UNCHANGED : ALERTS_FIRING);
    }
    if (!resolved) {
        world->names[name].ttl_ms = ttl_ms;
        world->names[name].ends_ms = ttl_ms ? world->kit->now.mono_ms + ttl_ms : 0;
    }
    world->names[name].firing = !resolved;
    look(world);
}

struct many {
    size_t n;
    struct kit_put puts[6];
    char names[6][16];
};

static inline int many_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct many *many = arg;
    int r = 0;

    for (size_t i = 0; i < many->n && r == 0; i++) {
        r = kit_put_job(kit, tx, &many->puts[i]);
    }
    return r;
}

/* Several at once, in one transaction; some fire and resolve in it. */
static inline void world_put_many(struct world *world)
{
    struct many many = {.n = 2 + draw(world, 5)};
    int names[6];

    for (size_t i = 0; i < many.n; i++) {
        names[i] = (int)draw(world, WORLD_NAMES);
        (void)snprintf(many.names[i], sizeof many.names[i], "N%d", names[i]);
        many.puts[i] = (struct kit_put){.name = many.names[i],
                                        .severity = world_severities[names[i] % 3],
                                        .resolved = chance(world, 50)};
        TRACE("%s%s, together", many.puts[i].resolved ? "-" : "+", many.names[i]);
    }
    assert_int_equal(kit_do(world->kit, many_job, &many), 0);
    world_note_failure(world);
    for (size_t i = 0; i < many.n; i++) {
        world->names[names[i]].firing = !many.puts[i].resolved;
        if (!many.puts[i].resolved) {
            world->names[names[i]].ttl_ms = world->names[names[i]].ends_ms = 0;
        }
    }
    look(world);
}

static inline void world_crash(struct world *world)
{
    TRACE("crash");
    world_lose_flights(world);
    kit_restart(world->kit);
    world_ends(world, world->kit->now.mono_ms);
    look(world);
}

static inline void world_configure(struct world *world)
{
    TRACE("configured: to %x, %zu children, live %d%d%d%d, by %d, repeat %lld, wait %lld interval "
          "%lld",
          world->config.to, world->config.nchildren, world->config.live[0], world->config.live[1],
          world->config.live[2], world->config.live[3], world->config.group_by,
          (long long)world->config.repeat_ms, (long long)world->config.wait_ms,
          (long long)world->config.interval_ms);
    for (int i = 0; i < WORLD_SINKS; i++) {
        TRACE("  %s: one alert %d, failover %s, budget %u", world_sinks[i],
              world->config.one_alert[i],
              world->config.failover[i] < 0 ? "none" : world_sinks[world->config.failover[i]],
              world->config.budget[i]);
    }
    apply_config(world);
    assert_int_equal(kit_do(world->kit, kit_configure, NULL), 0);
    look(world);
}

struct ack_step {
    char key[64];
    bool back;
};

static inline int ack_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    const struct alerts_ack ack = {"ada", ""};
    const struct ack_step *step = arg;

    return alerts_ack(kit->alerts, step->key, step->back ? NULL : &ack, kit->now);
}

/* Somebody sees to an alert, or does no longer. */
static inline void world_ack(struct world *world)
{
    struct firing firing = check_firing(world);
    int name = (int)draw(world, WORLD_NAMES);
    struct ack_step step = {.back = chance(world, 25)};
    struct ack_seen seen = {.since_ms = step.back ? 0 : world->kit->now.real_ms};
    size_t i = 0;
    int r;

    if (!firing.seen[name]) {
        return;
    }
    (void)snprintf(step.key, sizeof step.key, "%s", firing.keys[name]);
    TRACE("%s of N%d", step.back ? "unack" : "ack", name);
    r = kit_do(world->kit, ack_job, &step);
    world_note_failure(world);
    if (r < 0) {
        /* what fires is there; it may have ended while a commit failed */
        assert_true(r == -ENOENT || r == -ESTALE);
        return;
    }
    seen.episode = episode_of(step.key);
    while (i < world->nacks && world->acks[i].episode != seen.episode) {
        i++;
    }
    if (i == world->nacks) {
        world->acks = realloc(world->acks, ++world->nacks * sizeof *world->acks);
    }
    world->acks[i] = seen;
    look(world);
}

struct pick {
    int state; /* of enum outbox_state */
    size_t skip, left;
    int64_t id;
};

static inline bool pick_row(void *arg, const struct outbox_row *row)
{
    struct pick *pick = arg;

    pick->id = row->id;
    return pick->left-- > 0;
}

static inline int pick_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct pick *pick = arg;
    const struct outbox_filter filter = {.state = pick->state};

    pick->left = pick->skip;
    return outbox_list(kit->outbox, tx, &filter, pick_row, pick);
}

static inline int retry_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_retry(kit->outbox, tx, *(int64_t *)arg, kit->now);
}

static inline int drop_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_drop(kit->outbox, tx, *(int64_t *)arg, kit->now);
}

static inline void world_operate(struct world *world)
{
    struct pick pick = {.state = (int)draw(world, OUTBOX_STATES), .skip = draw(world, 6)};
    bool drops = chance(world, 50), under_way = false;
    struct peek peek;
    int r;

    assert_int_equal(kit_do(world->kit, pick_job, &pick), 0);
    if (pick.id == 0) {
        return;
    }
    for (size_t i = 0; i < world->nflights; i++) {
        under_way = under_way || world->flights[i].id == pick.id;
    }
    peek = peek_at(world, pick.id);
    r = kit_do(world->kit, drops ? drop_job : retry_job, &pick.id);
    TRACE("operator %s %lld, which is %s: %d", drops ? "drops" : "retries", (long long)pick.id,
          outbox_state_name((enum outbox_state)peek.state), r);
    if (peek.state == OUTBOX_SENT || peek.state == OUTBOX_CANCELLED ||
        (drops && peek.state == OUTBOX_DROPPED)) {
        assert_int_equal(r, -EINVAL);
    } else if (drops && under_way) {
        assert_int_equal(r, -EBUSY);
    } else {
        assert_int_equal(r, 0);
        for (size_t i = 0; i < peek.nitems; i++) {
            if (drops && peek.items[i].firing) {
                world->drops = realloc(world->drops, (world->ndrops + 1) * sizeof *world->drops);
                world->drops[world->ndrops++] =
                    (struct move_seen){world_sink(peek.sink), -1, peek.items[i].episode};
            }
            for (size_t j = 0; j < world->nheard; j++) {
                struct heard *heard = &world->heard[j];

                if (heard->sink != world_sink(peek.sink) ||
                    episode_of(heard->key) != peek.items[i].episode) {
                    continue;
                }
                if (!drops && peek.state != OUTBOX_PENDING) {
                    heard->touched = world->revived = true;
                    if (peek.items[i].firing) {
                        heard->lost = false;
                    } else {
                        heard->resolve_lost = false;
                    }
                } else if (drops && peek.items[i].news) {
                    heard->lost = heard->lost || peek.items[i].firing;
                    heard->resolve_lost = heard->resolve_lost || !peek.items[i].firing;
                }
            }
        }
    }
    free(peek.items);
    look(world);
}

/* ---- what holds when everything was said ---- */

static inline bool is_quiet(struct world *world, const struct step *step)
{
    return world->kit->n == 0 && step->pending == 0 && !step->groups_pending;
}

/* All sinks are well, and time passes until everything that is owed was said. */
static inline void world_settle(struct world *world)
{
    TRACE("settling");
    for (int i = 0; i < 5000; i++) {
        struct step step;
        int64_t next;

        while (world->kit->n > 0) {
            answer(world, 0, OUTBOX_DELIVERED, -1);
        }
        step = step_look(world, false);
        if (is_quiet(world, &step)) {
            return;
        }
        next = step.alerts_next < step.outbox_next ? step.alerts_next : step.outbox_next;
        if (next == INT64_MAX) {
            fail_msg("%llu wait, groups owe: %d, but nothing will ever happen",
                     (unsigned long long)step.pending, step.groups_pending);
        }
        world_pass(world, next > world->kit->now.mono_ms ? next - world->kit->now.mono_ms : 1);
    }
    fail_msg("it does not come to an end");
}

/* Whether the sink, or one that took over from it, was told of the episode's firing, or has an
 * excuse: nobody heard of it there before it was over. */
static inline bool was_told(struct world *world, int sink, const char *key, bool fires)
{
    for (size_t i = 0; i <= world->nmoves; i++) {
        const struct heard *heard = heard_find(world, sink, key);
        size_t next = i;

        if (heard && (heard->firing || heard->lost)) {
            return true;
        }
        for (size_t j = 0; j < world->ndrops; j++) {
            if (world->drops[j].from == sink && world->drops[j].episode == episode_of(key)) {
                return true;
            }
        }
        while (next < world->nmoves &&
               (world->moves[next].from != sink || world->moves[next].episode != episode_of(key))) {
            next++;
        }
        if (next == world->nmoves) {
            return i > 0 && !fires && (!heard || !heard->attempted);
        }
        sink = world->moves[next].to;
        i = next;
        if (!world->config.live[sink]) {
            return true; /* parked there */
        }
    }
    return false;
}

static inline void check_told(struct world *world)
{
    struct firing firing = check_firing(world);

    for (int i = 0; i < WORLD_NAMES; i++) {
        bool telling = world->names[i].firing && !is_held_back(world, i);
        unsigned sinks = telling ? sinks_of(world, i) : 0;

        for (int s = 0; s < WORLD_SINKS; s++) {
            if ((sinks & (1u << s)) && !was_told(world, s, firing.keys[i], true)) {
                fail_msg("%s was never told of N%d (%s)", world_sinks[s], i, firing.keys[i]);
            }
        }
    }
    for (size_t i = 0; i < world->nheard; i++) {
        const struct heard *heard = &world->heard[i];
        bool fires = false;

        for (int j = 0; j < WORLD_NAMES; j++) {
            fires = fires || (firing.seen[j] && strcmp(firing.keys[j], heard->key) == 0);
        }
        if (!world->config.live[heard->sink]) {
            continue; /* parked */
        }
        if (heard->attempted && !was_told(world, heard->sink, heard->key, fires)) {
            fail_msg("%s was tried, but never told of %s", world_sinks[heard->sink], heard->key);
        }
        if (heard->firing && !fires && !heard->resolved && !heard->resolve_lost) {
            fail_msg("%s was never told of the end of %s", world_sinks[heard->sink], heard->key);
        }
        if (fires && heard->resolved) {
            fail_msg("%s was told of the end of %s, which fires", world_sinks[heard->sink],
                     heard->key);
        }
    }
}

static inline int empty_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    static const char alert[] = "SELECT count(*) FROM alert";
    static const char group[] = "SELECT count(*) FROM alert_group";
    static const char pending[] = "SELECT count(*) FROM outbox WHERE state = 0";

    return one_number(tx, alert, NULL) == 0 && one_number(tx, group, NULL) == 0 &&
                   one_number(tx, pending, NULL) == 0 && kit->alerts->groups.used == 0 &&
                   kit->alerts->by_episode.used == 0 && kit->alerts->counts.groups == 0 &&
                   kit->alerts->counts.resolved == 0
               ? 0
               : -ENOTEMPTY;
}

/* Everything ends: nothing is left but a memory. */
static inline void world_end(struct world *world)
{
    struct world_config *config = &world->config;

    for (int i = 0; i < WORLD_SINKS; i++) {
        config->live[i] = true;
        config->failover[i] = -1;
        config->budget[i] = 0;
    }
    config->ninhibit = 0;
    world_configure(world);
    while (world->nsilences > 0) {
        world_expire(world);
    }
    for (int i = 0; i < WORLD_NAMES; i++) {
        world_put(world, i, true, 0);
    }
    world_settle(world);
    check_told(world);
    assert_int_equal(kit_do(world->kit, empty_job, NULL), 0);
}

/* On this file system of SQLite's; NULL: the usual one. */
static inline struct world *world_open(uint64_t seed, const char *vfs)
{
    struct world *world = calloc(1, sizeof *world);
    struct kit *kit = calloc(1, sizeof *kit);

    assert_non_null(world);
    assert_non_null(kit);
    the_world = world;
    world->kit = kit;
    world->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 4; i++) {
        (void)draw(world, 2);
    }
    world->trace = getenv("TMON_TRACE") != NULL;
    world->flights = calloc(KIT_ATTEMPTS, sizeof *world->flights);
    (void)snprintf(kit->directory, sizeof kit->directory, "/tmp/tmon-outbox-XXXXXX");
    assert_non_null(mkdtemp(kit->directory));
    (void)pthread_mutex_init(&kit->lock, NULL);
    (void)pthread_cond_init(&kit->changed, NULL);
    kit->now = (struct alerts_time){1700000000000, 1000000};
    kit->make_routing = world_routing;
    kit->between = world_between;
    kit->vfs = vfs;
    kit->times = (struct outbox_times){.backoff_most_ms = 30000,
                                       .breaker_first_ms = 5000,
                                       .breaker_most_ms = 30000,
                                       .pause_ms = 60000,
                                       .failover_ms = 20000,
                                       .window = chance(world, 50) ? 1 + draw(world, 4) : 0};
    draw_config(world);
    apply_config(world);
    kit_begin(kit);
    return world;
}

static inline void world_close(struct world *world)
{
    kit_close(world->kit);
    free(world->flights);
    free(world->heard);
    free(world->moves);
    free(world->acks);
    free(world->drops);
    free(world);
}

#endif
