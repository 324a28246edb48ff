/*
 * render.h: the lines of families and series; private to core/store.  With the store's lock held
 * for reading.
 */
#ifndef STORE_RENDER_H
#define STORE_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "store/series.h"

/* HELP and TYPE of a family.  `need` bytes suffice for what put writes. */
size_t render_head_need(const struct family *family);
char *render_head(char *out, const struct store *store, const struct family *family,
                  bool openmetrics);

/* The lines of one series that is alive.  put may scribble up to `need` bytes. */
size_t render_record_need(const struct family *family, struct record *record);
char *render_record(char *out, struct record *record, const struct family *family,
                    bool openmetrics);

/* Goes on through plain series (a value, nothing else) of a chunk from *offset to `stop`, until
 * `end` is near or one comes that is not plain. */
char *render_plain(char *out, const char *end, const struct family *family, const char *data,
                   uint32_t *offset, uint32_t stop);

#endif
