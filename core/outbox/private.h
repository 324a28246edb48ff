/*
 * private.h: what the files of the queue share; nobody else includes it.
 *
 *   content.c  a notification as a row's body: which episodes it tells of, and its encoding
 *   rows.c     the table
 *   window.c   what of a sink is in memory
 *   queue.c    notices come in, attempts are started
 *   tickets.c  attempts that were handed out
 *   draft.c    a row that waits is changed
 *   withdraw.c what nobody was told of yet is taken back
 *   outbox.c   made, loaded, configured, run
 *   mend.c     the file has lost something
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
#include "base/log.h"
#include "base/map.h"
#include "model/notification.h"
#include "outbox/outbox.h"

#define PREFIX_LEN 16 /* of a uid: the run's; the number follows */
#define UID_SIZE 33
#define REASON_SIZE 256
#define LOST_AT_A_TIME                                                                             \
    16 /* rows that do not verify; further ones are found when it is read again */

/* ---- content.c ---- */

struct content_item {
    int64_t episode;
    bool firing;
    bool news;
    bool repeat; /* news that the sink was told before */
    bool ack;    /* a repeat which tells that somebody sees to it */
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
/* What content_filter() makes of a notification. */
struct content_filter {
    /* Which items it has, by their place in the old one. */
    bool (*keep)(const void *arg, size_t i, const struct content_item *item);
    const void *arg;
    const char *uid;    /* NULL: the old one's */
    int64_t resolve_ms; /* 0, or when what fires in it has ended: it tells of that instead */
};
/* The same content, filtered, into `buf`.  How many of its items are news; -errno. */
int content_filter(const void *body, size_t len, const struct content_filter *filter,
                   struct buf *buf);
/* A notification in pieces: appends one alert as it stands in one... */
int content_encode_alert(struct buf *buf, const struct alerts_item *item, struct buf *scratch);
/* ... and a notification without its alerts, so many of which are to be appended. */
int content_begin(struct buf *buf, const struct tmon_notification *notification, size_t nalerts);
/* The title of a digest. */
void content_digest_title(const struct content_item *items, size_t n, struct buf *buf);
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
    int64_t again_ms;   /* Unix time at which an operator queued it again; 0: never */
    int64_t since_mono; /* since when it is tried, on the clock that does not jump */
    int64_t next_ms;    /* Unix time; 0: at once */
    bool under_way;
    bool followers;         /* there may be others of its ordering behind it in the file */
    struct heap_node ready; /* in sink->ready unless it is under way, see item_due() */
    char uid[UID_SIZE];
    char *title;  /* owned */
    char *reason; /* owned; NULL: "" */
    void *body;   /* owned */
    size_t len;
    uint32_t body_sum;
};

enum item_flag {
    ITEM_DIGEST = 1,
    ITEM_TRYING = 2, /* an attempt was handed out, and no outcome is known */
    ITEM_HEARD = 4,  /* an earlier attempt may have arrived */
};
#define ITEM_MAYBE_HEARD (ITEM_TRYING | ITEM_HEARD) /* of one that is not under way */

/* An attempt that was handed out, until its outcome is durable: whatever becomes of the file, it is
 * not started again meanwhile. */
struct ticket {
    int64_t id;
    struct sink *sink;
    enum { TICKET_NEW, TICKET_OUT, TICKET_BACK } state; /* new and back: within this batch */
    struct ticket *next_changed;
};

struct sink {
    char *name;
    bool configured;
    bool one_alert;
    bool wants_acks;
    uint32_t concurrency;
    char *failover; /* NULL: none */
    uint32_t budget;
    int64_t budget_ms, give_up_ms;

    struct map by_id, by_ordering; /* of items */
    struct heap ready;
    size_t window; /* so many items, besides those under way */
    size_t bytes;  /* of bodies in memory */
    bool more;     /* the file has first ones that are not in memory */
    bool full;     /* the next of them finds no room before another leaves */
    uint64_t pending, dead;
    uint64_t mended; /* pending, when it was last counted */
    uint32_t under_way;

