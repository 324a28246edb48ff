/*
 * flap.c: see flap.h.
 */
#include "alert/flap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/hold.h"
#include "alert/private.h"
#include "model/labels.h"

#define LABEL "flapping"

#define FLAP_OF(node_) ((struct flap *)(void *)((char *)(node_)-offsetof(struct flap, quiet)))

/* ---- small things ---- */

void flaps_init(struct flaps *flaps)
{
    *flaps = (struct flaps){0};
    map_init(&flaps->by_identity);
    heap_init(&flaps->quiet);
}

void flap_free(struct flap *flap)
{
    if (flap) {
        free(flap->labels);
        free(flap);
    }
}

void flaps_finish(struct flaps *flaps)
{
    struct flap *flap;
    size_t pos = 0;

    while (flaps->dirty) {
        flap = flaps->dirty;
        flaps->dirty = flap->next_dirty;
        if (flap->gone) {
            flap_free(flap);
        }
    }
    while ((flap = map_next(&flaps->by_identity, &pos))) {
        flap_free(flap);
    }
    map_finish(&flaps->by_identity);
    heap_finish(&flaps->quiet);
    flaps_init(flaps);
}

static size_t changes_wanted(const struct alerts *alerts)
{
    return alerts->routing ? alerts->routing->flap_changes : 0;
}

bool flaps_wanted(const struct alerts *alerts)
{
    return changes_wanted(alerts) > 0 || alerts->flaps.by_identity.used > 0;
}

static const char *identity(const struct flap *flap)
{
    return (const char *)(flap->labels + flap->nlabels);
}

static struct flap *find(const struct alerts *alerts, const char *key, size_t len)
{
    return map_get(&alerts->flaps.by_identity, key, len);
}

static struct alert *alert_of(const struct alerts *alerts, const struct flap *flap)
{
    return map_get(&alerts->by_identity, identity(flap), flap->identity_len);
}

const struct flap *flap_of(const struct alerts *alerts, const struct alert *alert)
{
    return find(alerts, (const char *)(alert->labels + alert->nlabels), alert->identity_len);
}

static void mark_dirty(struct alerts *alerts, struct flap *flap)
{
    if (!flap->dirty) {
        flap->dirty = true;
        flap->next_dirty = alerts->flaps.dirty;
        alerts->flaps.dirty = flap;
    }
}

static int set_quiet(struct alerts *alerts, struct flap *flap)
{
    return heap_set(&alerts->flaps.quiet, &flap->quiet,
                    flap->at[flap->n - 1].mono_ms +
                        (alerts->routing ? alerts->routing->flap_window_ms : 0));
}

int flap_enter(struct alerts *alerts, struct flap *flap)
{
    int r;

    flap->identity_len = 0;
    for (size_t i = 0; i < flap->nlabels; i++) {
        flap->identity_len += strlen(flap->labels[i].key) + strlen(flap->labels[i].value) + 2;
    }
    if (find(alerts, identity(flap), flap->identity_len)) {
        return -EPROTO;
    }
    r = map_put(&alerts->flaps.by_identity, identity(flap), flap->identity_len, flap);
    return r < 0 ? r : set_quiet(alerts, flap);
}

static void drop(struct alerts *alerts, struct state_tx *tx, struct flap *flap)
{
    (void)map_remove(&alerts->flaps.by_identity, identity(flap), flap->identity_len);
    heap_remove(&alerts->flaps.quiet, &flap->quiet);
    if (flap->row != 0) {
        flap_row_delete(tx, flap->row);
    }
    flap->gone = true;
    if (!flap->dirty) {
        flap_free(flap);
    }
}

/* ---- changes ---- */

/* NULL in ret_flap: there are too many. */
static int start(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
                 struct alerts_time now, struct flap **ret_flap)
{
    struct heap_node *oldest = heap_top(&alerts->flaps.quiet);
    struct flap *flap;
    int r;

    if (alerts->flaps.by_identity.used >= LIMIT_FLAPS) {
        if (FLAP_OF(oldest)->flapping) {
            return 0;
        }
        drop(alerts, tx, FLAP_OF(oldest));
    }
    flap = calloc(1, sizeof *flap);
    if (!flap || labels_copy(input->labels, input->nlabels, &flap->labels) < 0) {
        flap_free(flap);
        return -ENOMEM;
    }
    flap->nlabels = input->nlabels;
    flap->at[flap->n++] = now;
    r = flap_enter(alerts, flap);
    if (r < 0) {
        (void)map_remove(&alerts->flaps.by_identity, identity(flap), flap->identity_len);
        flap_free(flap);
        return r;
    }
    *ret_flap = flap;
    return 0;
}

static void note(struct alerts *alerts, struct flap *flap, struct alerts_time now)
{
    if (flap->n == ROUTING_FLAP_CHANGES_MOST) {
        flap->n--;
        memmove(flap->at, flap->at + 1, flap->n * sizeof flap->at[0]);
    }
    flap->at[flap->n++] = now;
    flap->total += flap->flapping;
    (void)set_quiet(alerts, flap); /* it is in the heap: there is room */
    mark_dirty(alerts, flap);
}

