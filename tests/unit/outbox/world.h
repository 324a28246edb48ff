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

#include "alert/hold.h"
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
    bool wants_acks[WORLD_SINKS];
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
    bool firing, news, ack;
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
        config->wants_acks[i] = config->one_alert[i] && chance(world, 70);
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
                .wants_acks = config->wants_acks[i],
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

#include "world_far.h"

#include "world_check.h"

#include "world_act.h"

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
