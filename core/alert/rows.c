/*
 * rows.c: alerts and groups in the file, and read from it.
 *
 * A row is a number, an encoded body and a checksum, see table.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"
#include "alert/table.h"
#include "base/wire.h"
#include "model/labels.h"
#include "model/pairs.h"

#define ROW_VERSION 1
#define MARK_ACK_TOLD 128 /* beside the fate */
#define MARKS_MOST 4096   /* of one alert; there are LIMIT_OUTBOX_SINKS sinks */

enum {
    FLAG_FIRING = 1,
    FLAG_EXPIRED = 2,
    FLAG_PARTLY_TOLD = 4,
    FLAG_ACKED = 8,
    FLAG_END_SAID = 64,
    FLAG_MOVED = 128, /* starts_ms is not what its key was made of, which follows */
};

/* ---- writing ---- */

static void encode_alert(const struct alerts *alerts, const struct alert *alert, struct buf *buf)
{
    wire_put_u8(buf, ROW_VERSION);
    wire_put_u8(buf,
                (uint8_t)((alert->firing ? FLAG_FIRING : 0) | (alert->expired ? FLAG_EXPIRED : 0) |
                          (alert->partly_told ? FLAG_PARTLY_TOLD : 0) |
                          (alert->acked_ms != 0 ? FLAG_ACKED : 0) |
                          (alert->end_said ? FLAG_END_SAID : 0) |
                          (alert->born_ms != alert->starts_ms ? FLAG_MOVED : 0)));
    wire_put_u8(buf, alert->source);
    wire_put_i64(buf, alert->starts_ms);
    if (alert->born_ms != alert->starts_ms) {
        wire_put_i64(buf, alert->born_ms);
    }
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
        wire_put_u8(buf, (uint8_t)(mark->fate | (mark->ack_told ? MARK_ACK_TOLD : 0)));
        wire_put_i64(buf, mark->id);
        wire_put_i64(buf, mark->last);
        wire_put_u64(buf, mark->ordering);
        wire_put_i64(buf, mark->told.real_ms);
    }
    if (alert->acked_ms != 0) {
        wire_put_i64(buf, alert->acked_ms);
        wire_put_str(buf, alert->acked_by);
        wire_put_str(buf, alert->ack_comment);
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
        wire_put_i64(buf, group->told[i].at.real_ms);
    }
}

static const char delete_alert[] = "DELETE FROM alert WHERE id = ?1";
static const char delete_group[] = "DELETE FROM alert_group WHERE id = ?1";

void row_delete_alert(struct state_tx *tx, int64_t episode)
{
    table_delete(tx, delete_alert, episode);
}

void row_delete_group(struct state_tx *tx, int64_t row)
{
    table_delete(tx, delete_group, row);
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
    table_delete(tx, update, alerts->last_episode);
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
    table_write(tx, alert->saved ? update : insert, alert->episode, NULL, &alerts->scratch);
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
    table_write(tx, replace, group->row, NULL, &alerts->scratch);
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
    silences_save(alerts, tx);
    flaps_save(alerts, tx);
}

/* ---- reading ---- */

struct alerts_time time_of(int64_t real_ms, struct alerts_time now)
{
    int64_t ago = now.real_ms - real_ms;

    return (struct alerts_time){real_ms, now.mono_ms - (ago > 0 ? ago : 0)};
}

/* All of these: 0; -EPROTO: it is no such thing; -ENOMEM. */
static int decode_marks(const struct load *load, struct wire_reader *reader, struct alert *alert)
{
    uint32_t n = wire_get_count(reader, MARKS_MOST, 5 + 1 + 4 * 8);

    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        struct mark mark = {0};
        const char *name = wire_get_str(reader, LIMIT_NAME_BYTES);
        long sink;

        mark.fate = wire_get_u8(reader);
        mark.ack_told = mark.fate & MARK_ACK_TOLD;
        mark.fate &= (uint8_t)~MARK_ACK_TOLD;
        mark.id = wire_get_i64(reader);
        mark.last = wire_get_i64(reader);
        mark.ordering = wire_get_u64(reader);
        mark.told = time_of(wire_get_i64(reader), load->now);
        if (reader->bad || mark.fate > FATE_MOVED) {
            return -EPROTO;
        }
        sink = sink_index(load->alerts, name);
        mark.sink = (uint32_t)sink;
        if (sink == -ENOMEM || (sink >= 0 && mark_add(alert, &mark) < 0)) {
            return -ENOMEM;
        }
    }
    return reader->bad ? -EPROTO : 0;
}

