/*
 * spans.h: a scrape as a few long pieces of text, of which those are kept that no change touched.
 *
 * A span is a stretch of lines, of about 64 KiB.  Whoever scrapes keeps the spans of the last
 * scrape and gives them to the next one, which renders anew only where the store has changed since:
 * so a second Prometheus costs little more than sending.  A span does not change while somebody
 * else holds it.
 *
 *     exposition_create(store, format, false, now, &e);
 *     r = exposition_spans(e, &kept, most, &list);      // 1: exposition_read(e, ...) has the rest
 *     exposition_destroy(e);
 *     send(list.items[i]->text, list.items[i]->len) ...
 *     span_list_finish(&list);
 *
 * Threads: all lists that share spans belong to one thread.
 */
#ifndef STORE_SPANS_H
#define STORE_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one list: a response takes 16 bytes for each from its connection's memory. */
#define SPANS_MAX 250

struct exposition;
struct span_key;

struct span {
    char *text;
    size_t len;
    /* The rest is private. */
    size_t size;
    uint32_t refs;
    bool openmetrics;
    uint64_t heads;        /* store->heads when it was rendered */
    uint32_t first;        /* id of the first chunk in it; 0: none */
    struct span_key *keys; /* the chunks in it */
    size_t nkeys;          /* 0: to be rendered anew each time */
    size_t keys_size;
};

struct span_list {
    struct span *items[SPANS_MAX];
    size_t n;
};

/* Lets go of its spans.  Takes an empty list ({.n = 0}). */
void span_list_finish(struct span_list *list);

/*
 * The scrape from its start on, up to some 64 KiB more than `most` bytes.  0 and all of it; 1 and
 * the rest is exposition_read()'s; -ENOMEM.  *ret_list is the caller's to finish; `kept` (starts
 * empty) holds the same spans afterwards.  The exposition must be new, and without gzip.
 */
int exposition_spans(struct exposition *exposition, struct span_list *kept, size_t most,
                     struct span_list *ret_list);

#endif
