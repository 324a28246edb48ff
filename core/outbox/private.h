/*
 * private.h: what the files of the queue share; nobody else includes it.
 *
 *   content.c  a notification as a row's body: which episodes it tells of, and its encoding
 *   rows.c     the table
 *   window.c   what of a sink is in memory
 *   queue.c    notices come in, attempts are started
 *   withdraw.c what nobody was told of yet is taken back
 *   outbox.c   made, loaded, configured, run
 *   outcome.c  attempts end
 *   rest.c     sinks that fail: rest, pause
 *   failover.c  what waits for a sink that is down goes to another
 *   digest.c   storms
 *   admin.c    looking and mending
 */
#ifndef OUTBOX_PRIVATE_H
#define OUTBOX_PRIVATE_H

#include "base/heap.h"
#include "base/limits.h"
#include "base/map.h"
#include "model/notification.h"
#include "outbox/outbox.h"

#define UID_SIZE 33
#define REASON_SIZE 256

/* ---- content.c ---- */

struct content_item {
    int64_t episode;
    bool firing;
    bool news;
};

/* -ENOMEM, -ENOBUFS.  `title` of the notification is left to delivery where it is NULL. */
int content_encode(struct buf *buf, const struct alerts_notice *notice, const char *uid,
                   const char *title);
/* Appends the items alone, as content_encode() does; n is their number. */
void content_put_items(struct buf *buf, const struct content_item *items, size_t n);
/* An owned array.  -EPROTO, -ENOMEM. */
int content_items(const void *body, size_t len, struct content_item **ret_items, size_t *ret_n);
/* Where the encoded notification begins; 0: the body is malformed. */
size_t content_offset(const void *body, size_t len);
/* The same content with only the items that keep() wants, into `buf`.  How many of them are news;
 * -errno. */
int content_filter(const void *body, size_t len,
                   bool (*keep)(const void *arg, const struct content_item *item), const void *arg,
                   struct buf *buf);
/* ... without the episode. */
int content_without(const void *body, size_t len, int64_t episode, struct buf *buf);
/* A line for lists of what it is about. */
void content_title(const struct alerts_notice *notice, struct buf *buf);

/* ---- what is in memory ---- */

/* A pending row that is the first of its ordering. */
struct item {
    int64_t id;
    struct sink *sink;
    uint64_t ordering;
    uint32_t attempts;
    uint32_t flags;
    int64_t created_ms;
    int64_t next_ms; /* Unix time; 0: at once */
    bool under_way;
    bool followers;         /* there may be others of its ordering behind it in the file */
    struct heap_node ready; /* in sink->ready, by monotonic time, unless it is under way */
    char uid[UID_SIZE];
    char *title;  /* owned */
    char *reason; /* owned; NULL: "" */
    void *body;   /* owned */
    size_t len;
    uint32_t body_sum;
};

enum item_flag { ITEM_DIGEST = 1 };

struct sink {
    char *name;
    bool configured;
    bool one_alert;
    uint32_t concurrency;
    char *failover; /* NULL: none */
    uint32_t budget;
    int64_t budget_ms, give_up_ms;

    struct map by_id, by_ordering; /* of items */
    struct heap ready;
    size_t bytes; /* of bodies in memory */
    bool more;    /* the file has first ones that are not in memory */
    uint64_t pending, dead;
    uint32_t under_way;

    /* How it fares. */
    uint32_t failures; /* in a row */
    bool paused;
    int64_t rest_ms, pause_ms; /* the next rest and pause */
    int64_t not_before;        /* monotonic: nothing is started before */
    bool probing;              /* one at a time until one goes well */
    int64_t down_since;        /* monotonic; 0: it is not */
    int64_t failover_at;       /* monotonic: not looked at before */
    char reason[REASON_SIZE];
    int64_t delivered_ms;
    uint64_t outcomes[OUTBOX_UNREADY + 1];

    /* Storms. */
    int64_t window_start; /* monotonic */
    uint32_t window_count;
    struct digest *digest; /* the one that takes more; NULL: none */
};

struct outbox {
    struct outbox_hooks hooks;
    struct outbox_times times;
    struct alerts *alerts;
    size_t nsinks;
    struct sink **sinks;
    char prefix[17]; /* of the ids of this run */
    int64_t last_id; /* the highest that was given */
    bool held;
    uint64_t ended[OUTBOX_STATES];
    struct outbox_attempt *started, **started_end; /* handed out when the batch is durable */
    struct buf scratch, other;
    int64_t pruned_mono;
};

/* ---- rows.c ---- */

struct row { /* as it stands in the table; texts are borrowed */
    int64_t id;
    const char *uid, *sink, *reason, *title;
    uint64_t ordering;
    bool head;
    enum outbox_state state;
    uint32_t attempts, flags;
    int64_t next_ms, created_ms, ended_ms;
    const void *body;
    size_t len;
    uint32_t body_sum;
};

#define ROW_COLUMNS                                                                                \
    "id, uid, sink, ordering, head, state, attempts, next_ms, created_ms, ended_ms, flags, "       \
    "reason, title, body, sum"