static bool is_too_often(const struct alerts *alerts, const struct flap *flap,
                         struct alerts_time now)
{
    size_t wanted = changes_wanted(alerts);

    return wanted > 0 && flap->n >= wanted &&
           now.mono_ms - flap->at[flap->n - wanted].mono_ms <= alerts->routing->flap_window_ms;
}

/* ---- the notice ---- */

/* The labels with the one that makes it another alert, in order.  0: there is no room for it. */
static size_t notice_labels(const struct flap *flap, struct tmon_pair *pairs)
{
    size_t n = 0;

    if (flap->nlabels == LIMIT_PAIRS || *labels_get(flap->labels, flap->nlabels, LABEL)) {
        return 0;
    }
    for (size_t i = 0; i < flap->nlabels; i++) {
        if (n == i && strcmp(flap->labels[i].key, LABEL) > 0) {
            pairs[n++] = (struct tmon_pair){LABEL, "true"};
        }
        pairs[n++] = flap->labels[i];
    }
    if (n == flap->nlabels) {
        pairs[n++] = (struct tmon_pair){LABEL, "true"};
    }
    return n;
}

static int put_notice(struct alerts *alerts, struct state_tx *tx, const struct flap *flap,
                      const char *text, bool resolved, struct alerts_time now)
{
    struct tmon_pair labels[LIMIT_PAIRS + 1];
    const struct tmon_pair summary = {"summary", text};
    struct alerts_input input = {.labels = labels,
                                 .nlabels = notice_labels(flap, labels),
                                 .annotations = &summary,
                                 .nannotations = 1,
                                 .source = ALERTS_FLAPPING};
    enum alerts_verdict verdict;
    char why[128];
    int r;

    if (input.nlabels == 0 || alerts_input_check(&input, why, sizeof why) < 0) {
        return -EDQUOT;
    }
    r = alert_put_plain(alerts, tx, &input, now, &verdict);
    if (r == 0 && resolved) {
        input.resolved = true;
        r = alert_put_plain(alerts, tx, &input, now, &verdict);
    }
    return r;
}

static const char *name_of(const struct flap *flap)
{
    return labels_get(flap->labels, flap->nlabels, "alertname");
}

/* Where there is no room for the notice nothing is held back either. */
static int begin(struct alerts *alerts, struct state_tx *tx, struct flap *flap, struct alert *alert,
                 bool firing, struct alerts_time now)
{
    char text[LIMIT_LABEL_VALUE_BYTES + 128];
    int r;

    (void)snprintf(text, sizeof text, "%s flaps: %zu changes within %lld s", name_of(flap),
                   changes_wanted(alerts), (long long)(alerts->routing->flap_window_ms / 1000));
    r = put_notice(alerts, tx, flap, text, false, now);
    if (r < 0) {
        return r == -EDQUOT ? 0 : r;
    }
    flap->flapping = true;
    flap->firing = firing;
    flap->total = (uint32_t)changes_wanted(alerts);
    flap->notice = alerts->last_put;
    alert->flapping = true;
    alerts->uncounted = true;
    mark_dirty(alerts, flap);
    return 0;
}

/* It has been quiet for a window, or nobody wants to hear of flapping any more. */
static int end(struct alerts *alerts, struct state_tx *tx, struct flap *flap,
               struct alerts_time now)
{
    struct alert *alert = alert_of(alerts, flap);
    bool fires = alert && alert->firing && flap->firing;
    char text[LIMIT_LABEL_VALUE_BYTES + 128];
    int r;

    (void)snprintf(text, sizeof text, "%s flaps no more: it %s now, after %lu changes",
                   name_of(flap), fires ? "fires" : "is resolved", (unsigned long)flap->total);
    r = put_notice(alerts, tx, flap, text, true, now);
    if (alert) {
        alert->flapping = false;
        alerts->uncounted = true;
    }
    if (alert && alert->firing && !flap->firing) {
        alert_resolve(alerts, alert, false, now.real_ms, now);
    } else if (alert) {
        alert_released(alerts, alert, now);
    }
    flap->flapping = false;
    return r == -EDQUOT ? 0 : r;
}

/* ---- what somebody says ---- */

/* What is said of one that flaps, or begins to, and is not that it fires: it stays as it is. */
static void keep(struct alerts *alerts, struct flap *flap, struct alert *alert)
{
    flap->firing = false;
    if (alert) {
        heap_remove(&alerts->ends, &alert->end);
    }
}

static int look(struct alerts *alerts, const struct alerts_input *input, struct alert **ret_alert,
                struct flap **ret_flap)
{
    struct buf *key = &alerts->scratch;
    int r = alert_look_up(alerts, input, ret_alert); /* leaves the key there */

    *ret_flap = r == 0 ? find(alerts, key->data, key->len) : NULL;
    return r;
}

