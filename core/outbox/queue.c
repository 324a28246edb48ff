/*
 * queue.c: notices come in and become rows; attempts are started.
 *
 * A row whose sink is idle is inserted with its first attempt counted already: so the common case
 * writes it twice, once when it is accepted and once when it is delivered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "outbox/private.h"

#define NO_MEMORY_MS 1000 /* then it is tried again */

/* ---- attempts ---- */

static bool may_start(const struct outbox *outbox, const struct sink *sink, struct alerts_time now)
{
    if (outbox->held || !sink->configured || now.mono_ms < sink->not_before ||
        now.mono_ms < sink->asked_until) {
        return false;
    }
    return sink->under_way < (sink->probing ? 1 : sink->concurrency);
}

/* Copies what delivery needs; handed out when the batch is durable. */
static int start(struct outbox *outbox, struct item *item)
{
    size_t offset = content_offset(item->body, item->len), len = item->len - offset;
    struct outbox_attempt *attempt = malloc(sizeof *attempt + len);
    uint32_t number = item->attempts + 1;
    struct row row;

    row_of(item, &row);
    if (!attempt || ticket_issue(outbox, item) < 0) {
        free(attempt);
        return -ENOMEM;
    }
    *attempt = (struct outbox_attempt){.id = item->id,
                                       .attempt = number,
                                       .ordering = item->ordering,
                                       .created_ms = row_since(&row),
                                       .len = len};
    utf8_copy(attempt->sink, sizeof attempt->sink, item->sink->name);
    memcpy(attempt->body, (const char *)item->body + offset, len);
    for (int i = 0; i < 4; i++) { /* the encoding begins with it, see notification_encode() */
        attempt->body[i] = (uint8_t)(number >> (8 * i));
    }
    *outbox->started_end = attempt;
    outbox->started_end = &attempt->next;
    item->attempts = number;
    if (item->flags & ITEM_TRYING) {
        item->flags |= ITEM_HEARD; /* a crash took the attempt before this one */
    }
    item->flags |= ITEM_TRYING;
    item->under_way = true;
    item->sink->under_way++;
    heap_remove(&item->sink->ready, &item->ready);
    return 0;
}

void sink_pump(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
               struct alerts_time now)
{
    for (;;) {
        struct item *item;
        int64_t at;
        struct row row;

        if (!may_start(outbox, sink, now)) {
            return;
        }
        window_fill(outbox, tx, sink, now);
        item = item_first(sink, &at);
        if (!item || at > now.mono_ms) {
            return;
        }
        if (digest_is(sink, item->id)) {
            digest_save(outbox, tx, sink, true, now); /* from now on it says what it says */
            continue;
        }
        if (start(outbox, item) < 0) {
            (void)item_due(item, now.mono_ms + NO_MEMORY_MS);
            return;
        }
        row_of(item, &row);
        row_update(tx, &row, false);
    }
}

void outbox_committed(struct outbox *outbox)
{
    struct outbox_attempt *attempt = outbox->started;

    outbox->started = NULL;
    outbox->started_end = &outbox->started;
    tickets_committed(outbox);
    while (attempt) {
        struct outbox_attempt *next = attempt->next;

        attempt->next = NULL;
        outbox->hooks.attempt(outbox->hooks.owner, attempt);
        attempt = next;
    }
}

/* ---- notices ---- */

void make_uid(struct outbox *outbox, char ret_uid[static UID_SIZE])
{
    memcpy(ret_uid, outbox->prefix, PREFIX_LEN);
    *hex_put(ret_uid + PREFIX_LEN, (uint64_t)outbox->last_id + 1, 12) = '\0';
}

int queue_has_pending(struct state_tx *tx, const struct sink *sink, uint64_t ordering)
{
    static const char sql[] =
        "SELECT 1 FROM outbox WHERE sink = ?1 AND ordering = ?2 AND state = 0 LIMIT 1";
    sqlite3_stmt *statement;
    int r;

    if (item_of_ordering(sink, ordering)) {
        return 1;
    }
    if (!sink->more) {
        return 0;
    }
    statement = state_prepare(tx, sql);
    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)ordering);
    r = state_step(tx, statement);
    (void)sqlite3_reset(statement);
    return r;
}

bool queue_wants_acks(void *owner, const char *name)
{
    const struct sink *sink = sink_find(owner, name);

    return sink && sink->configured && sink->wants_acks;
}

