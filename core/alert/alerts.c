/*
 * alerts.c: episodes are born, go on, end; see alerts.h.  Runs on the state's thread.
 *
 * Memory is changed at once and the row is marked; alerts_save() writes each changed row once,
 * however much happened to it in the batch.  There is no undoing here: when a commit fails,
 * everything is read anew.
 */
#include "alert/alerts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/hold.h"
#include "alert/private.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "model/labels.h"

#define TTL_MOST_MS (INT64_C(1) << 45) /* a thousand years: for ever, and no overflow */

const char *alerts_verdict_name(enum alerts_verdict verdict)
{
    static const char *const names[ALERTS_VERDICTS] = {"firing", "updated", "unchanged", "resolved",
                                                       "not_firing"};

    return verdict < ALERTS_VERDICTS ? names[verdict] : "unknown";
}

/* ---- small things ---- */

struct alert *alert_find(const struct alerts *alerts, int64_t episode)
{
    return map_get(&alerts->by_episode, (const char *)&episode, sizeof episode);
}

void alert_dirty(struct alerts *alerts, struct alert *alert)
{
    if (!alert->dirty) {
        alert->dirty = true;
        alert->next_dirty = alerts->dirty_alerts;
        alerts->dirty_alerts = alert;
    }
}

void alert_count(struct alerts *alerts, const struct alert *alert, int by)
{
    size_t *count =
        alert->firing ? &alerts->counts.firing[alert->severity] : &alerts->counts.resolved;

    *count += (size_t)by;
    if (alert->firing && alert->acked_ms != 0) {
        alerts->counts.acked += (size_t)by;
    }
    alerts->uncounted = true;
}

tmon_severity alert_severity(const struct tmon_pair *labels, size_t n)
{
    const char *text = labels_get(labels, n, "severity");

    return strcmp(text, "critical") == 0 ? TMON_SEVERITY_CRITICAL
           : strcmp(text, "info") == 0   ? TMON_SEVERITY_INFO
                                         : TMON_SEVERITY_WARNING;
}

void alert_make_key(struct alert *alert)
{
    char *at = hex_put(alert->fingerprint_text, alert->fingerprint, HEX_MOST);

    *at = '\0';
    memcpy(alert->key, alert->fingerprint_text, HEX_MOST);
    at = alert->key + HEX_MOST;
    *at++ = '-';
    at = hex_put(at, (uint64_t)alert->born_ms, 1);
    *at++ = '-';
    *hex_put(at, (uint64_t)alert->episode, 1) = '\0';
}

static const char *identity(const struct alert *alert)
{
    return (const char *)(alert->labels + alert->nlabels);
}

int alert_enter(struct alerts *alerts, struct alert *alert)
{
    int r;

    alert->identity_len = 0;
    for (size_t i = 0; i < alert->nlabels; i++) {
        alert->identity_len += strlen(alert->labels[i].key) + strlen(alert->labels[i].value) + 2;
    }
    r = map_put(&alerts->by_identity, identity(alert), alert->identity_len, alert);
    if (r == 0) {
        r = map_put(&alerts->by_episode, (const char *)&alert->episode, sizeof alert->episode,
                    alert);
        if (r < 0) {
            (void)map_remove(&alerts->by_identity, identity(alert), alert->identity_len);
        }
    }
    if (r == 0) {
        alert_count(alerts, alert, 1);
    }
    return r;
}

void alert_free(struct alert *alert)
{
    if (alert) {
        free(alert->labels);
        free(alert->annotations);
        free(alert->generator_url);
        free(alert->acked_by);
        free(alert->ack_comment);
        free(alert->marks);
        free(alert->groups);
        free(alert->parts);
        free(alert->silences);
        free(alert);
    }
}

static void forget(struct alerts *alerts, struct state_tx *tx, struct alert *alert)
{
    groups_leave(alerts, alert);
    inhibit_leave(alerts, alert);
    heap_remove(&alerts->ends, &alert->end);
    (void)map_remove(&alerts->by_identity, identity(alert), alert->identity_len);
    (void)map_remove(&alerts->by_episode, (const char *)&alert->episode, sizeof alert->episode);
    alert_count(alerts, alert, -1);
    if (alert->saved) {
        row_delete_alert(tx, alert->episode);
    }
    alert->gone = true;
    if (!alert->dirty) {
        alert_free(alert); /* else it is in the list of what is to be saved */
    }
}

