/*
 * world_hold.h: silences, inhibition and maintenance in the world, and the truth about them: who
 * may not be told of what.  Part of world.h.
 */
#ifndef TESTS_OUTBOX_WORLD_HOLD_H
#define TESTS_OUTBOX_WORLD_HOLD_H

/* Matchers, and the names that they fit. */
static const struct {
    const char *text;
    unsigned names;
} world_matchers[] = {
    {"severity=info", 011},     {"severity=warning", 022}, {"severity=~critical|warning", 066},
    {"alertname=N0", 001},      {"alertname=N5", 040},     {"alertname=~N[1-3]", 016},
    {"severity=~i.*|w.*", 033}, {"alertname=~N[45]", 060}, {"severity=~.+", 077},
};
#define WORLD_MATCHERS (sizeof world_matchers / sizeof world_matchers[0])

static inline void draw_inhibition(struct world *world)
{
    struct world_config *config = &world->config;

    config->ninhibit = chance(world, 50) ? 0 : 1 + draw(world, WORLD_RULES);
    for (size_t i = 0; i < config->ninhibit; i++) {
        config->inhibit[i].source = draw(world, WORLD_MATCHERS);
        config->inhibit[i].target = draw(world, WORLD_MATCHERS);
        config->inhibit[i].by_severity = chance(world, 40);
    }
}

static inline void add_inhibition(const struct world_config *config, struct routing *routing)
{
    for (size_t i = 0; i < config->ninhibit; i++) {
        kit_inhibit(routing, world_matchers[config->inhibit[i].source].text,
                    world_matchers[config->inhibit[i].target].text,
                    config->inhibit[i].by_severity ? "severity" : NULL);
    }
}

static inline struct world_window draw_window(struct world *world, bool inherits)
{
    struct world_window window = {
        .begin = (int)(world->kit->now.real_ms / 60000 % 1440 + draw(world, 12)) % 1440,
        .minutes = 1 + (int)draw(world, 15)};

    window.kind = chance(world, 30)               ? WINDOW_OWN
                  : inherits && chance(world, 70) ? WINDOW_INHERITED
                                                  : WINDOW_NONE;
    return window;
}

static inline void draw_windows(struct world *world)
{
    struct world_config *config = &world->config;

    config->window = draw_window(world, false);
    for (size_t i = 0; i < config->nchildren; i++) {
        config->children[i].window = draw_window(world, true);
    }
}

static inline void add_window(const struct world_window *window, struct route *route)
{
    int end = (window->begin + window->minutes) % 1440;
    char from[16], to[16];

    (void)snprintf(from, sizeof from, "%02d:%02d", window->begin / 60, window->begin % 60);
    (void)snprintf(to, sizeof to, "%02d:%02d", end / 60, end % 60);
    if (window->kind == WINDOW_OWN) {
        kit_window(route, from, to);
    } else {
        route->maintenance_set = window->kind == WINDOW_NONE;
    }
}

static inline void add_windows(const struct world_config *config, struct route *root)
{
    add_window(&config->window, root);
    for (size_t i = 0; i < config->nchildren; i++) {
        add_window(&config->children[i].window, &root->routes[i]);
    }
}

/* ---- the truth ---- */

static inline bool is_in_window(const struct world *world, const struct world_window *window)
{
    int64_t minute = world->kit->now.real_ms / 60000 % 1440;

    window = window->kind == WINDOW_INHERITED ? &world->config.window : window;
    return window->kind == WINDOW_OWN && (minute - window->begin + 1440) % 1440 < window->minutes;
}

static inline bool is_silenced(const struct world *world, int name)
{
    int64_t now = world->kit->now.real_ms;

    for (size_t i = 0; i < world->nsilences; i++) {
        const struct world_silence *silence = &world->silences[i];

        if ((world_matchers[silence->matcher].names & (1u << name)) && silence->starts_ms <= now &&
            now < silence->ends_ms) {
            return true;
        }
    }
    return false;
}

static inline bool is_inhibited(const struct world *world, int name)
{
    for (size_t i = 0; i < world->config.ninhibit; i++) {
        unsigned sources = world_matchers[world->config.inhibit[i].source].names;
        unsigned targets = world_matchers[world->config.inhibit[i].target].names;
        bool both = (sources & targets) & (1u << name);

        for (int other = 0; other < WORLD_NAMES && (targets & (1u << name)); other++) {
            if (world->names[other].firing && (sources & (1u << other)) &&
                !(both && (targets & (1u << other))) &&
                (!world->config.inhibit[i].by_severity || other % 3 == name % 3)) {
                return true;
            }
        }
    }
    return false;
}

static inline bool is_held_back(const struct world *world, int name)
{
    return is_silenced(world, name) || is_inhibited(world, name);
}

/* ---- what may happen ---- */

static inline void world_silence(struct world *world)
{
    static const int64_t starts[] = {0, 0, 0, 5000, 60000};
    static const int64_t times[] = {1, 1000, 10000, 60000, 400000, 90000000};
    bool change = world->nsilences > 0 && chance(world, 40);
    size_t at = change ? draw(world, (uint32_t)world->nsilences) : world->nsilences;
    struct world_silence *silence = &world->silences[at];
    struct kit_silence wanted = {.id = change ? silence->id : NULL,
                                 .starts_ms = starts[draw(world, 5)],
                                 .for_ms = times[draw(world, 6)]};
    struct world_silence made = {
        .matcher = change && chance(world, 60) ? silence->matcher : draw(world, WORLD_MATCHERS)};
    int64_t now = world->kit->now.real_ms;

    if (at == WORLD_SILENCES) {
        return;
    }
    wanted.matcher = world_matchers[made.matcher].text;
    if (change && wanted.starts_ms == 0 && silence->starts_ms > now &&
        now + wanted.for_ms <= silence->starts_ms) {
        assert_int_equal(kit_do(world->kit, kit_silence_job, &wanted), -EINVAL);
        return;
    }
    assert_int_equal(kit_do(world->kit, kit_silence_job, &wanted), 0);
    memcpy(made.id, wanted.ret_id, sizeof made.id);
    made.starts_ms = now + wanted.starts_ms;
    made.ends_ms = made.starts_ms + wanted.for_ms;
    if (change && strcmp(made.id, silence->id) == 0 &&
        (wanted.starts_ms == 0 || silence->starts_ms <= now)) {
        made.starts_ms = silence->starts_ms; /* changed in place */
    }
    TRACE("silence %.8s, was %.8s: %s in %lld for %lld ms", made.id, change ? silence->id : "none",
          wanted.matcher, (long long)(made.starts_ms - now),
          (long long)(made.ends_ms - made.starts_ms));
    *silence = made;
    world->nsilences += !change;
    look(world);
}

static inline void world_expire(struct world *world)
{
    struct world_silence *silence;
    int64_t now = world->kit->now.real_ms;
    int r;

    if (world->nsilences == 0) {
        return;
    }
    silence = &world->silences[draw(world, (uint32_t)world->nsilences)];
    r = kit_expire(world->kit, silence->id);
    TRACE("silence %.8s is to end: %d", silence->id, r);
    assert_int_equal(r, silence->ends_ms <= now ? -EALREADY : 0);
    *silence = world->silences[--world->nsilences];
    look(world);
}

#endif
