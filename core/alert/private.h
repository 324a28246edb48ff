/*
 * private.h: what the files of this room share; nobody else includes it.
 *
 *   alerts.c   episodes: fired, resolved, expired, forgotten
 *   groups.c   groups: who is in them, when they are due
 *   marks.c    which sinks were told of an episode
 *   flush.c    what a group has to say, said
 *   unheard.c  what has ended and was not heard of, taken back
 *   route_all.c  a routing comes into force
 *   rows.c     alerts and groups in the file
 *   view.c     what others may see
 */
#ifndef ALERT_PRIVATE_H
#define ALERT_PRIVATE_H

#include "alert/alerts.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/map.h"

struct group;

enum fate {
    FATE_TOLD = 0,     /* it is queued or was sent */
    FATE_REJECTED = 1, /* for ever: no resolve follows */
    FATE_MOVED = 2,    /* another sink was told in its place, and gets the resolve */
};

/* A sink that was told that an episode began. */
struct mark {
    uint32_t sink;           /* index of alerts.sinks */
    uint8_t fate;            /* of enum fate */
    int64_t id;              /* of the notification */
    int64_t last;            /* of the one that repeated it last, or the same */
    uint64_t ordering;       /* its ordering: the resolve must follow it there */
    struct alerts_time told; /* last; repeats count from it */
};

struct member { /* an alert's place in a group */
    struct group *group;
    size_t index;
};

struct alert {
    int64_t episode;
    uint64_t fingerprint;
    char fingerprint_text[17];
    char key[64];
    struct tmon_pair *labels; /* one block, see labels_copy(); its strings are the identity */
    size_t nlabels;
    size_t identity_len;
    struct tmon_pair *annotations;
    size_t nannotations;
    char *generator_url; /* NULL: none */
    uint8_t source;
    uint8_t severity;
    bool firing;
    bool expired;
    bool partly_told; /* some were told that it ended, others not yet: it cannot go on */
    bool saved;       /* there is a row */
    bool dirty;       /* the row is not as it is here */
    bool gone;        /* forgotten; alerts_save() frees it */
    uint32_t stamp;   /* of the notification that is being put together, if it is in it */
    int64_t starts_ms, updated_ms;
    int64_t ends_ms; /* Unix time of its resolve */
    int64_t ttl_ms;
    struct heap_node end; /* in alerts.ends while it fires and has a ttl */
    size_t nmarks, ngroups;
    struct mark *marks;
    struct member *groups;
    struct alert *next_dirty;
};

struct told {
    uint32_t sink;
    struct alerts_time at;
};

struct group {
    char *key; /* also the key in alerts.groups */
    uint64_t ordering;
    const struct route *route;
    struct tmon_pair *labels;
    size_t nlabels;
    int64_t row; /* 0: none */
    bool dirty, gone;
    bool pending;                   /* somebody has to be told of something */
    int64_t created_ms, flushed_ms; /* Unix time; flushed 0: never */
    int64_t created_mono, flushed_mono;
    size_t ntold, nmembers, members_size;
    struct told *told; /* the last notice of the group to each sink */
    struct alert **members;
    struct heap_node due; /* in alerts.due */
    struct group *next_dirty;
};

struct alerts {
    struct alerts_hooks hooks;
    struct routing *routing; /* NULL until the first alerts_route() */
    uint32_t *routed;        /* index of alerts.sinks for each of routing.sinks */
    size_t nsinks;
    char **sinks;
    struct map by_identity; /* of alerts */
    struct map by_episode;
    struct map groups;
    struct heap ends;
    struct heap due;
    struct alert *dirty_alerts;
    struct group *dirty_groups;
    int64_t last_episode, last_group; /* the highest numbers that were given */
    int64_t saved_episode;            /* the highest that the file knows of */
    uint32_t stamp;                   /* the last that was used */
    struct buf scratch;
    struct alerts_counts counts;
};

#define REPEAT_SLACK_MS 1000 /* what is due within a second goes with what is due now */
#define REPEAT_LEAST_MS 2000 /* more than that: what was repeated must not be due at once */

/* alerts.c */
struct alert *alert_find(const struct alerts *alerts, int64_t episode);
void alert_dirty(struct alerts *alerts, struct alert *alert);
void alert_count(struct alerts *alerts, const struct alert *alert, int by);
/* Puts a new or loaded one into the maps.  -ENOMEM. */
int alert_enter(struct alerts *alerts, struct alert *alert);
void alert_free(struct alert *alert);
/* It resolved and no group has it any more: tells those who are left, and forgets it. */
int alert_finish(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                 struct alerts_time now);
void alert_set_end(struct alerts *alerts, struct alert *alert, struct alerts_time now);
void alert_make_key(struct alert *alert);

/* marks.c */
long sink_index(struct alerts *alerts, const char *name);
struct mark *mark_find(const struct alert *alert, uint32_t sink);
int mark_add(struct alert *alert, const struct mark *mark);
void mark_remove(struct alert *alert, struct mark *mark);

/* groups.c */
/* Puts the alert into those groups of its routes that it is not in.  -ENOMEM. */
int groups_join(struct alerts *alerts, struct alert *alert, struct alerts_time now);
/* Takes it out of all, without a word. */
void groups_leave(struct alerts *alerts, struct alert *alert);
/* Takes it out of one. */
void group_remove(struct group *group, struct alert *alert);
/* Something about it has to be told. */
void groups_touch(struct alerts *alerts, const struct alert *alert, struct alerts_time now);
void group_schedule(struct alerts *alerts, struct group *group, struct alerts_time now);
/* Found by its key, or made.  NULL: out of memory. */
struct group *group_get(struct alerts *alerts, const char *key, struct alerts_time now);
void group_free(struct group *group);
/* Without members: forgets it and its row. */
void group_drop(struct alerts *alerts, struct state_tx *tx, struct group *group);
void group_dirty(struct alerts *alerts, struct group *group);
/* NULL: it was told of nothing. */
struct told *told_find(const struct group *group, uint32_t sink);
bool group_needs_telling(const struct alerts *alerts, const struct group *group);
/* On the clock that does not jump, as all that is compared with it. */
int64_t group_repeat_at(const struct group *group, struct alerts_time told);
/* A time out of the file, on both clocks. */
struct alerts_time time_of(int64_t real_ms, struct alerts_time now);

/* flush.c */
int group_flush(struct alerts *alerts, struct state_tx *tx, struct group *group,
                struct alerts_time now);
/* Tells one sink that the episode has ended, after whatever said that it began.  0, -errno. */
int flush_resolve(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                  const struct mark *mark, const char *group_key, const struct tmon_pair *group,
                  size_t ngroup, struct alerts_time now);

/* unheard.c */
/* What fired and has ended while it waited unheard for the sink is withdrawn: then there is nothing
 * to tell.  0, -errno. */
int group_withdraw(struct alerts *alerts, struct state_tx *tx, struct group *group, uint32_t sink,
                   struct alerts_time now);

/* route_all.c */
/* Every alert into the groups that the routing leads to.  `tx` NULL: nothing can be written. */
int route_all(struct alerts *alerts, struct state_tx *tx, struct alerts_time now);

/* rows.c */
void row_delete_alert(struct state_tx *tx, int64_t episode);
void row_delete_group(struct state_tx *tx, int64_t row);

#endif
