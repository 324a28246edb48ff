/*
 * sample.h: metric samples on their way from a plugin to the store.
 *
 * A batch is a buf of encoded samples.  Worker and own-thread collectors encode the same way; the
 * store decodes in place without allocating.  sample_encode() validates (in the worker, for a good
 * message); sample_decode() validates again (in the agent, because a worker is never trusted).
 */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire.h"
#include "plugin_api.h"

/* Appends one sample.  0; -EINVAL with a sentence in *ret_why (static) for a bad name, label,
 * bucket...; -ENOBUFS when the buf is at its cap (nothing is appended). */
int sample_encode(struct buf *buf, const struct tmon_metric *metric, const char **ret_why);

/* A decoded sample; strings point into the batch. */
struct sample {
    tmon_metric_kind kind;
    const char *name;
    const char *help; /* NULL: not given */
    double value;
    uint64_t count;
    int64_t time_ms;
    uint32_t nlabels;
    struct tmon_pair labels[LIMIT_LABELS]; /* sorted by key, unique, no empty values */
    uint32_t npoints;
    double bounds[LIMIT_BUCKETS];
    double points[LIMIT_BUCKETS];
};

/* The next sample; 1 got one, 0 the end, -EPROTO malformed (stop reading). */
int sample_decode(struct wire_reader *reader, struct sample *ret_sample);

#endif
