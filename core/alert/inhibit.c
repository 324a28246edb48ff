/*
 * inhibit.c: see inhibit.h.
 */
#include "alert/inhibit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/hold.h"
#include "alert/private.h"
#include "model/labels.h"

/* ---- sets ---- */

/* Values have no NUL in them. */
static void make_key(struct buf *key, uint32_t number, const struct inhibit_rule *rule,
                     const struct alert *alert)
{
    buf_clear(key);
    buf_append(key, (const char *)&number, sizeof number);
    for (size_t i = 0; i < rule->nequal; i++) {
        const char *value = labels_get(alert->labels, alert->nlabels, rule->equal[i]);

        buf_append(key, value, strlen(value) + 1);
    }
}

static int set_get(struct alerts *alerts, const struct buf *key, struct inhibit_set **ret_set)
{
    struct inhibit_set *set = map_get(&alerts->inhibit.sets, key->data, key->len);

    if (set) {
        *ret_set = set;
        return 0;
    }
    set = calloc(1, sizeof *set);
    if (set) {
        set->key = malloc(key->len);
        set->len = key->len;
    }
    if (!set || !set->key) {
        free(set);
        return -ENOMEM;
    }
    memcpy(set->key, key->data, key->len);
    if (map_put(&alerts->inhibit.sets, set->key, set->len, set) < 0) {
        free(set->key);
        free(set);
        return -ENOMEM;
    }
    *ret_set = set;
    return 0;
}

static void set_drop_if_empty(struct alerts *alerts, struct inhibit_set *set)
{
    if (!set->parts[INHIBIT_SOURCE] && !set->parts[INHIBIT_BOTH] && !set->parts[INHIBIT_TARGET]) {
        (void)map_remove(&alerts->inhibit.sets, set->key, set->len);
        free(set->key);
        free(set);
    }
}

/* ---- parts ---- */

static void link_part(struct inhibit_part *part, bool firing)
{
    struct inhibit_part **head = &part->set->parts[part->side];

    part->prev = NULL;
    part->next = *head;
    if (*head) {
        (*head)->prev = part;
    }
    *head = part;
    part->set->nfiring[part->side] += firing;
}

static void unlink_part(struct inhibit_part *part, bool firing)
{
    if (part->prev) {
        part->prev->next = part->next;
    } else {
        part->set->parts[part->side] = part->next;
    }
    if (part->next) {
        part->next->prev = part->prev;
    }
    part->set->nfiring[part->side] -= firing;
}

/* False: it has none. */
static bool side_of(const struct inhibit_rule *rule, const struct alert *alert,
                    enum inhibit_side *ret_side)
{
    bool source = matchers_match(rule->source, rule->nsource, alert->labels, alert->nlabels);
    bool target = matchers_match(rule->target, rule->ntarget, alert->labels, alert->nlabels);

    *ret_side = source && target ? INHIBIT_BOTH : source ? INHIBIT_SOURCE : INHIBIT_TARGET;
    return source || target;
}

int inhibit_enter(struct alerts *alerts, struct alert *alert)
{
    const struct routing *routing = alerts->routing;
    enum inhibit_side sides[LIMIT_INHIBIT_RULES];
    uint32_t numbers[LIMIT_INHIBIT_RULES];
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; routing && i < routing->ninhibit && i < LIMIT_INHIBIT_RULES; i++) {
        numbers[n] = (uint32_t)i;
        n += side_of(&routing->inhibit[i], alert, &sides[n]);
    }
    if (n == 0) {
        return 0;
    }
    alert->parts = calloc(n, sizeof *alert->parts);
    if (!alert->parts) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        struct inhibit_part *part = &alert->parts[i];

        part->alert = alert;
        part->side = sides[i];
        make_key(&alerts->scratch, numbers[i], &routing->inhibit[numbers[i]], alert);
        r = alerts->scratch.failed ? -ENOMEM : set_get(alerts, &alerts->scratch, &part->set);
        if (r == 0) {
            link_part(part, alert->firing);
            alert->nparts++;
        }
    }
    return r;
}

void inhibit_leave(struct alerts *alerts, struct alert *alert)
{
    for (size_t i = 0; i < alert->nparts; i++) {
        unlink_part(&alert->parts[i], alert->firing);
        set_drop_if_empty(alerts, alert->parts[i].set);
    }
    free(alert->parts);
    alert->parts = NULL;
    alert->nparts = 0;
}

int inhibit_enter_all(struct alerts *alerts)
{
    struct alert *alert;
    size_t pos = 0;
    int r = 0;

    while (r == 0 && (alert = map_next(&alerts->by_episode, &pos))) {
        r = inhibit_enter(alerts, alert);
    }
    return r;
}

void inhibit_leave_all(struct alerts *alerts)
{
    struct alert *alert;
    size_t pos = 0;

    while ((alert = map_next(&alerts->by_episode, &pos))) {
        inhibit_leave(alerts, alert);
    }
}

/* ---- who inhibits whom ---- */

static bool part_holds(const struct inhibit_part *part)
{
    const struct inhibit_set *set = part->set;

    return part->side != INHIBIT_SOURCE &&
           (set->nfiring[INHIBIT_SOURCE] > 0 ||
            (part->side == INHIBIT_TARGET && set->nfiring[INHIBIT_BOTH] > 0));
}

bool inhibit_holds(const struct alert *alert)
{
    for (size_t i = 0; i < alert->nparts; i++) {
        if (part_holds(&alert->parts[i])) {
            return true;
        }
    }
    return false;
}

static const struct alert *first_firing(const struct inhibit_part *part)
{
    while (part && !part->alert->firing) {
        part = part->next;
    }
    return part ? part->alert : NULL;
}

size_t inhibit_sources(const struct alert *alert, const char **ret_fingerprints, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < alert->nparts && n < most; i++) {
        const struct inhibit_set *set = alert->parts[i].set;
        const struct alert *source;
        bool there = false;

        if (!part_holds(&alert->parts[i])) {
            continue;
        }
        source = first_firing(set->parts[INHIBIT_SOURCE]);
        source = source ? source : first_firing(set->parts[INHIBIT_BOTH]);
        for (size_t j = 0; j < n; j++) {
            there = there || ret_fingerprints[j] == source->fingerprint_text;
        }
        if (!there) {
            ret_fingerprints[n++] = source->fingerprint_text;
        }
    }
    return n;
}

void inhibit_fired(struct alert *alert)
{
    for (size_t i = 0; i < alert->nparts; i++) {
        alert->parts[i].set->nfiring[alert->parts[i].side]++;
    }
}

static void release(struct alerts *alerts, const struct inhibit_part *part, struct alerts_time now)
{
    for (; part; part = part->next) {
        alert_released(alerts, part->alert, now);
    }
}

void inhibit_resolved(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    for (size_t i = 0; i < alert->nparts; i++) {
        struct inhibit_part *part = &alert->parts[i];
        struct inhibit_set *set = part->set;

        if (--set->nfiring[part->side] > 0 || part->side == INHIBIT_TARGET) {
            continue;
        }
        release(alerts, set->parts[INHIBIT_TARGET], now);
        if (part->side == INHIBIT_SOURCE) {
            release(alerts, set->parts[INHIBIT_BOTH], now);
        }
    }
}
