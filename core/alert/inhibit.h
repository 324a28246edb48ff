/*
 * inhibit.h: which alerts are inhibited by others; for the files of this room.
 *
 * For each rule of the routing, alerts that fit one of its sides and have the same values of its
 * labels are in a set.  A set counts its sources that fire, so whether an alert is inhibited is
 * known without a search, from the first moment: alerts are in the state, and sets are made of them
 * when a routing comes into force, before any group is told.
 */
#ifndef ALERT_INHIBIT_H
#define ALERT_INHIBIT_H

#include <stdbool.h>
#include <stddef.h>

#include "alert/alerts.h"
#include "base/map.h"

/* An alert's part in a rule.  As in Alertmanager, one that is both is not inhibited by another that
 * is both; so none is by itself. */
enum inhibit_side { INHIBIT_SOURCE, INHIBIT_BOTH, INHIBIT_TARGET, INHIBIT_SIDES };

struct inhibit_part {
    struct alert *alert;
    struct inhibit_set *set;
    enum inhibit_side side;
    struct inhibit_part *next, *prev; /* in set.parts[side] */
};

struct inhibit_set {
    char *key; /* the number of the rule, and the values of its labels */
    size_t len;
    struct inhibit_part *parts[INHIBIT_SIDES];
    size_t nfiring[INHIBIT_SIDES];
};

struct inhibit {
    struct map sets;
};

/* By the routing that is there.  An alert is entered as it is, firing or not.  -ENOMEM. */
int inhibit_enter(struct alerts *alerts, struct alert *alert);
void inhibit_leave(struct alerts *alerts, struct alert *alert);
/* Every alert, by a new routing.  -ENOMEM. */
int inhibit_enter_all(struct alerts *alerts);
void inhibit_leave_all(struct alerts *alerts);
/* It fires (again), or does not any more: then those are told that it alone had inhibited. */
void inhibit_fired(struct alert *alert);
void inhibit_resolved(struct alerts *alerts, struct alert *alert, struct alerts_time now);
bool inhibit_holds(const struct alert *alert);
/* The fingerprints of those that inhibit it, one for each rule, up to `most`.  Borrowed. */
size_t inhibit_sources(const struct alert *alert, const char **ret_fingerprints, size_t most);

#endif
