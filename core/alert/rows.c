/*
 * rows.c: alerts and groups in the file, and read from it.
 *
 * A row is a number, an encoded body and a checksum.  One that does not verify or decode is left
 * out and told; the others are not concerned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"
#include "base/wire.h"
#include "model/labels.h"
#include "model/pairs.h"

#define ROW_VERSION 1
#define MARKS_MOST 4096 /* of one alert; there are LIMIT_OUTBOX_SINKS sinks */

enum { FLAG_FIRING = 1, FLAG_EXPIRED = 2, FLAG_PARTLY_TOLD = 4 };

/* ---- writing ---- */

static void encode_alert(const struct alerts *alerts, const struct alert *alert, struct buf *buf)
{
    wire_put_u8(buf, ROW_VERSION);
    wire_put_u8(buf,
                (uint8_t)((alert->firing ? FLAG_FIRING : 0) | (alert->expired ? FLAG_EXPIRED : 0) |
                          (alert->partly_told ? FLAG_PARTLY_TOLD : 0)));
    wire_put_u8(buf, alert->source);
    wire_put_i64(buf, alert->starts_ms);
    wire_put_i64(buf, alert->ends_ms);
    wire_put_i64(buf, alert->updated_ms);
    wire_put_i64(buf, alert->ttl_ms);
    wire_put_str(buf, alert->generator_url);
    pairs_encode(buf, alert->labels, alert->nlabels);
    pairs_encode(buf, alert->annotations, alert->nannotations);
    wire_put_u32(buf, (uint32_t)alert->nmarks);
    for (size_t i = 0; i < alert->nmarks; i++) {
        const struct mark *mark = &alert->marks[i];

        wire_put_str(buf, alerts->sinks[mark->sink]);
        wire_put_u8(buf, mark->fate);
        wire_put_i64(buf, mark->id);
        wire_put_i64(buf, mark->last);
        wire_put_u64(buf, mark->ordering);
        wire_put_i64(buf, mark->told_ms);
    }
}

static void encode_group(const struct alerts *alerts, const struct group *group, struct buf *buf)
{
    wire_put_u8(buf, ROW_VERSION);
    wire_put_str(buf, group->key);
    wire_put_i64(buf, group->created_ms);
    wire_put_i64(buf, group->flushed_ms);
    wire_put_u32(buf, (uint32_t)group->ntold);
    for (size_t i = 0; i < group->ntold; i++) {
        wire_put_str(buf, alerts->sinks[group->told[i].sink]);
        wire_put_i64(buf, group->told[i].real_ms);
    }
}

static void write_row(struct state_tx *tx, const char *sql, int64_t id, struct buf *body)
{
    sqlite3_stmt *statement;

    if (body->failed) {
        tx->error = tx->error ? tx->error : -ENOMEM;
        return;
    }
    statement = state_prepare(tx, sql);
    if (!statement) {
        return;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    (void)sqlite3_bind_blob64(statement, 2, body->data, body->len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 3,
                             state_sum_bytes(state_sum_int(STATE_SUM, id), body->data, body->len));
    (void)state_step(tx, statement);
    (void)sqlite3_reset(statement);
}

static void delete_row(struct state_tx *tx, const char *sql, int64_t id)
{
    sqlite3_stmt *statement = state_prepare(tx, sql);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, id);
        (void)state_step(tx, statement);
        (void)sqlite3_reset(statement);
    }
}

static const char delete_alert[] = "DELETE FROM alert WHERE id = ?1";
static const char delete_group[] = "DELETE FROM alert_group WHERE id = ?1";

void row_delete_alert(struct state_tx *tx, int64_t episode)
{
    delete_row(tx, delete_alert, episode);
}

void row_delete_group(struct state_tx *tx, int64_t row)
{
    delete_row(tx, delete_group, row);
}

