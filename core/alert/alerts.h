/*
 * alerts.h: the life of alerts: what fires and what has resolved, who has to be told, and when.
 *
 * Lives on the state's thread; nothing here reads a clock or sets a timer: the caller gives the
 * time and asks when it is wanted next.  What changes is written by alerts_save() at the end of the
 * batch; whoever reads does so in a job, and so sees what will be durable when he is answered.
 *
 * An alert is its set of labels.  From its firing to its resolve it is one episode, which has a
 * number and a key.  For each sink that was told of the episode it keeps a mark; a resolve is sent
 * to whom a mark says so, and to nobody else.  An alert that fires again before anybody was told of
 * its end goes on with the episode it had.
 */
#ifndef ALERT_ALERTS_H
#define ALERT_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/routing.h"
#include "base/buf.h"
#include "plugin_api.h"
#include "state/state.h"

struct alerts;
struct alert;
struct group;

/* Both clocks at the same moment.  Intervals run by the monotonic one. */
struct alerts_time {
    int64_t real_ms; /* Unix time */
    int64_t mono_ms;
};

enum alerts_source {
    ALERTS_API = 0,
    ALERTS_CHECK = 1, /* a check of ours: ends when it says so, or when its instance is gone */
    ALERTS_AGENT = 2, /* the agent about itself */
    ALERTS_RULE = 3,
    ALERTS_FLAPPING = 4, /* the notice that another one flaps */
};

/* What somebody says about one alert.  All borrowed. */
struct alerts_input {
    const struct tmon_pair *labels; /* normalized, see labels.h; at least one */
    size_t nlabels;
    const struct tmon_pair *annotations; /* normalized */
    size_t nannotations;
    const char *generator_url; /* NULL: none */
    enum alerts_source source;
    bool resolved;
    int64_t starts_ms; /* Unix time; 0: now */
    int64_t ttl_ms;    /* how long from now it fires unless it is said again; 0: until resolved */
    /* As Alertmanager takes alerts: starts_ms is given, it ends or has ended at ends_ms (Unix
     * time), and what was said before is merged where it overlaps.  `resolved` and `ttl_ms` come of
     * that. */
    bool merge;
    bool end_said; /* merge: else ends_ms stands in for an end that nobody gave */
    int64_t ends_ms;
};

enum alerts_verdict {
    ALERTS_FIRING,    /* a new episode, or one that goes on because nobody was told of its end */
    ALERTS_UPDATED,   /* its annotations changed */
    ALERTS_UNCHANGED, /* it fired already; only its end moved */
    ALERTS_RESOLVED,
    ALERTS_NOT_FIRING, /* resolved, but it was not firing: nothing to do */
    ALERTS_VERDICTS
};
const char *alerts_verdict_name(enum alerts_verdict verdict);

/* Whether it could be put: names of labels, counts and sizes.  Any thread.  0; -EINVAL with a
 * sentence in ret_why. */
int alerts_input_check(const struct alerts_input *input, char *ret_why, size_t size);

/* One alert of a notification. */
struct alerts_item {
    const struct alert *alert;
    bool firing;
    bool news;   /* the sink is told of this now; else it only stands beside what is new */
    bool repeat; /* news, but told before */
    bool ack;    /* a repeat which tells that somebody sees to it */
};

/* What the outbox is to queue. */
struct alerts_notice {
    const char *sink;
    bool one_alert;        /* nitems is 1 */
    uint64_t ordering;     /* notifications of one sink with the same ordering go out in order */
    const char *group_key; /* as Alertmanager writes it */
    const struct tmon_pair *group;
    size_t ngroup;
    const struct alerts_item *items; /* news first */
    size_t nitems;                   /* at most LIMIT_ALERTS */
    size_t ntruncated;               /* firing ones of the group that found no room; none is news */
};

/* An episode that has ended, and the notification in which the sink was told that it began. */
struct alerts_ended {
    int64_t id;
    int64_t episode;
    bool unheard; /* set by withdraw(): nobody has heard of it */
};

struct alerts_hooks {
    void *owner;
    /* Queues it.  The number of the notification, and the ordering that resolves must follow (the
     * notice's own, unless the outbox folded it into a digest).  -errno, which is in the tx. */
    int (*notify)(void *owner, struct state_tx *tx, const struct alerts_notice *notice,
                  struct alerts_time now, int64_t *ret_id, uint64_t *ret_ordering);
    /* Takes those of the episodes, all told under this ordering, out of what waits for the sink
     * whose first notification was never attempted.  0, -errno. */
    int (*withdraw)(void *owner, struct state_tx *tx, const char *sink, uint64_t ordering,
                    struct alerts_ended *ended, size_t n, struct alerts_time now);
    /* Whether the notification still waits: then nobody needs a repeat of it.  1, 0, -errno. */
    int (*waits)(void *owner, struct state_tx *tx, const char *sink, int64_t id);
    /* Whether the sink is there and has to know who sees to what it was told of. */
    bool (*wants_acks)(void *owner, const char *sink);
};