int queue_waits(void *owner, struct state_tx *tx, const char *name, int64_t id)
{
    const struct sink *sink = sink_find(owner, name);
    int r = sink && sink->pending > 0 ? outbox_fate(owner, tx, name, id) : OUTBOX_FATE_DELIVERED;

    return r < 0 ? r : r == OUTBOX_FATE_QUEUED || r == OUTBOX_FATE_FAILING;
}

/* Of what is not in memory; what is not in the file any more was delivered long ago. */
static int fate_in_file(struct state_tx *tx, int64_t id)
{
    static const char sql[] = "SELECT state, attempts, reason != '' FROM outbox WHERE id = ?1";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int r;

    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    r = state_step(tx, statement);
    if (r == 1) {
        int state = sqlite3_column_int(statement, 0);
        bool tried = sqlite3_column_int64(statement, 1) > 0 || sqlite3_column_int(statement, 2);

        r = state == OUTBOX_SENT      ? OUTBOX_FATE_DELIVERED
            : state != OUTBOX_PENDING ? OUTBOX_FATE_FAILED
            : tried                   ? OUTBOX_FATE_FAILING
                                      : OUTBOX_FATE_QUEUED;
    } else if (r == 0) {
        r = OUTBOX_FATE_DELIVERED;
    }
    (void)sqlite3_reset(statement);
    return r;
}

int outbox_fate(struct outbox *outbox, struct state_tx *tx, const char *name, int64_t id)
{
    const struct sink *sink = sink_find(outbox, name);
    const struct item *item = sink ? item_find(sink, id) : NULL;

    if (item) {
        /* The first attempt, while it is under way, has not failed. */
        bool tried = item->attempts > (item->under_way ? 1 : 0) || item->reason;

        return tried ? OUTBOX_FATE_FAILING : OUTBOX_FATE_QUEUED;
    }
    if (sink && sink->pending == 0 && sink->dead == 0) {
        return OUTBOX_FATE_DELIVERED; /* or dropped by an operator, which its mark knows */
    }
    return fate_in_file(tx, id);
}

int queue_insert(struct outbox *outbox, struct state_tx *tx, struct sink *sink, struct row *row,
                 struct alerts_time now)
{
    int behind = queue_has_pending(tx, sink, row->ordering);
    struct item *item = item_of_ordering(sink, row->ordering);

    if (behind < 0) {
        return behind;
    }
    if (item) {
        item->followers = true;
    }
    row->head = behind == 0;
    row->body_sum = row_body_sum(row->body, row->len);
    row->id = outbox->last_id + 1;
    /* While others wait in the file it goes there too, and is read in its turn. */
    item = row->head && !sink->more ? item_add(sink, row, now) : NULL;
    if (item) {
        item->followers = false;
        if (row->next_ms <= now.real_ms && !(row->flags & ITEM_DIGEST) &&
            may_start(outbox, sink, now) && start(outbox, item) == 0) {
            row->attempts = item->attempts;
            row->flags = item->flags;
        }
    }
    row_insert(outbox, tx, row);
    sink->pending++;
    return tx->error;
}

int queue_notify(void *owner, struct state_tx *tx, const struct alerts_notice *notice,
                 struct alerts_time now, int64_t *ret_id, uint64_t *ret_ordering)
{
    struct outbox *outbox = owner;
    struct sink *sink = sink_get(outbox, notice->sink);
    struct row row = {.ordering = notice->ordering, .created_ms = now.real_ms, .reason = ""};
    struct buf *title = &outbox->other;
    char uid[UID_SIZE];
    int r;

    if (!sink) {
        return -ENOMEM;
    }
    /* An acknowledgement is nothing that could be told in a digest. */
    r = notice->items[0].ack ? 0 : digest_wanted(tx, sink, notice->ordering, now);
    if (r != 0) {
        return r < 0 ? r : digest_take(outbox, tx, sink, notice, now, ret_id, ret_ordering);
    }
    digest_yield(outbox, tx, sink, notice->ordering, now);
    make_uid(outbox, uid);
    buf_clear(&outbox->scratch);
    buf_clear(title);
    r = content_encode(&outbox->scratch, notice, uid, NULL);
    content_title(notice, title);
    if (r < 0 || title->failed) {
        return r < 0 ? r : -ENOMEM;
    }
    row.uid = uid;
    row.sink = sink->name;
    row.title = buf_str(title);
    row.body = outbox->scratch.data;
    row.len = outbox->scratch.len;
    r = queue_insert(outbox, tx, sink, &row, now);
    *ret_id = row.id;
    *ret_ordering = row.ordering;
    return r;
}
