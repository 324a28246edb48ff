/*
 * withdraw.c: what nobody was told of is taken back.
 *
 * An alert that resolved before anybody was told that it fired is taken out of what waits, and a
 * notification with no news left is cancelled.  The same way goes what would end an episode whose
 * beginning will never be heard.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

#define FOLLOWERS_MOST 4096 /* of one ordering that are looked through */

/* ---- episodes, taken out of rows ---- */

struct episodes {
    int64_t *numbers; /* sorted */
    size_t n;
    bool firing_only; /* their ends stay */
};

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static bool is_out(const struct episodes *out, const struct content_item *item)
{
    return (item->firing || !out->firing_only) && out->n > 0 &&
           bsearch(&item->episode, out->numbers, out->n, sizeof item->episode, by_number);
}

static bool stays(const void *arg, size_t i, const struct content_item *item)
{
    return !is_out(arg, item);
}

static size_t count_out(const struct row *row, const struct episodes *out)
{
    struct content_item *items = NULL;
    size_t n = 0, found = 0;

    if (content_items(row->body, row->len, &items, &n) < 0) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        found += is_out(out, &items[i]);
    }
    free(items);
    return found;
}

/* Takes them out of a row that was never attempted.  How many; -errno. */
static int take_out(struct outbox *outbox, struct state_tx *tx, struct sink *sink, int64_t id,
                    const struct episodes *out, const char *why, struct alerts_time now)
{
    const struct content_filter filter = {.keep = stays, .arg = out};
    struct buf *body = &outbox->scratch;
    struct draft draft;
    size_t found = 0;
    int r, news = 0;

    if (digest_is(sink, id)) { /* the file does not have all of it yet */
        for (size_t i = 0; i < out->n; i++) {
            found += digest_withdraw(sink, out->numbers[i]);
        }
        return (int)found;
    }
    r = draft_init(&draft, outbox, tx, sink, id);
    if (r == 1 && draft.row.state == OUTBOX_PENDING && draft.row.attempts == 0) {
        found = count_out(&draft.row, out);
    }
    if (found > 0) {
        buf_clear(body);
        news = content_filter(draft.row.body, draft.row.len, &filter, body);
    }
    if (news == -EPROTO) {
        found = 0; /* what cannot be read cannot be changed */
    } else if (news < 0) {
        r = news;
    } else if (found > 0 && news == 0) {
        draft_end(&draft, outbox, tx, OUTBOX_CANCELLED, why, now);
    } else if (found > 0) {
        (void)draft_rewrite(&draft, tx, body, NULL);
    }
    draft_finish(&draft);
    return tx->error < 0 ? tx->error : r < 0 ? r : (int)found;
}

int row_followers(struct state_tx *tx, const struct sink *sink, uint64_t ordering, int64_t id,
                  int64_t **ret_ids, size_t *ret_n)
{
    static const char sql[] = "SELECT id FROM outbox WHERE sink = ?1 AND ordering = ?2 AND "
                              "state = 0 AND id > ?3 ORDER BY id LIMIT ?4";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int64_t *ids = NULL;
    size_t n = 0, size = 0;
    int r = 1;

    *ret_ids = NULL;
    *ret_n = 0;
    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)ordering);
    (void)sqlite3_bind_int64(statement, 3, id);
    (void)sqlite3_bind_int64(statement, 4, FOLLOWERS_MOST);
    while (r == 1 && (r = state_step(tx, statement)) == 1) {
        if (n == size) {
            int64_t *more = realloc(ids, (size + 8) * 2 * sizeof *ids);

            r = more ? 1 : -ENOMEM;
            if (!more) {
                break;
            }
            ids = more;
            size = (size + 8) * 2;
        }
        ids[n++] = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    *ret_ids = ids;
    *ret_n = n;
    return r;
}

/* ---- what has ended before anybody heard of it ---- */