/* Numbers of episodes that never got a row are not used again either. */
static void save_sequence(struct alerts *alerts, struct state_tx *tx)
{
    static const char update[] = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'alert'";
    static const char insert[] = "INSERT INTO sqlite_sequence (name, seq) VALUES ('alert', ?1)";
    sqlite3_stmt *statement;

    if (alerts->last_episode == alerts->saved_episode) {
        return;
    }
    delete_row(tx, update, alerts->last_episode);
    if (tx->error == 0 && sqlite3_changes(tx->db) == 0) {
        statement = state_prepare(tx, insert);
        if (statement) {
            (void)sqlite3_bind_int64(statement, 1, alerts->last_episode);
            (void)state_step(tx, statement);
            (void)sqlite3_reset(statement);
        }
    }
    alerts->saved_episode = alerts->last_episode;
}

static void save_alert(struct alerts *alerts, struct state_tx *tx, struct alert *alert)
{
    static const char insert[] = "INSERT INTO alert (id, body, sum) VALUES (?1, ?2, ?3)";
    static const char update[] = "UPDATE alert SET body = ?2, sum = ?3 WHERE id = ?1";

    buf_clear(&alerts->scratch);
    encode_alert(alerts, alert, &alerts->scratch);
    write_row(tx, alert->saved ? update : insert, alert->episode, &alerts->scratch);
    if (!alert->saved && alert->episode > alerts->saved_episode) {
        alerts->saved_episode = alert->episode;
    }
    alert->saved = true;
}

static void save_group(struct alerts *alerts, struct state_tx *tx, struct group *group)
{
    static const char replace[] =
        "INSERT OR REPLACE INTO alert_group (id, body, sum) VALUES (?1, ?2, ?3)";

    if (group->row == 0) {
        group->row = ++alerts->last_group;
    }
    buf_clear(&alerts->scratch);
    encode_group(alerts, group, &alerts->scratch);
    write_row(tx, replace, group->row, &alerts->scratch);
}

/* Oldest first, so that rows are appended: the list is the newest first. */
static struct alert *reverse(struct alert *list)
{
    struct alert *reversed = NULL;

    while (list) {
        struct alert *next = list->next_dirty;

        list->next_dirty = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

void alerts_save(struct alerts *alerts, struct state_tx *tx)
{
    struct alert *alert = reverse(alerts->dirty_alerts);
    struct group *group = alerts->dirty_groups;

    alerts->dirty_alerts = NULL;
    alerts->dirty_groups = NULL;
    while (alert) {
        struct alert *next = alert->next_dirty;

        alert->dirty = false;
        if (alert->gone) {
            alert_free(alert);
        } else {
            save_alert(alerts, tx, alert);
        }
        alert = next;
    }
    while (group) {
        struct group *next = group->next_dirty;

        group->dirty = false;
        if (group->gone) {
            group_free(group);
        } else {
            save_group(alerts, tx, group);
        }
        group = next;
    }
    save_sequence(alerts, tx);
}

/* ---- reading ---- */

static bool decode_marks(struct alerts *alerts, struct wire_reader *reader, struct alert *alert)
{
    uint32_t n = wire_get_count(reader, MARKS_MOST, 5 + 1 + 4 * 8);

    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        struct mark mark = {0};
        long sink = sink_index(alerts, wire_get_str(reader, LIMIT_NAME_BYTES));

        mark.sink = (uint32_t)sink;
        mark.fate = wire_get_u8(reader);
        mark.id = wire_get_i64(reader);
        mark.last = wire_get_i64(reader);
        mark.ordering = wire_get_u64(reader);
        mark.told_ms = wire_get_i64(reader);
        if (sink < 0 || mark.fate > FATE_MOVED || mark_add(alert, &mark) < 0) {
            return false;
        }
    }
    return !reader->bad;
}

static bool decode_alert(struct alerts *alerts, struct wire_reader *reader, struct alert *alert)
{
    struct tmon_pair *labels = NULL, *annotations = NULL;
    const char *url;
    uint8_t flags;
    bool good;

    if (wire_get_u8(reader) != ROW_VERSION) {
        return false;
    }
    flags = wire_get_u8(reader);
    alert->firing = flags & FLAG_FIRING;
    alert->expired = flags & FLAG_EXPIRED;
    alert->partly_told = flags & FLAG_PARTLY_TOLD;
    alert->source = wire_get_u8(reader);
    alert->starts_ms = wire_get_i64(reader);
    alert->ends_ms = wire_get_i64(reader);
    alert->updated_ms = wire_get_i64(reader);
    alert->ttl_ms = wire_get_i64(reader);
    url = wire_get_str(reader, LIMIT_HTTP_URL_BYTES);
    labels = pairs_decode(reader, LIMIT_PAIRS, LIMIT_LABEL_VALUE_BYTES, &alert->nlabels);
    annotations = pairs_decode(reader, LIMIT_PAIRS, LIMIT_ALERT_TEXT_BYTES, &alert->nannotations);
    good = !reader->bad && alert->nlabels > 0 &&
           labels_copy(labels, alert->nlabels, &alert->labels) == 0 &&
           labels_copy(annotations, alert->nannotations, &alert->annotations) == 0 &&
           (!*url || (alert->generator_url = strdup(url)));
    free(labels);
    free(annotations);
    return good && decode_marks(alerts, reader, alert) && wire_done(reader);
}

static bool take_alert(struct alerts *alerts, int64_t id, struct wire_reader *reader,
                       struct alerts_time now)
{
    struct alert *alert = calloc(1, sizeof *alert);