/* Of a statement that selects ROW_COLUMNS.  False: it does not verify. */
bool row_read(sqlite3_stmt *statement, struct row *ret_row);
/* Gives it its number. */
void row_insert(struct outbox *outbox, struct state_tx *tx, struct row *row);
/* Writes everything that can change. */
void row_update(struct state_tx *tx, const struct row *row, bool body_too);
uint32_t row_body_sum(const void *body, size_t len);
/* 1: `fn` was called with the verified row; 0: there is none. */
int row_find(struct state_tx *tx, int64_t id, void (*fn)(void *arg, const struct row *row),
             void *arg);
/* It did not verify: told, and deleted. */
void row_lost(struct state_tx *tx, int64_t id);
/* Borrows from the item. */
void row_of(const struct item *item, struct row *ret_row);

/* ---- window.c ---- */

struct sink *sink_find(const struct outbox *outbox, const char *name);
/* Made if it is not there.  NULL: out of memory, or too many. */
struct sink *sink_get(struct outbox *outbox, const char *name);
void sink_forget_items(struct sink *sink);
void sink_free(struct sink *sink);
struct item *item_find(const struct sink *sink, int64_t id);
struct item *item_of_ordering(const struct sink *sink, uint64_t ordering);
/* Puts a row into memory, if there is room.  NULL: there was none (sink->more is set then). */
struct item *item_add(struct sink *sink, const struct row *row, int64_t at_mono);
void item_free(struct item *item);
/* Takes it out of memory and frees it. */
void item_drop(struct item *item);
/* The row is at its end: state, time and reason; whoever is next of its ordering comes forward. */
void item_end(struct outbox *outbox, struct state_tx *tx, struct item *item,
              enum outbox_state state, const char *reason, struct alerts_time now);
/* The next of the ordering after `id` becomes its first. */
void promote(struct outbox *outbox, struct state_tx *tx, struct sink *sink, uint64_t ordering,
             int64_t id, struct alerts_time now);
/* Reads more from the file where the window is empty. */
void window_fill(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                 struct alerts_time now);
int64_t mono_of(int64_t real_ms, struct alerts_time now);

/* ---- queue.c ---- */

int queue_notify(void *owner, struct state_tx *tx, const struct alerts_notice *notice,
                 struct alerts_time now, int64_t *ret_id, uint64_t *ret_ordering);

/* ---- withdraw.c ---- */

/* A row that can be changed: of an item in memory, or a copy of what the file has. */
struct draft {
    struct row row;
    struct item *item;          /* NULL: not in memory */
    char *uid, *title, *reason; /* owned */
    void *body;
};
/* 1, 0: there is none; -errno.  draft_finish() in any case. */
int draft_init(struct draft *draft, struct state_tx *tx, struct sink *sink, int64_t id);
void draft_finish(struct draft *draft);
/* Those of the ordering behind `id` that are pending: an owned array. */
int row_followers(struct state_tx *tx, const struct sink *sink, uint64_t ordering, int64_t id,
                  int64_t **ret_ids, size_t *ret_n);
/* Notification `id` was rejected for ever: what would end the episode later is not needed. */
void withdraw_resolve(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      uint64_t ordering, int64_t id, int64_t episode, struct alerts_time now);
int queue_withdraw(void *owner, struct state_tx *tx, const char *sink, uint64_t ordering,
                   int64_t id, int64_t episode, struct alerts_time now);
/* Starts what may be started. */
void sink_pump(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
               struct alerts_time now);
/* Whether something of the ordering is pending already.  1, 0, -errno. */
int queue_has_pending(struct state_tx *tx, struct sink *sink, uint64_t ordering);
/* Inserts a row behind whatever its ordering has.  0 with its number. */
int queue_insert(struct outbox *outbox, struct state_tx *tx, struct sink *sink, struct row *row,
                 struct alerts_time now);
void make_uid(struct outbox *outbox, char ret_uid[static UID_SIZE]);

/* ---- rest.c ---- */

void sink_well(struct sink *sink, const struct outbox_times *times);
void sink_failed(struct outbox *outbox, struct sink *sink, const struct outbox_outcome *outcome,
                 struct alerts_time now);

/* ---- failover.c ---- */

/* Moves what waits to the failover sink, if it is time. */
void sink_fail_over(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                    struct alerts_time now);
int64_t sink_failover_due(const struct outbox *outbox, const struct sink *sink);

/* ---- digest.c ---- */

/* Whether the sink's budget is used up; counts the notification if not. */
bool digest_wanted(struct sink *sink, struct alerts_time now);
int digest_take(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                const struct alerts_notice *notice, struct alerts_time now, int64_t *ret_id,
                uint64_t *ret_ordering);
/* 1: it was in the open digest and is not any more; 0. */
int digest_withdraw(struct sink *sink, int64_t id, int64_t episode);
/* Writes it as it is now; `close`: nothing more is put in. */
void digest_save(struct outbox *outbox, struct state_tx *tx, struct sink *sink, bool close,
                 struct alerts_time now);
bool digest_is(const struct sink *sink, int64_t id);
void digest_free(struct digest *digest);

#endif