static int decode_texts(struct wire_reader *reader, struct alert *alert)
{
    const char *url = wire_get_str(reader, LIMIT_HTTP_URL_BYTES);
    size_t nlabels = 0, nannotations = 0;
    struct tmon_pair *labels = pairs_decode(reader, LIMIT_PAIRS, LIMIT_LABEL_VALUE_BYTES, &nlabels);
    struct tmon_pair *annotations =
        pairs_decode(reader, LIMIT_PAIRS, LIMIT_ALERT_TEXT_BYTES, &nannotations);
    int r = reader->bad || nlabels == 0 ? -EPROTO : 0;

    alert->nlabels = (uint32_t)nlabels;
    alert->nannotations = (uint32_t)nannotations;
    if (r == 0 && (labels_copy(labels, nlabels, &alert->labels) < 0 ||
                   labels_copy(annotations, nannotations, &alert->annotations) < 0 ||
                   (*url && !(alert->generator_url = strdup(url))))) {
        r = -ENOMEM;
    }
    free(labels);
    free(annotations);
    return r;
}

static int decode_ack(struct wire_reader *reader, struct alert *alert)
{
    int64_t at_ms = wire_get_i64(reader);
    const char *by = wire_get_str(reader, LIMIT_ACK_BY_BYTES);
    const char *comment = wire_get_str(reader, LIMIT_ACK_COMMENT_BYTES);

    return reader->bad || at_ms == 0 ? -EPROTO : alert_set_ack(alert, by, comment, at_ms);
}

static int decode_alert(const struct load *load, struct wire_reader *reader, struct alert *alert)
{
    uint8_t version = wire_get_u8(reader), flags = wire_get_u8(reader);
    int r;

    if (version != ROW_VERSION) {
        return -EPROTO;
    }
    alert->firing = flags & FLAG_FIRING;
    alert->expired = flags & FLAG_EXPIRED;
    alert->partly_told = flags & FLAG_PARTLY_TOLD;
    alert->end_said = flags & FLAG_END_SAID;
    alert->source = wire_get_u8(reader);
    alert->starts_ms = wire_get_i64(reader);
    alert->born_ms = flags & FLAG_MOVED ? wire_get_i64(reader) : alert->starts_ms;
    alert->ends_ms = wire_get_i64(reader);
    alert->updated_ms = wire_get_i64(reader);
    alert->ttl_ms = wire_get_i64(reader);
    r = decode_texts(reader, alert);
    r = r < 0 ? r : decode_marks(load, reader, alert);
    r = r == 0 && (flags & FLAG_ACKED) ? decode_ack(reader, alert) : r;
    return r < 0 ? r : wire_done(reader) ? 0 : -EPROTO;
}

static int take_alert(const struct load *load, int64_t id, const char *uid,
                      struct wire_reader *reader)
{
    struct alert *alert = calloc(1, sizeof *alert);
    int r = alert ? decode_alert(load, reader, alert) : -ENOMEM;

    if (r == 0) {
        alert->episode = id;
        alert->saved = true;
        alert->fingerprint = labels_fingerprint(alert->labels, alert->nlabels);
        alert->severity = (uint8_t)alert_severity(alert->labels, alert->nlabels);
        alert_make_key(alert);
        r = alert_enter(load->alerts, alert);
    }
    if (r < 0) {
        alert_free(alert);
        return r;
    }
    alert_set_end(load->alerts, alert, load->now);
    return 0;
}

