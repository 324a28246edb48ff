/*
 * alerts_in.h: what POST /api/v1/alerts brings: from its JSON to alerts that can be put, and the
 * verdicts back.
 *
 * A body that is no good JSON is refused as a whole.  After that each item is judged by itself: one
 * with a mistake is rejected and named, the others go on.  What identifies an alert must fit; what
 * only describes it is cut where it is too long, and the verdict says so.
 *
 * Pure functions on memory of their own; any thread, one at a time.
 */
#ifndef HTTP_ALERTS_IN_H
#define HTTP_ALERTS_IN_H

#include "alert/alerts.h"
#include "base/buf.h"
#include "base/pool.h"
#include "http/json_items.h"

enum alerts_in_status {
    ALERTS_IN_GOOD,     /* to be put */
    ALERTS_IN_ACCEPTED, /* it was put; `verdict` */
    ALERTS_IN_REJECTED, /* it has a mistake */
    ALERTS_IN_REFUSED,  /* there is no room for it now */
};

/* All strings are the pool's, or constants. */
struct alerts_in_item {
    enum alerts_in_status status;
    enum alerts_verdict verdict;
    struct alerts_input input;
    uint64_t fingerprint;
    const char *key;   /* NULL: none was given */
    const char *error; /* a sentence about `field` */
    const char *field; /* "": the whole item */
    const char *note;  /* what was cut; NULL */
};

struct alerts_in {
    size_t n;
    struct alerts_in_item *items;
    size_t good;  /* how many are to be put */
    bool firing;  /* one of these at least fires */
    bool v2;      /* they came by /api/v2, and are answered as there */
    size_t bytes; /* of memory */
    struct pool pool;
};

/* Returns owned.  -EINVAL: the body is not JSON as it should be; -E2BIG: too many alerts; both with
 * ret_error.  -ENOMEM. */
int alerts_in_parse(const char *body, size_t len, int64_t now_ms, struct alerts_in **ret_alerts,
                    struct json_items_error *ret_error);
void alerts_in_destroy(struct alerts_in *alerts); /* takes NULL */

/* For those who parse: room for so many items, of a body of `len` bytes.  -ENOMEM. */
int alerts_in_create(size_t n, size_t len, struct alerts_in **ret_alerts);
/* How many there are.  As alerts_in_parse(). */
int alerts_in_count(const struct json_items *items, const char *body, size_t len, size_t *ret_n,
                    struct json_items_error *ret_error);

/* The answer when all items have their status, and its HTTP status. */
void alerts_in_answer(const struct alerts_in *alerts, struct buf *buf);
unsigned alerts_in_status(const struct alerts_in *alerts);

#endif