    /* How it fares. */
    uint32_t failures; /* in a row */
    bool paused;
    int64_t rest_ms, pause_ms;             /* the next rest and pause */
    int64_t not_before;                    /* monotonic: the end of its rest or pause */
    int64_t asked_until;                   /* monotonic: what it asked for by Retry-After */
    bool probing;                          /* one at a time until one goes well */
    int64_t resumed;                       /* monotonic: when its last pause ended */
    int64_t down_since;                    /* monotonic; 0: it is not */
    int64_t failover_at;                   /* monotonic: not looked at before */
    int64_t failover_next_ms, failover_id; /* how far through its first ones the look has come */
    char reason[REASON_SIZE];
    struct log_limit log_limit; /* of lines about dead letters */
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
    char prefix[PREFIX_LEN + 1]; /* of the ids of this run */
    int64_t last_id;             /* the highest that was given */
    bool held;
    bool damaged; /* rows were lost: counts and first ones are to be looked at */
    uint64_t ended[OUTBOX_STATES];
    struct map tickets; /* by id */
    struct ticket *changed;
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
    int64_t next_ms, created_ms;
    int64_t ended_ms; /* of a pending one: when it was queued again; 0: never */
    const void *body;
    size_t len;
    uint32_t body_sum;
};

#define ROW_COLUMNS                                                                                \
    "id, uid, sink, ordering, head, state, attempts, next_ms, created_ms, ended_ms, flags, "       \
    "reason, title, body, sum"
/* Of a statement that selects ROW_COLUMNS.  False: it does not verify. */
bool row_read(sqlite3_stmt *statement, struct row *ret_row);
/* Unix time since which it is tried: it is given up, and its links end, so long after that. */
int64_t row_since(const struct row *row);
/* Gives it its number. */
void row_insert(struct outbox *outbox, struct state_tx *tx, struct row *row);
/* Writes everything that can change; what a row is of, its sink, ordering and uid, never does. */
void row_update(struct state_tx *tx, const struct row *row, bool body_too);
uint32_t row_body_sum(const void *body, size_t len);
/* 1: `fn` was called with the verified row; 0: there is none; -EUCLEAN: it does not verify; what is
 * in the tx. */
int row_get(struct state_tx *tx, int64_t id, void (*fn)(void *arg, const struct row *row),
            void *arg);
/* The same; one that does not verify is lost: 0. */
int row_find(struct outbox *outbox, struct state_tx *tx, int64_t id,
             void (*fn)(void *arg, const struct row *row), void *arg);
/* It did not verify: told, and deleted. */
void row_lost(struct outbox *outbox, struct state_tx *tx, int64_t id);
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
struct item *item_add(struct sink *sink, const struct row *row, struct alerts_time now);
/* ... of one that is under way, which has its room. */
struct item *item_add_flying(struct sink *sink, const struct row *row, struct alerts_time now);
void item_free(struct item *item);
/* Takes it out of memory and frees it. */
void item_drop(struct item *item);
/* The row is at its end: state, time and reason; whoever is next of its ordering comes forward. */
void item_end(struct outbox *outbox, struct state_tx *tx, struct item *item,
              enum outbox_state state, const char *reason, struct alerts_time now);
/* The first of the ordering is gone: the oldest that waits becomes it. */
void promote(struct outbox *outbox, struct state_tx *tx, struct sink *sink, uint64_t ordering,
             struct alerts_time now);
/* Reads more from the file where the window is empty. */
void window_fill(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                 struct alerts_time now);
int64_t mono_of(int64_t real_ms, struct alerts_time now);
/* It is due then; of those that are due at once the oldest comes first.  -ENOMEM. */
int item_due(struct item *item, int64_t mono_ms);
/* The first that is due, and when (INT64_MAX: none waits). */
struct item *item_first(const struct sink *sink, int64_t *ret_mono_ms);

/* ---- queue.c ---- */

bool queue_wants_acks(void *owner, const char *sink);
int queue_waits(void *owner, struct state_tx *tx, const char *sink, int64_t id);
int queue_notify(void *owner, struct state_tx *tx, const struct alerts_notice *notice,
                 struct alerts_time now, int64_t *ret_id, uint64_t *ret_ordering);

/* ---- tickets.c ---- */

/* -ENOMEM. */
int ticket_issue(struct outbox *outbox, const struct item *item);
/* The outcome has come.  NULL: nobody waits for it. */
struct ticket *ticket_take(struct outbox *outbox, int64_t id);
void tickets_committed(struct outbox *outbox);
/* The batch failed. */
void tickets_undo(struct outbox *outbox);
void tickets_finish(struct outbox *outbox);

/* ---- draft.c ---- */

