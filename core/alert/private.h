/*
 * private.h: what the files of this room share; nobody else includes it.
 *
 *   ack.c      somebody sees to it
 *   alerts.c   episodes: fired, resolved, expired, forgotten
 *   groups.c   groups: who is in them, when they are due
 *   flap*.c    alerts that come and go too often, see flap.h
 *   maintenance.c  windows in which nobody is told of anything
 *   marks.c    which sinks were told of an episode
 *   flush.c    what a group has to say, said
 *   hold.c     whether anybody is told of an alert now
 *   silence*.c  silences, see silence_private.h
 *   inhibit.c  alerts that hold back others, see inhibit.h
 *   unheard.c  what has ended and was not heard of, taken back
 *   route_all.c  a routing comes into force
 *   rows.c     alerts and groups in the file; table.c how
 *   merge.c    what Alertmanager makes of an alert that is said again
 *   view.c     what others may see
 *   view_order.c  ... in an order
 */
#ifndef ALERT_PRIVATE_H
#define ALERT_PRIVATE_H

#include "alert/alerts.h"
#include "alert/flap.h"
#include "alert/inhibit.h"
#include "alert/silence_private.h"
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
    bool ack_told;           /* it was told, too, that somebody sees to it */
    int64_t id;              /* of the notification */
    int64_t last;            /* of the one that repeated it last, or the same */
    uint64_t ordering;       /* its ordering: the resolve must follow it there */
    struct alerts_time told; /* last; repeats count from it */
};

struct member { /* an alert's place in a group */
    struct group *group;
    size_t index;
};

struct alert { /* there are many: what is small stands together */
    int64_t episode;
    uint64_t fingerprint;
    struct tmon_pair *labels; /* one block, see labels_copy(); its strings are the identity */
    struct tmon_pair *annotations;
    char *generator_url;          /* NULL: none */
    char *acked_by, *ack_comment; /* NULL: nobody */
    int64_t acked_ms;             /* 0: it is not acknowledged */
    int64_t starts_ms, updated_ms;
    int64_t born_ms; /* what its key was made of: starts_ms may move */
    int64_t ends_ms; /* Unix time of its resolve */
    int64_t ttl_ms;
    int64_t until_ms;     /* Unix time at which it ends, where somebody said so; 0: by ttl_ms */
    struct heap_node end; /* in alerts.ends while it fires and has a ttl */
    struct mark *marks;
    struct member *groups;
    struct inhibit_part *parts;
    struct silence **silences; /* active ones that fit it; up to ALERT_SILENCES */
    uint64_t silence_version;  /* those up to it were looked at */
    struct alert *next_dirty;
    uint32_t nlabels, nannotations, nmarks, ngroups, nparts;
    uint32_t identity_len;
    uint32_t stamp; /* of the notification that is being put together, if it is in it */
    uint8_t source;
    uint8_t severity;
    uint8_t nsilences;
    bool more_silences; /* than were noted */
    bool firing;
    bool expired;
    bool partly_told; /* some were told that it ended, others not yet: it cannot go on */
    bool flapping;    /* it stays as if it fired */
    bool saved;       /* there is a row */
    bool dirty;       /* the row is not as it is here */
    bool gone;        /* forgotten; alerts_save() frees it */
    bool end_said;    /* `until_ms` was given by who said it, not made of a timeout */
    char fingerprint_text[17];
    char key[51]; /* three numbers in hexadecimal, see alert_make_key() */
};

#define ALERT_SILENCES 16 /* that are known of one alert; one would do to hold it */

struct told {
    uint32_t sink;
    bool idle; /* all that would be repeated is held: there is no next time */
    struct alerts_time at;
};

