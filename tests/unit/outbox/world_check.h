/*
 * world_check.h: what holds at every step: counts, rows, and what a second agent reads from the
 * file.  Part of world.h.
 */
#ifndef TESTS_OUTBOX_WORLD_CHECK_H
#define TESTS_OUTBOX_WORLD_CHECK_H

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

/* A group that owes something finds out at its next flush to whom it speaks, one in a window at its
 * end, and one that is held back when that ends; one whose sink hears of a dead letter after all
 * does at its next flush.  A reload does at once. */
static inline bool finds_out_later(const struct alerts *real, const struct group *group)
{
    bool later = group->pending || group->held || the_world->revived;

    for (size_t i = 0; i < group->nmembers && !later; i++) {
        struct alert *alert = group->members[i];

        later = alert->firing && alert_hold((struct alerts *)real, alert, group->route,
                                            the_world->kit->now) != HOLD_NONE;
    }
    return later;
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

            buf_printf(&buf, "mark %lld: %s %d%d %lld %llx %lld\n", (long long)alert->episode,
                       alerts->sinks[mark->sink], mark->fate, mark->ack_told, (long long)mark->id,
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
        for (size_t i = 0; other && !finds_out_later(real, other) && i < group->ntold; i++) {
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

#endif
