/*
 * labels.h: sets of labels: sorted by name, names unique, no empty values.  Any thread.
 */
#ifndef MODEL_LABELS_H
#define MODEL_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "plugin_api.h"

/* Sorts the pairs in place by name (byte order) and drops those without a value.  Returns how many
 * are left; -EEXIST: a name stands twice. */
long labels_normalize(struct tmon_pair *pairs, size_t n);
/* The fingerprint of a normalized set, as Alertmanager computes it: FNV-1a over name FF value FF.
 */
uint64_t labels_fingerprint(const struct tmon_pair *pairs, size_t n);
/* "" for a label that is not there, which for all that matches is the same. */
const char *labels_get(const struct tmon_pair *pairs, size_t n, const char *name);
/* [a-zA-Z_][a-zA-Z0-9_]* */
bool labels_name_ok(const char *name);
/* Appends the text in quotes, with quotes, backslashes and newlines escaped. */
void labels_quote(const char *text, struct buf *buf);
/* Appends {a="b", c="d"} as Alertmanager does. */
void labels_show(const struct tmon_pair *pairs, size_t n, struct buf *buf);

/* A copy in one allocation, the strings behind the array; free() ends it.  *ret_pairs is the
 * returned block itself.  -ENOMEM. */
int labels_copy(const struct tmon_pair *pairs, size_t n, struct tmon_pair **ret_pairs);

#endif
