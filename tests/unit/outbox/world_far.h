/*
 * world_far.h: what was queued, what the far ends are given and answer, and what they know of it.
 * Part of world.h.
 */
#ifndef TESTS_OUTBOX_WORLD_FAR_H
#define TESTS_OUTBOX_WORLD_FAR_H

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

        if (alert && items[i].firing && !items[i].ack &&
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
        assert_int_equal(peek.items[i].ack, alert->acked_by != NULL);
        item->ack = alert->acked_by != NULL;
        if (peek.items[i].repeat && !item->ack && !heard->touched && !(peek.flags & ITEM_DIGEST) &&
            is_seen_to(world, episode_of(alert->key), peek.created_ms) &&
            strncmp(peek.reason, "taken over", 10) != 0) {
            fail_msg("%s is reminded of %s, which is acknowledged", attempt->sink, alert->name);
        }
        if (alert->firing && item->news && !item->ack && !heard->touched &&
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

        if (item->ack && !heard->firing && !heard->maybe && !heard->touched) {
            fail_msg("%s hears that somebody sees to %s, of which it never heard",
                     world_sinks[flight->sink], item->key);
        }
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

        if (items[i].ack) {
            continue; /* the firing and the end are told all the same */
        }
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

#endif