static int put(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
               struct alerts_time now, enum alerts_verdict *ret_verdict)
{
    struct alerts_input merged = *input;
    bool firing, was, changed, begins;
    struct alert *alert = NULL;
    struct flap *flap = NULL;
    int r = look(alerts, input, &alert, &flap);

    if (r < 0) {
        return r;
    }
    if (input->merge) {
        alert_merge(alert, &merged, now);
    }
    firing = !merged.resolved;
    was = flap && flap->flapping ? flap->firing : alert && alert->firing;
    changed = was != firing;
    if (changed && flap) {
        note(alerts, flap, now);
    } else if (changed && !firing && changes_wanted(alerts) > 0) {
        r = start(alerts, tx, input, now, &flap);
    }
    begins = r == 0 && changed && flap && !flap->flapping && is_too_often(alerts, flap, now);
    if (begins && !firing) {
        r = begin(alerts, tx, flap, alert, false, now);
    }
    if (r == 0 && flap && flap->flapping && !firing) {
        keep(alerts, flap, alert);
        *ret_verdict = changed ? ALERTS_RESOLVED : ALERTS_NOT_FIRING;
        return 0;
    }
    r = r < 0 ? r : alert_put_plain(alerts, tx, input, now, ret_verdict);
    if (r < 0 || !flap || !firing) {
        return r;
    }
    if (flap->flapping) {
        flap->firing = true;
        r = alert_look_up(alerts, input, &alert);
        if (r == 0 && alert) {
            alert->flapping = true; /* it may be another by now */
        }
        *ret_verdict = changed ? ALERTS_FIRING : *ret_verdict;
    } else if (begins) {
        r = alert_look_up(alerts, input, &alert);
        r = r < 0 ? r : begin(alerts, tx, flap, alert, true, now);
    }
    return r;
}

int flap_put(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
             struct alerts_time now, enum alerts_verdict *ret_verdict)
{
    int r = input->source == ALERTS_FLAPPING ? alert_put_plain(alerts, tx, input, now, ret_verdict)
                                             : put(alerts, tx, input, now, ret_verdict);

    if (r < 0 && r != -EDQUOT && tx->error == 0) {
        tx->error = r; /* half of it may have happened */
    }
    return r;
}

bool flap_expired(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                  struct alerts_time now)
{
    const struct alerts_input input = {
        .labels = alert->labels, .nlabels = alert->nlabels, .resolved = true};
    struct flap *flap = NULL;
    int r = look(alerts, &input, &alert, &flap);

    if (r == 0 && flap && !flap->flapping) {
        note(alerts, flap, now);
        if (is_too_often(alerts, flap, now)) {
            r = begin(alerts, tx, flap, alert, false, now);
        }
    } else if (r == 0 && flap && flap->firing) {
        note(alerts, flap, now);
    } else if (r == 0 && !flap && changes_wanted(alerts) > 0 && alert->source != ALERTS_FLAPPING) {
        r = start(alerts, tx, &input, now, &flap);
    }
    if (r < 0 && tx->error == 0) {
        tx->error = r;
    }
    if (!flap || !flap->flapping) {
        return false;
    }
    keep(alerts, flap, alert);
    return true;
}

/* ---- what time does ---- */

/* A notice without what it is about, since that row was lost: it ends. */
static void end_lost(struct alerts *alerts, struct alerts_time now)
{
    const struct flap *flap;
    struct alert *alert;
    size_t pos = 0;

    while ((alert = map_next(&alerts->by_episode, &pos))) {
        bool known = alert->source != ALERTS_FLAPPING || !alert->firing;
        size_t other = 0;

        while (!known && (flap = map_next(&alerts->flaps.by_identity, &other))) {
            known = flap->flapping && flap->notice == alert->episode;
        }
        if (!known) {
            alert_resolve(alerts, alert, false, now.real_ms, now);
        }
    }
    alerts->flaps.unsure = false;
}

int flaps_run(struct alerts *alerts, struct state_tx *tx, struct alerts_time now)
{
    struct heap_node *node;
    int r = 0;

    if (!alerts->routing) {
        return 0; /* how long a window lasts is not known yet */
    }
    if (alerts->flaps.unsure) {
        end_lost(alerts, now);
    }
    while (r == 0 && (node = heap_top(&alerts->flaps.quiet)) && node->at <= now.mono_ms) {
        struct flap *flap = FLAP_OF(node);

        r = flap->flapping ? end(alerts, tx, flap, now) : 0;
        drop(alerts, tx, flap);
    }
    return r;
}

int64_t flaps_next(const struct alerts *alerts)
{
    const struct heap_node *node = heap_top(&alerts->flaps.quiet);

    return node && alerts->routing ? node->at : INT64_MAX;
}

int flaps_route(struct alerts *alerts, struct alerts_time now)
{
    struct flap *flap;
    size_t pos = 0;
    int r = 0;

    while (r == 0 && (flap = map_next(&alerts->flaps.by_identity, &pos))) {
        r = changes_wanted(alerts) > 0 ? set_quiet(alerts, flap)
                                       : heap_set(&alerts->flaps.quiet, &flap->quiet, now.mono_ms);
    }
    return r;
}
