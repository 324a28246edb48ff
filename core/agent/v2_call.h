/*
 * v2_call.h: a question of /api/v2 on its way over the desk.  For the files agent/v2_*.c, which
 * answer on the state's thread.
 */
#ifndef AGENT_V2_CALL_H
#define AGENT_V2_CALL_H

#include "agent/api.h"

struct routing;
struct v2_filter;
struct v2_silence_in;

struct v2_call {
    struct api_call base;
    struct v2_filter *filter;      /* owned */
    struct v2_silence_in *silence; /* owned */
    char id[LIMIT_NAME_BYTES + 1];
    unsigned status;  /* of the answer */
    int64_t until_ns; /* for what may take long */
};

/* Makes the answer a mistake that is told in a text. */
void v2_call_refuse(struct v2_call *call, unsigned status, const char *text);
/* False: the filters of a list have taken too long, which is then the answer. */
bool v2_call_in_time(struct v2_call *call);

/* All answer.  -errno: the batch fails. */
int v2_alerts_list(struct v2_call *call, struct alerts *alerts, struct alerts_time now);
int v2_groups_list(struct v2_call *call, struct alerts *alerts, struct alerts_time now);
int v2_silences_list(struct v2_call *call, struct alerts *alerts, struct alerts_time now);
int v2_silence_put(struct v2_call *call, struct alerts *alerts, struct state_tx *tx,
                   struct alerts_time now);
int v2_silence_show(struct v2_call *call, struct alerts *alerts, struct alerts_time now);
int v2_silence_expire(struct v2_call *call, struct alerts *alerts, struct state_tx *tx,
                      struct alerts_time now);

/* v2_config.c: routes, inhibition and receivers in Alertmanager's YAML, no settings among them. */
void v2_config(const struct routing *routing, struct buf *buf);

#endif
