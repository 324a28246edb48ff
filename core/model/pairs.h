/*
 * pairs.h: arrays of struct tmon_pair in the encoding of base/wire.h.
 *
 * Labels of alerts, headers, values of a template: all cross as a count and that many keys and
 * values.
 */
#ifndef MODEL_PAIRS_H
#define MODEL_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "plugin_api.h"

/* NULL keys and values are written as "". */
void pairs_encode(struct buf *buf, const struct tmon_pair *pairs, size_t n);
/* Returns an owned array (free() it; NULL when there are none) of strings borrowed from the
 * reader's data.  Anything malformed, or out of memory, makes the reader bad; then there is nothing
 * to free. */
struct tmon_pair *pairs_decode(struct wire_reader *reader, uint32_t max, size_t max_value,
                               size_t *ret_n);

/* Appends a JSON object of strings; what is no UTF-8 becomes '?'. */
void pairs_to_json(const struct tmon_pair *pairs, size_t n, struct buf *buf);

#endif
