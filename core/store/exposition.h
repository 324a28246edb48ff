/*
 * exposition.h: one scrape: the store as Prometheus text 0.0.4 or OpenMetrics 1.0, a block at a
 * time.
 *
 *     exposition_create(store, exposition_negotiate(accept),
 * exposition_accepts_gzip(accept_encoding), now, &e); while ((n = exposition_read(e, block, sizeof
 * block)) > 0) send(block, n); exposition_destroy(e);
 *
 * The store is locked during exposition_read() only, so a slow client holds up nobody.  Families
 * come in the order of their names, each in one piece; what is added or dropped meanwhile is in or
 * out, but breaks nothing, and the buckets of one histogram are always of one moment.
 *
 * Threads: an exposition belongs to one thread at a time; several may run beside each other.
 */
#ifndef STORE_EXPOSITION_H
#define STORE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct store;
struct exposition;

enum exposition_format {
    EXPOSITION_TEXT,              /* Prometheus text 0.0.4 */
    EXPOSITION_OPENMETRICS,       /* OpenMetrics 1.0.0 */
    EXPOSITION_OPENMETRICS_0_0_1, /* the same bytes under the older version's name */
};

/* What is good for a block: smaller ones work, but cost more calls. */
#define EXPOSITION_BLOCK 65536

/* Of the headers Accept and Accept-Encoding; NULL: not sent.  Text where nothing else is
 * acceptable. */
enum exposition_format exposition_negotiate(const char *accept);
bool exposition_accepts_gzip(const char *accept_encoding);
/* For the header Content-Type; static. */
const char *exposition_content_type(enum exposition_format format);

/* Runs the refreshes, drops what stopped, and starts at the first family.  Returns owned.  -ENOMEM.
 */
int exposition_create(struct store *store, enum exposition_format format, bool gzip, int64_t now_ms,
                      struct exposition **ret_exposition);
void exposition_destroy(struct exposition *exposition); /* takes NULL */
/* Fills the block with what comes next: how many bytes (at least 1), 0 at the end, -ENOMEM.  Any
 * size from 1 on works. */
ssize_t exposition_read(struct exposition *exposition, char *block, size_t size);

#endif