static int by_id(const void *a, const void *b)
{
    const struct alerts_ended *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

/* Whether the row has never been attempted, and waits.  1, 0, -errno. */
static int is_untouched(struct outbox *outbox, struct state_tx *tx, const struct sink *sink,
                        int64_t id)
{
    static const char sql[] = "SELECT 1 FROM outbox WHERE id = ?1 AND state = 0 AND attempts = 0";
    const struct item *item = item_find(sink, id);
    sqlite3_stmt *statement;
    int r;

    if (item) {
        return item->attempts == 0;
    }
    statement = state_prepare(tx, sql);
    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    r = state_step(tx, statement);
    (void)sqlite3_reset(statement);
    return r;
}

/* Those that were told first in one notification, which they all name.  How many it was right
 * about; -errno. */
static int find_unheard(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                        struct alerts_ended *ended, size_t n, struct episodes *out)
{
    int r = is_untouched(outbox, tx, sink, ended->id);

    for (size_t i = 0; i < n && r == 1; i++) {
        ended[i].unheard = true;
        out->numbers[out->n++] = ended[i].episode;
    }
    return r < 0 ? r : 0;
}

static int take_all_out(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                        uint64_t ordering, int64_t first, struct episodes *out, const char *why,
                        struct alerts_time now)
{
    int64_t *ids = NULL;
    size_t n = 0;
    int r = row_followers(tx, sink, ordering, first - 1, &ids, &n);

    qsort(out->numbers, out->n, sizeof *out->numbers, by_number);
    for (size_t i = 0; i < n && r >= 0; i++) {
        r = take_out(outbox, tx, sink, ids[i], out, why, now);
    }
    free(ids);
    return r < 0 ? r : 0;
}

int queue_withdraw(void *owner, struct state_tx *tx, const char *name, uint64_t ordering,
                   struct alerts_ended *ended, size_t n, struct alerts_time now)
{
    static const char why[] = "resolved before it was attempted";
    struct outbox *outbox = owner;
    struct sink *sink = sink_find(outbox, name);
    const struct item *head = sink ? item_of_ordering(sink, ordering) : NULL;
    struct episodes out = {.firing_only = true};
    int r = 0;

    if (!sink || (!head && !sink->more) || (head && !head->followers && head->attempts > 0)) {
        return 0; /* nothing of it waits untouched */
    }
    out.numbers = calloc(n, sizeof *out.numbers);
    if (!out.numbers) {
        return -ENOMEM;
    }
    qsort(ended, n, sizeof *ended, by_id);
    for (size_t i = 0, next; i < n && r == 0; i = next) {
        for (next = i + 1; next < n && ended[next].id == ended[i].id; next++) {}
        r = find_unheard(outbox, tx, sink, &ended[i], next - i, &out);
    }
    if (r == 0 && out.n > 0) {
        r = take_all_out(outbox, tx, sink, ordering, ended->id, &out, why, now);
    }
    free(out.numbers);
    return r;
}

/* ---- what will never be heard ---- */

void withdraw_unheard(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      const struct row *row, struct alerts_time now)
{
    static const char why[] = "what it would end was never heard of";
    struct content_item *items = NULL;
    struct episodes out = {0};
    size_t n = 0;
    int r = content_items(row->body, row->len, &items, &n);

    digest_save(outbox, tx, sink, true, now); /* it may be one of those behind */
    out.numbers = r == 0 ? calloc(n ? n : 1, sizeof *out.numbers) : NULL;
    for (size_t i = 0; i < n && out.numbers; i++) {
        if (items[i].firing && items[i].news && !items[i].repeat) {
            alerts_rejected(outbox->alerts, sink->name, row->id, items[i].episode);
            out.numbers[out.n++] = items[i].episode;
        }
    }
    if (out.n > 0) {
        r = take_all_out(outbox, tx, sink, row->ordering, row->id + 1, &out, why, now);
    }
    if ((r < 0 && r != -EPROTO) || (r == 0 && !out.numbers)) {
        tx->error = tx->error ? tx->error : r < 0 ? r : -ENOMEM;
    }
    free(out.numbers);
    free(items);
}