int alert_finish(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                 struct alerts_time now)
{
    int r = 0;

    /* Marks of sinks that none of its routes leads to any more. */
    while (r == 0 && alert->nmarks > 0) {
        struct mark *mark = &alert->marks[alert->nmarks - 1];

        if (mark->fate == FATE_TOLD) {
            const struct tmon_pair name = {"alertname",
                                           labels_get(alert->labels, alert->nlabels, "alertname")};

            buf_clear(&alerts->scratch);
            buf_puts(&alerts->scratch, "{}:");
            labels_show(&name, 1, &alerts->scratch);
            r = flush_resolve(alerts, tx, alert, mark, buf_str(&alerts->scratch), &name, 1, now);
        }
        alert->nmarks--;
    }
    if (r == 0) {
        forget(alerts, tx, alert);
    }
    return r;
}

void alert_set_end(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    int64_t left = alert->until_ms > 0 ? alert->until_ms - now.real_ms : alert->ttl_ms;

    if (alert->firing && (left > 0 || alert->until_ms > 0)) {
        (void)heap_set(&alerts->ends, &alert->end,
                       now.mono_ms + (left < TTL_MOST_MS ? left : TTL_MOST_MS));
    } else {
        heap_remove(&alerts->ends, &alert->end);
    }
}

/* ---- what somebody says ---- */

static const char *check_pairs(const struct tmon_pair *pairs, size_t n, size_t most_value,
                               size_t most_bytes)
{
    size_t bytes = 0;

    if (n > LIMIT_PAIRS) {
        return "has too many labels or annotations (64 are allowed)";
    }
    for (size_t i = 0; i < n; i++) {
        size_t key = strlen(pairs[i].key), value = strlen(pairs[i].value);

        if (!labels_name_ok(pairs[i].key)) {
            return "has a name that is none: [a-zA-Z_][a-zA-Z0-9_]*";
        }
        if (key > LIMIT_NAME_BYTES) {
            return "has a name longer than 128 bytes";
        }
        if (value > most_value) {
            return most_value == LIMIT_LABEL_VALUE_BYTES ? "has a label longer than 2048 bytes"
                                                         : "has a text longer than 65536 bytes";
        }
        if (!utf8_valid(pairs[i].value, value)) {
            return "has a text that is no UTF-8";
        }
        bytes += key + value;
    }
    return bytes > most_bytes ? "is too large" : NULL;
}

int alerts_input_check(const struct alerts_input *input, char *ret_why, size_t size)
{
    const char *why = NULL;

    if (input->nlabels == 0) {
        why = "has no labels";
    }
    if (!why) {
        why = check_pairs(input->labels, input->nlabels, LIMIT_LABEL_VALUE_BYTES,
                          LIMIT_ALERT_LABELS_BYTES);
    }
    if (!why) {
        why = check_pairs(input->annotations, input->nannotations, LIMIT_ALERT_TEXT_BYTES,
                          LIMIT_ALERT_BODY_BYTES / 2);
    }
    if (!why && input->generator_url &&
        (strlen(input->generator_url) > LIMIT_HTTP_URL_BYTES ||
         !utf8_valid(input->generator_url, strlen(input->generator_url)))) {
        why = "has a URL that is too long (8192 bytes) or no UTF-8";
    }
    if (why) {
        (void)snprintf(ret_why, size, "%s", why);
        return -EINVAL;
    }
    return 0;
}

static bool same_pairs(const struct tmon_pair *a, size_t na, const struct tmon_pair *b, size_t nb)
{
    if (na != nb) {
        return false;
    }
    for (size_t i = 0; i < na; i++) {
        if (strcmp(a[i].key, b[i].key) != 0 || strcmp(a[i].value, b[i].value) != 0) {
            return false;
        }
    }
    return true;
}

/* Takes what may change from one report to the next.  1: something did; 0; -ENOMEM. */
static int take_texts(struct alert *alert, const struct alerts_input *input)
{
    const char *url = input->generator_url && *input->generator_url ? input->generator_url : NULL;
    const char *old = alert->generator_url;
    bool same_url = old == url || (old && url && strcmp(old, url) == 0);
    struct tmon_pair *annotations = NULL;
    char *copy = NULL;

    if (alert->annotations && same_url &&
        same_pairs(alert->annotations, alert->nannotations, input->annotations,
                   input->nannotations)) {
        return 0;
    }
    if (labels_copy(input->annotations, input->nannotations, &annotations) < 0 ||
        (url && !(copy = strdup(url)))) {
        free(annotations);
        return -ENOMEM;
    }
    free(alert->annotations);
    free(alert->generator_url);
    alert->annotations = annotations;
    alert->nannotations = (uint32_t)input->nannotations;
    alert->generator_url = copy;
    return 1;
}

int alert_look_up(struct alerts *alerts, const struct alerts_input *input, struct alert **ret_alert)
{
    struct buf *key = &alerts->scratch;

    buf_clear(key);
    for (size_t i = 0; i < input->nlabels; i++) {
        buf_append(key, input->labels[i].key, strlen(input->labels[i].key) + 1);
        buf_append(key, input->labels[i].value, strlen(input->labels[i].value) + 1);
    }
    if (key->failed) {
        return -ENOMEM;
    }
    *ret_alert = map_get(&alerts->by_identity, key->data, key->len);
    return 0;
}