    if (!alert || !decode_alert(alerts, reader, alert)) {
        alert_free(alert);
        return false;
    }
    alert->episode = id;
    alert->saved = true;
    alert->fingerprint = labels_fingerprint(alert->labels, alert->nlabels);
    alert->severity = (uint8_t)alert_severity(alert->labels, alert->nlabels);
    alert_make_key(alert);
    if (alert_enter(alerts, alert) < 0) {
        alert_free(alert);
        return false;
    }
    alert_set_end(alerts, alert, now);
    return true;
}

/* How long ago by the wall clock, put on the clock that does not jump. */
static int64_t to_mono(int64_t real_ms, struct alerts_time now)
{
    int64_t ago = now.real_ms - real_ms;

    return now.mono_ms - (ago > 0 ? ago : 0);
}

static bool take_group(struct alerts *alerts, int64_t id, struct wire_reader *reader,
                       struct alerts_time now)
{
    bool good = wire_get_u8(reader) == ROW_VERSION;
    const char *key = wire_get_str(reader, LIMIT_ALERT_BODY_BYTES);
    int64_t created = wire_get_i64(reader), flushed = wire_get_i64(reader);
    uint32_t n = wire_get_count(reader, LIMIT_OUTBOX_SINKS, 5 + 8);
    struct group *group = good && !reader->bad ? group_get(alerts, key, now) : NULL;

    if (!group) {
        return false;
    }
    group->row = id;
    group->created_ms = created;
    group->flushed_ms = flushed;
    group->created_mono = to_mono(created, now);
    group->flushed_mono = to_mono(flushed, now);
    group->told = calloc(n ? n : 1, sizeof *group->told);
    for (uint32_t i = 0; group->told && i < n && !reader->bad; i++) {
        long sink = sink_index(alerts, wire_get_str(reader, LIMIT_NAME_BYTES));
        int64_t real_ms = wire_get_i64(reader);

        if (sink >= 0) {
            group->told[group->ntold++] = (struct told){(uint32_t)sink, real_ms};
        }
    }
    return wire_done(reader); /* one that is bad is of no use, and does no harm */
}

static int load_table(struct alerts *alerts, struct state_tx *tx, const char *select,
                      const char *delete, const char *table, bool writable,
                      bool (*take)(struct alerts *, int64_t, struct wire_reader *,
                                   struct alerts_time),
                      struct alerts_time now, int64_t *ret_last)
{
    sqlite3_stmt *statement = state_prepare(tx, select);
    int64_t *bad = NULL;
    size_t nbad = 0;
    int r;