struct group {
    char *key; /* also the key in alerts.groups */
    uint64_t ordering;
    const struct route *route;
    struct tmon_pair *labels;
    int64_t row; /* 0: none */
    bool dirty, gone;
    bool held;    /* somebody may be held by a maintenance window, whose end lets him go */
    bool pending; /* somebody has to be told of something */
    int64_t created_ms, flushed_ms; /* Unix time; flushed 0: never */
    int64_t created_mono, flushed_mono;
    int64_t released_mono; /* since when it is pending because a hold has ended; 0: it is not */
    uint32_t nlabels, ntold, nmembers, members_size;
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
    struct silences silences;
    struct flaps flaps;
    int64_t last_put; /* the episode of what was put last and fires */
    struct inhibit inhibit;
    int64_t maintenance_at; /* when windows are looked at next, by the clock that does not jump */
    bool uncounted;         /* what is held may have changed since it was counted */
    int64_t counted_ms;     /* by the clock that does not jump */
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

/* ack.c */
/* Copies.  -ENOMEM: it is as it was. */
int alert_set_ack(struct alert *alert, const char *by, const char *comment, int64_t at_ms);
/* Whether whom the mark is of need not be reminded: somebody sees to the alert.  What it has
 * rejected it was not told of. */
bool alert_is_seen(const struct alert *alert, const struct mark *mark);
/* Tells the sink that somebody sees to it, if that is so, the sink wants it and was told of no more
 * than the beginning.  0, -errno. */
int ack_tell(struct alerts *alerts, struct state_tx *tx, struct alert *alert, struct mark *mark,
             struct alerts_time now);

/* maintenance.c */
bool route_in_maintenance(const struct route *route, struct alerts_time now);
/* When a window has ended: lets go what it held. */
void maintenance_run(struct alerts *alerts, struct alerts_time now);

/* alerts.c */
struct alert *alert_find(const struct alerts *alerts, int64_t episode);
void alert_dirty(struct alerts *alerts, struct alert *alert);
/* NULL in ret_alert: there is none.  Leaves the identity in alerts.scratch.  -ENOMEM. */
int alert_look_up(struct alerts *alerts, const struct alerts_input *input,
                  struct alert **ret_alert);
/* As alerts_put(), and does not ask whether it flaps. */
int alert_put_plain(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
                    struct alerts_time now, enum alerts_verdict *ret_verdict);
/* `ends_ms`: the Unix time that is given as its end. */
void alert_resolve(struct alerts *alerts, struct alert *alert, bool expired, int64_t ends_ms,
                   struct alerts_time now);
void alert_count(struct alerts *alerts, const struct alert *alert, int by);
/* Puts a new or loaded one into the maps.  -ENOMEM. */
int alert_enter(struct alerts *alerts, struct alert *alert);
void alert_free(struct alert *alert);
/* It resolved and no group has it any more: tells those who are left, and forgets it. */
int alert_finish(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                 struct alerts_time now);
void alert_set_end(struct alerts *alerts, struct alert *alert, struct alerts_time now);
void alert_make_key(struct alert *alert);

/* merge.c */
/* Makes of what is said what is to be done, with what is known already (NULL: nothing). */
void alert_merge(const struct alert *alert, struct alerts_input *input, struct alerts_time now);
/* Takes times that were merged.  True: its row must be written. */
bool alert_take_times(struct alert *alert, const struct alerts_input *input,
                      struct alerts_time now);
/* When it will end by itself, on the wall clock; 0: never. */
int64_t alert_running_end(const struct alert *alert, struct alerts_time now);

/* view.c */
#define VIEW_SINKS 64   /* of one alert; more are not shown */
#define VIEW_SOURCES 16 /* that inhibit one alert */
#define VIEW_WINDOWS 8  /* routes in maintenance */
struct view_space {
    const char *sinks[VIEW_SINKS];
    bool told[VIEW_SINKS];
    struct alerts_notice_view notices[VIEW_SINKS];
    size_t nsinks;
    struct alerts_window_view windows[VIEW_WINDOWS];
    size_t nwindows;
    const char *silences[ALERT_SILENCES]; /* that hold it back */
    const char *sources[VIEW_SOURCES];
    size_t nsilences, nsources;
};
/* Borrows `space`. */
struct alerts_view alert_view(struct alerts *alerts, struct alert *alert, struct view_space *space,
                              struct alerts_time now);

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
/* A hold of it has ended: it is told, or repeated when that is due.  Not before group_wait is over:
 * what held it back has often ended because it ends too. */
void groups_release(struct alerts *alerts, const struct alert *alert, struct alerts_time now);
void group_schedule(struct alerts *alerts, struct group *group, struct alerts_time now);
/* Found by its key, or made.  NULL: out of memory. */
struct group *group_get(struct alerts *alerts, const char *key, struct alerts_time now);
void group_free(struct group *group);
/* Without members: forgets it and its row. */
void group_drop(struct alerts *alerts, struct state_tx *tx, struct group *group);
void group_dirty(struct alerts *alerts, struct group *group);
/* NULL: it was told of nothing. */
struct told *told_find(const struct group *group, uint32_t sink);
bool group_needs_telling(struct alerts *alerts, const struct group *group, struct alerts_time now);
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
