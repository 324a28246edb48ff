/*
 * world_act.h: what may happen: alerts, time, crashes, configurations, people.  Part of world.h.
 */
#ifndef TESTS_OUTBOX_WORLD_ACT_H
#define TESTS_OUTBOX_WORLD_ACT_H

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

    return alerts_ack(kit->alerts, tx, step->key, step->back ? NULL : &ack, kit->now);
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

#endif
