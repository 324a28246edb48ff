/*
 * ability.h: runs one ability of the component: takes its arguments from the call's frame, hands
 * them to the plugin as plugin_api.h has them, and sends what it makes.
 */
#ifndef WORKER_ABILITY_H
#define WORKER_ABILITY_H

#include "worker/worker.h"

/* `args` stands after the head of FRAME_CALL.  Sends everything but DONE.  Ends the process when
 * the frame is malformed or asks for what the component has not. */
tmon_rc ability_run(struct call *call, const char *operation, struct wire_reader *args);

/* Appends the verdict of the check that was run, and frees it. */
void ability_put_verdict(struct call *call, struct buf *buf);

/* ability_sink.c: format, judge, deliver */
tmon_rc ability_run_sink(struct call *call, struct wire_reader *args);
/* ability_store.c: cache, lease */
tmon_rc ability_run_cache(struct call *call, const char *operation, struct wire_reader *args);
tmon_rc ability_run_lease(struct call *call, const char *operation, struct wire_reader *args);

#endif