/* A row that can be changed: of an item in memory, or a copy of what the file has. */
struct draft {
    struct sink *sink;
    struct row row;
    struct item *item;          /* NULL: not in memory */
    char *uid, *title, *reason; /* owned */
    void *body;
};
/* 1, 0: the sink has none of that number; -errno.  draft_finish() in any case. */
int draft_init(struct draft *draft, struct outbox *outbox, struct state_tx *tx, struct sink *sink,
               int64_t id);
void draft_finish(struct draft *draft);
/* It waited, and is at its end; whoever is next of its ordering comes forward. */
void draft_end(struct draft *draft, struct outbox *outbox, struct state_tx *tx,
               enum outbox_state state, const char *why, struct alerts_time now);
/* It says something else from now on; `title` NULL: under the old one.  -errno, which is in the
 * tx. */
int draft_rewrite(struct draft *draft, struct state_tx *tx, const struct buf *body,
                  const char *title);

/* ---- withdraw.c ---- */

/* Those of the ordering behind `id` that are pending: an owned array, also on failure.  -errno. */
int row_followers(struct state_tx *tx, const struct sink *sink, uint64_t ordering, int64_t id,
                  int64_t **ret_ids, size_t *ret_n);
/* What tells of new firings will never be heard, and was not: the alerts know it from now on, and
 * what would end these episodes later is not needed. */
void withdraw_unheard(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      const struct row *row, struct alerts_time now);
int queue_withdraw(void *owner, struct state_tx *tx, const char *sink, uint64_t ordering,
                   struct alerts_ended *ended, size_t n, struct alerts_time now);
/* Starts what may be started. */
void sink_pump(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
               struct alerts_time now);
/* Whether something of the ordering is pending already.  1, 0, -errno. */
int queue_has_pending(struct state_tx *tx, const struct sink *sink, uint64_t ordering);
/* Inserts a row behind whatever its ordering has.  0 with its number. */
int queue_insert(struct outbox *outbox, struct state_tx *tx, struct sink *sink, struct row *row,
                 struct alerts_time now);
void make_uid(struct outbox *outbox, char ret_uid[static UID_SIZE]);

/* ---- rest.c ---- */

/* It answers. */
void sink_well(struct sink *sink, const struct outbox_times *times, struct alerts_time now);
/* Somebody has mended it, or says so. */
void sink_mended(struct sink *sink, const struct outbox_times *times, struct alerts_time now);
void sink_failed(struct outbox *outbox, struct sink *sink, const struct outbox_outcome *outcome,
                 struct alerts_time now);
/* Nothing more goes to it for as long as its answer says, whatever else that says. */
void sink_asked(struct sink *sink, const struct outbox_outcome *outcome, struct alerts_time now);
/* A day at most; -1: not said. */
int64_t retry_after(const struct outbox_outcome *outcome);

/* ---- failover.c ---- */

/* Moves what waits to the failover sink, if it is time. */
void sink_fail_over(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                    struct alerts_time now);
int64_t sink_failover_due(const struct outbox *outbox, const struct sink *sink);

/* ---- digest.c ---- */

/* Whether the sink's budget is used up, and what follows `ordering` may go into a digest; counts
 * the notification if not.  1, 0, -errno. */
int digest_wanted(struct state_tx *tx, struct sink *sink, uint64_t ordering,
                  struct alerts_time now);
int digest_take(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                const struct alerts_notice *notice, struct alerts_time now, int64_t *ret_id,
                uint64_t *ret_ordering);
/* 1: its firing was in the open digest and is not any more; 0. */
int digest_withdraw(struct sink *sink, int64_t episode);
/* Writes it as it is now; `close`: nothing more is put in. */
void digest_save(struct outbox *outbox, struct state_tx *tx, struct sink *sink, bool close,
                 struct alerts_time now);
/* Something else is about to be queued: if it comes behind the open digest, nothing more is put
 * into that, since it would be heard before. */
void digest_yield(struct outbox *outbox, struct state_tx *tx, struct sink *sink, uint64_t ordering,
                  struct alerts_time now);
bool digest_is(const struct sink *sink, int64_t id);
void digest_free(struct digest *digest);

/* ---- mend.c ---- */

/* Counts the rows of each state by the indices, without reading them. */
int count_rows(struct outbox *outbox, struct state_tx *tx);
/* Only the dead letters of each sink. */
int count_dead(struct outbox *outbox, struct state_tx *tx);
/* After rows were lost: counts anew, and gives orderings that lost their first one another. */
void outbox_mend(struct outbox *outbox, struct state_tx *tx, struct alerts_time now);

#endif
