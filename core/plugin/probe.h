/*
 * probe.h: what does a .so declare, and does a component of it take these settings?  Asks it in a
 * worker of its own, which ends afterwards.
 *
 * Blocks the calling thread (never the main one) until all have answered, the time is up or it is
 * cancelled; leaves neither process nor descriptor behind.
 */
#ifndef PLUGIN_PROBE_H
#define PLUGIN_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "model/manifest.h"
#include "plugin/spawner.h"

#define PROBE_TIMEOUT_MS 5000 /* for one file: constructors and libraries included */
#define PROBE_WHY_SIZE 512

struct settings;

struct probe {
    const char *path; /* borrowed; set by the caller */
    /* Of a trial: create() of a component is called too, with these settings; borrowed.  NULL: not
     */
    const char *component, *instance;
    const struct settings *settings;
    tmon_rc rc;                /* what create() said; TMON_OK where it was not called */
    struct manifest *manifest; /* owned by the caller afterwards; NULL: refused */
    char why[PROBE_WHY_SIZE];  /* a sentence, when refused or create() failed */
    uint32_t layers;           /* enum frame_layer: what held the worker */
};

/*
 * Probes all, a few at a time.  0: each has a manifest or a reason.  -ECANCELED: `cancel_fd` (-1:
 * none; borrowed) became readable, and what was not known by then has neither.
 */
int probe_files(struct spawner *spawner, struct probe *probes, size_t n, int64_t timeout_ms,
                int cancel_fd);

#endif