    if (!statement) {
        return tx->error;
    }
    while ((r = state_step(tx, statement)) == 1) {
        int64_t id = sqlite3_column_int64(statement, 0);
        const void *body = sqlite3_column_blob(statement, 1);
        size_t len = (size_t)sqlite3_column_bytes(statement, 1);
        uint32_t sum = (uint32_t)sqlite3_column_int64(statement, 2);
        struct wire_reader reader;

        wire_reader_init(&reader, body, body ? len : 0);
        *ret_last = id > *ret_last ? id : *ret_last;
        if (sum != state_sum_bytes(state_sum_int(STATE_SUM, id), body, len) ||
            !take(alerts, id, &reader, now)) {
            int64_t *more = realloc(bad, (nbad + 1) * sizeof *bad);

            if (more) {
                bad = more;
                bad[nbad++] = id;
            }
        }
    }
    (void)sqlite3_reset(statement);
    for (size_t i = 0; writable && r == 0 && i < nbad; i++) {
        delete_row(tx, delete, bad[i]);
    }
    if (nbad > 0) {
        state_lost(tx->state, table, nbad);
    }
    free(bad);
    return r < 0 ? r : tx->error;
}

static int load_sequence(struct alerts *alerts, struct state_tx *tx)
{
    static const char select[] = "SELECT seq FROM sqlite_sequence WHERE name = 'alert'";
    sqlite3_stmt *statement = state_prepare(tx, select);
    int r = statement ? state_step(tx, statement) : tx->error;

    if (r == 1 && sqlite3_column_int64(statement, 0) > alerts->last_episode) {
        alerts->last_episode = sqlite3_column_int64(statement, 0);
    }
    if (statement) {
        (void)sqlite3_reset(statement);
    }
    alerts->saved_episode = alerts->last_episode;
    return r < 0 ? r : 0;
}

/* Everything that is in memory, except the routing. */
static void forget_all(struct alerts *alerts)
{
    struct alert *alert;
    struct group *group;
    size_t pos = 0;

    while (alerts->dirty_alerts) {
        alert = alerts->dirty_alerts;
        alerts->dirty_alerts = alert->next_dirty;
        if (alert->gone) {
            alert_free(alert);
        }
    }
    while (alerts->dirty_groups) {
        group = alerts->dirty_groups;
        alerts->dirty_groups = group->next_dirty;
        if (group->gone) {
            group_free(group);
        }
    }
    while ((alert = map_next(&alerts->by_episode, &pos))) {
        alert_free(alert);
    }
    pos = 0;
    while ((group = map_next(&alerts->groups, &pos))) {
        group_free(group);
    }
    map_finish(&alerts->by_episode);
    map_finish(&alerts->by_identity);
    map_finish(&alerts->groups);
    heap_finish(&alerts->ends);
    heap_finish(&alerts->due);
    memset(alerts->counts.firing, 0, sizeof alerts->counts.firing);
    alerts->counts.resolved = 0;
    alerts->counts.groups = 0;
}

int alerts_load(struct alerts *alerts, struct state_tx *tx, bool writable, struct alerts_time now)
{
    static const char select_alerts[] = "SELECT id, body, sum FROM alert ORDER BY id";
    static const char select_groups[] = "SELECT id, body, sum FROM alert_group ORDER BY id";
    int64_t last_group = 0, last_alert = 0;
    int r;

    forget_all(alerts);
    r = load_table(alerts, tx, select_alerts, delete_alert, "alert", writable, take_alert, now,
                   &last_alert);
    if (r == 0) {
        r = load_table(alerts, tx, select_groups, delete_group, "alert_group", writable, take_group,
                       now, &last_group);
    }
    alerts->last_episode = last_alert > alerts->last_episode ? last_alert : alerts->last_episode;
    alerts->last_group = last_group;
    if (r == 0) {
        r = load_sequence(alerts, tx);
    }
    while (alerts->dirty_groups) { /* group_get() marked them; they are as they are in the file */
        alerts->dirty_groups->dirty = false;
        alerts->dirty_groups = alerts->dirty_groups->next_dirty;
    }
    if (r == 0 && alerts->routing) {
        r = route_all(alerts, tx, now);
    }
    return r;
}

void alerts_destroy(struct alerts *alerts)
{
    if (!alerts) {
        return;
    }
    forget_all(alerts);
    routing_destroy(alerts->routing);
    free(alerts->routed);
    for (size_t i = 0; i < alerts->nsinks; i++) {
        free(alerts->sinks[i]);
    }
    free(alerts->sinks);
    buf_finish(&alerts->scratch);
    free(alerts);
}