/* -ENOMEM. */
int alerts_create(const struct alerts_hooks *hooks, struct alerts **ret_alerts);
void alerts_destroy(struct alerts *alerts);

/* Forgets all and reads it from the file.  Running ends count anew.  Alerts have no groups until
 * alerts_route() was called, which it is at once if there was a routing already.  -errno. */
int alerts_load(struct alerts *alerts, struct state_tx *tx, bool writable, struct alerts_time now);
/* Takes the routing and puts every alert into the groups that it leads to.  -errno. */
int alerts_route(struct alerts *alerts, struct state_tx *tx, struct routing *routing,
                 struct alerts_time now);
/* -EDQUOT: LIMIT_ALERTS_ACTIVE are there; -errno, which is in the tx. */
int alerts_put(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
               struct alerts_time now, enum alerts_verdict *ret_verdict);
/* Does what is due: ends, flushes of groups. */
int alerts_run(struct alerts *alerts, struct state_tx *tx, struct alerts_time now);
/* When alerts_run() is wanted next (monotonic ms); INT64_MAX: never. */
int64_t alerts_next(const struct alerts *alerts);
/* Writes what changed.  Errors are in the tx. */
void alerts_save(struct alerts *alerts, struct state_tx *tx);

/* Who sees to an alert.  Borrowed; neither is NULL. */
struct alerts_ack {
    const char *by;      /* "": nobody said */
    const char *comment; /* "" */
};
/* Acknowledges the alert of that episode key or fingerprint: it is told to whom it was not, and
 * not repeated.  One that was acknowledged before changes hands.  `ack` NULL takes it back.  Sinks
 * that want it and were told that the episode began are told of the first acknowledgement.
 * -ENOENT; -ENOTUNIQ: several have that fingerprint; -ESTALE: it has resolved; -EINVAL: a text is
 * longer than LIMIT_ACK_... or no UTF-8; -ENOMEM; what is in the tx. */
int alerts_ack(struct alerts *alerts, struct state_tx *tx, const char *id,
               const struct alerts_ack *ack, struct alerts_time now);

/* ---- what the outbox reports ---- */

/* The sink will never hear of notification `id`, in which it was told that the episode began. */
void alerts_rejected(struct alerts *alerts, const char *sink, int64_t id, int64_t episode);
/* Whether notification `id`, in which `from` was told that the episode began, may go to `to`
 * instead: the episode is not over, and `to` does not know of it. */
bool alerts_can_move(struct alerts *alerts, const char *from, const char *to, int64_t id,
                     int64_t episode);
struct alerts_move {
    const char *from, *to;
    bool heard;
    uint64_t ordering;
};
/* It has gone there as notification `id`: the episode's end must follow it, in that ordering; also
 * to `from`, where that may have `heard` of it.  `to` is told who sees to it.  -ENOMEM; what is in
 * the tx. */
int alerts_moved(struct alerts *alerts, struct state_tx *tx, const struct alerts_move *move,
                 int64_t episode, int64_t id, struct alerts_time now);
/* Notification `id`, which was thought never to be heard, is tried again.  Whether the episode's
 * end will be told to the sink. */
bool alerts_revived(struct alerts *alerts, struct state_tx *tx, const char *sink, int64_t id,
                    int64_t episode, struct alerts_time now);

/* ---- reading, in a job ---- */

/* The notification in which a sink was told of an alert first. */
struct alerts_notice_view {
    int64_t id;    /* 0: it was told in none */
    bool rejected; /* it will never hear of it */
    bool moved;    /* another sink was told in its place */
};

/* A route that is in a maintenance window. */
struct alerts_window_view {
    const char *route; /* its key */
    int64_t until_ms;  /* Unix time at which nothing holds it back any more */
};

