/*
 * draft.c: a row that is to be changed, whether it is in memory or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

void draft_finish(struct draft *draft)
{
    free(draft->uid);
    free(draft->title);
    free(draft->reason);
    free(draft->body);
}

static void copy_row(void *arg, const struct row *row)
{
    struct draft *draft = arg;

    draft->row = *row;
    draft->uid = strdup(row->uid);
    draft->title = strdup(row->title);
    draft->reason = strdup(row->reason);
    draft->body = malloc(row->len ? row->len : 1);
    if (draft->body) {
        memcpy(draft->body, row->body, row->len);
    }
    draft->row.uid = draft->uid;
    draft->row.title = draft->title;
    draft->row.reason = draft->reason;
    draft->row.body = draft->body;
    /* Somebody else's is none. */
    draft->row.sink = strcmp(row->sink, draft->sink->name) == 0 ? draft->sink->name : NULL;
}

int draft_init(struct draft *draft, struct outbox *outbox, struct state_tx *tx, struct sink *sink,
               int64_t id)
{
    int r;

    *draft = (struct draft){.sink = sink, .item = item_find(sink, id)};
    if (draft->item) {
        row_of(draft->item, &draft->row);
        return 1;
    }
    r = row_find(outbox, tx, id, copy_row, draft);
    if (r == 1 && (!draft->uid || !draft->title || !draft->reason || !draft->body)) {
        return -ENOMEM;
    }
    return r == 1 && !draft->row.sink ? 0 : r;
}

void draft_end(struct draft *draft, struct outbox *outbox, struct state_tx *tx,
               enum outbox_state state, const char *why, struct alerts_time now)
{
    struct sink *sink = draft->sink;
    struct row *row = &draft->row;
    bool was_head = row->head;

    if (draft->item) {
        item_end(outbox, tx, draft->item, state, why, now);
        draft->item = NULL;
        return;
    }
    row->head = false;
    row->state = state;
    row->ended_ms = now.real_ms;
    row->next_ms = 0;
    row->reason = why;
    row_update(tx, row, false);
    sink->pending--;
    sink->dead += state == OUTBOX_DEAD;
    outbox->ended[state]++;
    if (was_head) {
        promote(outbox, tx, sink, row->ordering, now);
    }
}

/* Both are in memory, or it is -ENOMEM. */
static int keep_copies(struct item *item, const struct row *row)
{
    char *title = strdup(row->title);
    void *body = malloc(row->len ? row->len : 1);

    if (!title || !body) {
        free(title);
        free(body);
        return -ENOMEM;
    }
    memcpy(body, row->body, row->len);
    item->sink->bytes += row->len - item->len;
    free(item->title);
    free(item->body);
    item->title = title;
    item->body = body;
    item->len = row->len;
    item->body_sum = row->body_sum;
    return 0;
}

int draft_rewrite(struct draft *draft, struct state_tx *tx, const struct buf *body,
                  const char *title)
{
    struct row *row = &draft->row;
    int r = 0;

    row->title = title ? title : row->title;
    row->body = body->data;
    row->len = body->len;
    row->body_sum = row_body_sum(body->data, body->len);
    row_update(tx, row, true);
    if (draft->item) {
        r = keep_copies(draft->item, row);
    }
    if (r < 0 && tx->error == 0) {
        tx->error = r;
    }
    return tx->error;
}