static int decode_told(const struct load *load, struct wire_reader *reader, struct group *group)
{
    uint32_t n = wire_get_count(reader, LIMIT_OUTBOX_SINKS, 5 + 8);

    group->told = calloc(n ? n : 1, sizeof *group->told);
    if (!group->told) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        const char *name = wire_get_str(reader, LIMIT_NAME_BYTES);
        int64_t real_ms = wire_get_i64(reader);
        long sink = reader->bad ? -EPROTO : sink_index(load->alerts, name);

        if (sink == -ENOMEM) {
            return -ENOMEM;
        }
        if (sink >= 0) {
            group->told[group->ntold++] =
                (struct told){.sink = (uint32_t)sink, .at = time_of(real_ms, load->now)};
        }
    }
    return wire_done(reader) ? 0 : -EPROTO;
}

static int take_group(const struct load *load, int64_t id, const char *uid,
                      struct wire_reader *reader)
{
    bool good = wire_get_u8(reader) == ROW_VERSION;
    const char *key = wire_get_str(reader, LIMIT_ALERT_BODY_BYTES);
    struct alerts_time created = time_of(wire_get_i64(reader), load->now);
    struct alerts_time flushed = time_of(wire_get_i64(reader), load->now);
    struct group *group;

    if (!good || reader->bad || map_get(&load->alerts->groups, key, strlen(key))) {
        return -EPROTO;
    }
    group = group_get(load->alerts, key, load->now);
    if (!group) {
        return -ENOMEM;
    }
    group->row = id;
    group->created_ms = created.real_ms;
    group->created_mono = created.mono_ms;
    group->flushed_ms = flushed.real_ms;
    group->flushed_mono = flushed.mono_ms;
    return decode_told(load, reader, group); /* one that is bad by then does no harm */
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
    inhibit_leave_all(alerts);
    while ((alert = map_next(&alerts->by_episode, &pos))) {
        alert_free(alert);
    }
    silences_finish(&alerts->silences);
    flaps_finish(&alerts->flaps);
    pos = 0;
    while ((group = map_next(&alerts->groups, &pos))) {
        group_free(group);
    }
    map_finish(&alerts->by_episode);
    map_finish(&alerts->by_identity);
    map_finish(&alerts->groups);
    map_finish(&alerts->inhibit.sets);
    heap_finish(&alerts->ends);
    heap_finish(&alerts->due);
    memset(alerts->counts.firing, 0, sizeof alerts->counts.firing);
    alerts->counts.acked = 0;
    alerts->counts.resolved = 0;
    alerts->counts.groups = 0;
}

int alerts_load(struct alerts *alerts, struct state_tx *tx, bool writable, struct alerts_time now)
{
    static const struct table of_alerts = {"alert", "SELECT id, body, sum FROM alert ORDER BY id",
                                           delete_alert, take_alert};
    static const struct table of_groups = {"alert_group",
                                           "SELECT id, body, sum FROM alert_group ORDER BY id",
                                           delete_group, take_group};
    const struct load load = {alerts, tx, writable, now};
    int64_t last_group = 0, last_alert = 0;
    int r;

    forget_all(alerts);
    r = table_load(&load, &of_alerts, &last_alert);
    if (r == 0) {
        r = table_load(&load, &of_groups, &last_group);
    }
    alerts->last_episode = last_alert > alerts->last_episode ? last_alert : alerts->last_episode;
    alerts->last_group = last_group;
    if (r == 0) {
        r = silences_load(&load);
    }
    if (r == 0) {
        r = flaps_load(&load);
    }
    if (r == 0) {
        r = load_sequence(alerts, tx);
    }
    while (alerts->dirty_groups) { /* group_get() marked them; they are as they are in the file */
        alerts->dirty_groups->dirty = false;
        alerts->dirty_groups = alerts->dirty_groups->next_dirty;
    }
    if (r == 0 && alerts->routing) {
        r = route_all(alerts, writable ? tx : NULL, now);
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