static int fire(struct alerts *alerts, const struct alerts_input *input, struct alerts_time now)
{
    struct alert *alert = calloc(1, sizeof *alert);
    int r = -ENOMEM;

    if (!alert || labels_copy(input->labels, input->nlabels, &alert->labels) < 0) {
        goto out;
    }
    alert->nlabels = (uint32_t)input->nlabels;
    if (take_texts(alert, input) < 0) {
        goto out;
    }
    alert->episode = alerts->last_put = ++alerts->last_episode;
    alert->fingerprint = labels_fingerprint(alert->labels, alert->nlabels);
    alert->severity = (uint8_t)alert_severity(alert->labels, alert->nlabels);
    alert->source = (uint8_t)input->source;
    alert->firing = true;
    alert->starts_ms = input->starts_ms > 0 ? input->starts_ms : now.real_ms;
    alert->born_ms = alert->starts_ms;
    alert->updated_ms = now.real_ms;
    alert->ttl_ms = input->ttl_ms;
    if (input->merge) {
        (void)alert_take_times(alert, input, now);
    }
    alert_make_key(alert);
    r = alert_enter(alerts, alert);
    if (r < 0) {
        goto out;
    }
    alert_set_end(alerts, alert, now);
    alert_dirty(alerts, alert);
    r = inhibit_enter(alerts, alert);
    return r < 0 ? r : groups_join(alerts, alert, now);
out:
    alert_free(alert);
    return r;
}

void alert_resolve(struct alerts *alerts, struct alert *alert, bool expired, int64_t ends_ms,
                   struct alerts_time now)
{
    alert_count(alerts, alert, -1);
    alert->firing = false;
    alert_count(alerts, alert, 1);
    alert->expired = expired;
    alert->ends_ms = ends_ms;
    alert->updated_ms = now.real_ms;
    heap_remove(&alerts->ends, &alert->end);
    alert_dirty(alerts, alert);
    groups_touch(alerts, alert, now);
    inhibit_resolved(alerts, alert, now);
}

/* It fires again.  Nobody was told of its end yet: the episode goes on. */
static int resume(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    alert_count(alerts, alert, -1);
    alert->firing = true;
    alert_count(alerts, alert, 1);
    alert->expired = false;
    alert->ends_ms = 0;
    inhibit_fired(alert);
    groups_touch(alerts, alert, now);
    return groups_join(alerts, alert, now); /* those that it has left already */
}

/* A sink or two know already that it ended: the others learn it now, and it is over. */
static int end_now(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                   struct alerts_time now)
{
    groups_leave(alerts, alert);
    return alert_finish(alerts, tx, alert, now);
}

static int again(struct alerts *alerts, struct alert *alert, const struct alerts_input *input,
                 struct alerts_time now, enum alerts_verdict *ret_verdict)
{
    bool was_firing = alert->firing;
    int r;

    alerts->last_put = alert->episode;
    r = take_texts(alert, input);

    if (r < 0) {
        return r;
    }
    *ret_verdict = !was_firing ? ALERTS_FIRING : r > 0 ? ALERTS_UPDATED : ALERTS_UNCHANGED;
    if (!was_firing && resume(alerts, alert, now) < 0) {
        return -ENOMEM;
    }
    if (input->merge) {
        r |= alert_take_times(alert, input, now);
    } else {
        r |= alert->ttl_ms != input->ttl_ms;
        alert->ttl_ms = input->ttl_ms;
        alert->until_ms = 0;
        alert->end_said = false;
    }
    if (!was_firing || r > 0) {
        alert->updated_ms = now.real_ms;
        alert_dirty(alerts, alert);
    }
    alert_set_end(alerts, alert, now);
    return 0;
}

/* The word of its end.  Alertmanager's API has the last word on its texts and its start too. */
static int end_said(struct alerts *alerts, struct alert *alert, const struct alerts_input *input,
                    struct alerts_time now)
{
    if (input->merge && take_texts(alert, input) < 0) {
        return -ENOMEM;
    }
    if (input->merge) {
        (void)alert_take_times(alert, input, now);
    }
    alert_resolve(alerts, alert, false, input->merge ? input->ends_ms : now.real_ms, now);
    return 0;
}

static size_t active(const struct alerts *alerts)
{
    return alerts->by_episode.used;
}

int alert_put_plain(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
                    struct alerts_time now, enum alerts_verdict *ret_verdict)
{
    struct alert *alert = NULL;
    struct alerts_input merged = *input;
    enum alerts_verdict verdict = ALERTS_FIRING;
    int r = alert_look_up(alerts, input, &alert);