struct alerts_view {
    int64_t episode;
    const char *key; /* of the episode */
    const char *fingerprint;
    const struct tmon_pair *labels;
    size_t nlabels;
    const struct tmon_pair *annotations;
    size_t nannotations;
    const char *generator_url; /* "" */
    enum alerts_source source;
    tmon_severity severity; /* from the label */
    bool firing;            /* else it has resolved and somebody is still to be told */
    bool expired;           /* it resolved because its time was up */
    int64_t starts_ms, updated_ms;
    int64_t ends_ms; /* resolved: when; firing: when it will end by itself, 0: never */
    size_t nsinks;
    const char *const *sinks; /* the sinks that its routes lead to, and those with marks */
    const bool *told;         /* of each: it was told of, or is queued */
    const struct alerts_notice_view *notices; /* of each: in which notification */
    size_t nsilenced;
    const char *const *silenced_by; /* ids of active silences; a few where there are many */
    size_t ninhibited;
    const char *const *inhibited_by;    /* fingerprints, one for each rule; a few */
    const char *acked_by, *ack_comment; /* NULL: nobody sees to it; "": nothing was said */
    int64_t acked_ms;                   /* 0: it is not acknowledged */
    bool muted;                         /* all its routes are in maintenance windows */
    size_t nwindows;
    const struct alerts_window_view *windows; /* of its routes that are in one; a few */
    bool flapping;
    uint32_t flap_changes; /* while it flaps: how often it has changed by now */
    int64_t quiet_ms;      /* ... and the Unix time at which it has been quiet for long enough */
};
/* In no particular order; fn ends the walk by returning false. */
void alerts_visit(struct alerts *alerts, bool (*fn)(void *arg, const struct alerts_view *view),
                  void *arg, struct alerts_time now);

/* The one of that episode key or fingerprint.  -ENOENT, -ENOTUNIQ. */
int alerts_find(struct alerts *alerts, const char *id,
                void (*fn)(void *arg, const struct alerts_view *view), void *arg,
                struct alerts_time now);

/* The same, those that fire only, in the order of their fingerprints.  -ENOMEM. */
int alerts_visit_firing(struct alerts *alerts,
                        bool (*fn)(void *arg, const struct alerts_view *view), void *arg,
                        struct alerts_time now);

struct alerts_group_view {
    const struct tmon_pair *labels; /* that it is grouped by */
    size_t nlabels;
    const char *sink; /* one of those that are told of it */
    size_t nmembers;  /* resolved ones included */
    const struct group *group;
};
/* Each group that has members, with each of its sinks: by their labels as Alertmanager orders sets
 * of labels, then by sink.  -ENOMEM. */
int alerts_visit_groups(struct alerts *alerts,
                        bool (*fn)(void *arg, const struct alerts_group_view *view), void *arg,
                        struct alerts_time now);
/* The members of one that fire, in Alertmanager's order: by job, instance, then all labels.
 * -ENOMEM. */
int alerts_visit_members(struct alerts *alerts, const struct alerts_group_view *group,
                         bool (*fn)(void *arg, const struct alerts_view *view), void *arg,
                         struct alerts_time now);
/* The routing in force; NULL: there is none yet.  Borrowed until it is replaced. */
const struct routing *alerts_routing(const struct alerts *alerts);

/* Why nobody is told of an alert now. */
enum hold {
    HOLD_NONE,
    HOLD_SILENCED,
    HOLD_INHIBITED,
    HOLD_MAINTENANCE, /* its routes are in a maintenance window */
    HOLD_FLAPPING,
    HOLDS
};
const char *hold_name(enum hold hold);

struct alerts_counts {
    size_t firing[3];   /* by severity */
    size_t held[HOLDS]; /* firing ones by their first reason; up to a second old */
    size_t acked;       /* firing ones that somebody sees to */
    size_t silences[3]; /* by enum silence_state */
    size_t resolved;    /* that somebody is still to be told of */
    size_t groups;
    uint64_t put[ALERTS_VERDICTS]; /* since the start */
    uint64_t refused;              /* no room */
};
void alerts_count(const struct alerts *alerts, struct alerts_counts *ret_counts);

/* Resolves what comes from `source` and whose label `label` has a value that keep() does not want:
 * alerts of instances that are gone. */
int alerts_prune(struct alerts *alerts, struct state_tx *tx, enum alerts_source source,
                 const char *label, bool (*keep)(void *arg, const char *value), void *arg,
                 struct alerts_time now);

/* ---- an alert as the outbox encodes it ---- */

int64_t alert_episode(const struct alert *alert);
/* What the label `severity` says; warning when it is not there or unknown. */
tmon_severity alert_severity(const struct tmon_pair *labels, size_t n);
/* Who sees to it, "" where he did not say; NULL: nobody. */
const char *alert_acked_by(const struct alert *alert);
/* Fills the struct of the plugin API; everything is borrowed until the alerts change. */
void alert_describe(const struct alert *alert, bool firing, struct tmon_alert *ret_alert);

#endif