    if (r < 0) {
        return r; /* nothing has happened yet */
    }
    if (input->merge) {
        alert_merge(alert, &merged, now);
        input = &merged;
    }
    if (input->resolved) {
        verdict = alert && alert->firing ? ALERTS_RESOLVED : ALERTS_NOT_FIRING;
        if (verdict == ALERTS_RESOLVED) {
            r = end_said(alerts, alert, input, now);
        }
    } else {
        if (alert && !alert->firing && alert->partly_told) {
            r = end_now(alerts, tx, alert, now);
            alert = NULL;
        }
        if (r == 0 && alert) {
            r = again(alerts, alert, input, now, &verdict);
        } else if (r == 0 && active(alerts) >= LIMIT_ALERTS_ACTIVE) {
            alerts->counts.refused++;
            return -EDQUOT;
        } else if (r == 0) {
            r = fire(alerts, input, now);
        }
    }
    if (r < 0) {
        /* Half of it may have happened: the batch fails, and all is read anew. */
        tx->error = tx->error ? tx->error : r;
        return r;
    }
    *ret_verdict = verdict;
    return 0;
}

int alerts_put(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
               struct alerts_time now, enum alerts_verdict *ret_verdict)
{
    enum alerts_verdict verdict = ALERTS_UNCHANGED;
    int r = flaps_wanted(alerts) ? flap_put(alerts, tx, input, now, &verdict)
                                 : alert_put_plain(alerts, tx, input, now, &verdict);

    if (r == 0) {
        alerts->counts.put[verdict]++;
        *ret_verdict = verdict;
    }
    return r;
}

/* ---- what time does ---- */

int64_t alerts_next(const struct alerts *alerts)
{
    const struct heap_node *end = heap_top(&alerts->ends), *due = heap_top(&alerts->due);
    int64_t next = silences_next(&alerts->silences), counted = holds_next(alerts);

    next = counted < next ? counted : next;
    next = alerts->maintenance_at < next ? alerts->maintenance_at : next;
    next = flaps_next(alerts) < next ? flaps_next(alerts) : next;
    next = end && end->at < next ? end->at : next;
    return due && due->at < next ? due->at : next;
}

#define ALERT_OF(node_) ((struct alert *)(void *)((char *)(node_)-offsetof(struct alert, end)))
#define GROUP_OF(node_) ((struct group *)(void *)((char *)(node_)-offsetof(struct group, due)))

int alerts_run(struct alerts *alerts, struct state_tx *tx, struct alerts_time now)
{
    struct heap_node *node;
    int r = silences_run(alerts, now);

    maintenance_run(alerts, now);
    while ((node = heap_top(&alerts->ends)) && node->at <= now.mono_ms) {
        struct alert *alert = ALERT_OF(node);

        if (!flaps_wanted(alerts) || !flap_expired(alerts, tx, alert, now)) {
            alert_resolve(alerts, alert, true, alert->until_ms > 0 ? alert->until_ms : now.real_ms,
                          now);
        }
    }
    r = r < 0 ? r : flaps_run(alerts, tx, now);
    while (r == 0 && (node = heap_top(&alerts->due)) && node->at <= now.mono_ms) {
        r = group_flush(alerts, tx, GROUP_OF(node), now);
    }
    holds_count(alerts, now);
    if (r < 0 && tx->error == 0) {
        tx->error = r;
    }
    return r;
}

int alerts_prune(struct alerts *alerts, struct state_tx *tx, enum alerts_source source,
                 const char *label, bool (*keep)(void *arg, const char *value), void *arg,
                 struct alerts_time now)
{
    struct alert *alert;
    size_t pos = 0;

    while ((alert = map_next(&alerts->by_episode, &pos))) {
        if (alert->source == source && alert->firing &&
            !keep(arg, labels_get(alert->labels, alert->nlabels, label))) {
            alert_resolve(alerts, alert, false, now.real_ms, now);
        }
    }
    return tx->error;
}

/* ---- the whole ---- */

int alerts_create(const struct alerts_hooks *hooks, struct alerts **ret_alerts)
{
    struct alerts *alerts = calloc(1, sizeof *alerts);

    if (!alerts) {
        return -ENOMEM;
    }
    alerts->hooks = *hooks;
    alerts->maintenance_at = INT64_MAX;
    map_init(&alerts->by_identity);
    map_init(&alerts->by_episode);
    map_init(&alerts->groups);
    heap_init(&alerts->ends);
    heap_init(&alerts->due);
    flaps_init(&alerts->flaps);
    buf_init(&alerts->scratch, 2 * LIMIT_ALERT_BODY_BYTES);
    *ret_alerts = alerts;
    return 0;
}
