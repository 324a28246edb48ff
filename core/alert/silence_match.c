/*
 * silence_match.c: which active silences fit an alert; see silence_private.h.
 *
 * An alert is held against what became active since it looked last; what came long ago it knows.
 * Where that is much, as for an alert that is new, the index leaves only those silences that ask
 * for a label that it has, and those that ask for none by its value.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/hold.h"
#include "alert/private.h"

#define FEW 8 /* are held against an alert without the index */

/* ---- the index ---- */

#define KEY_BYTES (LIMIT_NAME_BYTES + LIMIT_LABEL_VALUE_BYTES + 1)

/* 0: it is longer than any label can be. */
static size_t make_key(const char *name, const char *value, char key[KEY_BYTES])
{
    size_t len = strlen(name), value_len = strlen(value);

    if (len + 1 + value_len > KEY_BYTES) {
        return 0;
    }
    memcpy(key, name, len + 1);
    memcpy(key + len + 1, value, value_len);
    return len + 1 + value_len;
}

static int bucket_add(struct silences *silences, const char *key, size_t len,
                      struct bucket **ret_bucket)
{
    struct bucket *bucket = calloc(1, sizeof *bucket);

    if (bucket) {
        bucket->key = malloc(len);
        bucket->len = len;
    }
    if (!bucket || !bucket->key) {
        free(bucket);
        return -ENOMEM;
    }
    memcpy(bucket->key, key, len);
    if (map_put(&silences->buckets, bucket->key, len, bucket) < 0) {
        free(bucket->key);
        free(bucket);
        return -ENOMEM;
    }
    *ret_bucket = bucket;
    return 0;
}

/* The bucket with the fewest others of all that it could be in; NULL: it asks for no value. */
static int bucket_for(struct silences *silences, const struct silence *silence,
                      struct bucket **ret_bucket)
{
    char key[KEY_BYTES], best_key[KEY_BYTES];
    size_t best_len = 0;
    struct bucket *best = NULL;

    for (size_t i = 0; i < silence->nmatchers; i++) {
        const struct matcher *matcher = &silence->matchers[i];
        struct bucket *bucket;
        size_t len;

        /* What asks for no value fits alerts that have no such label. */
        if (matcher->op != MATCHER_EQUAL || !*matcher->value ||
            (len = make_key(matcher->name, matcher->value, key)) == 0) {
            continue;
        }
        bucket = map_get(&silences->buckets, key, len);
        if (best_len == 0 || (best ? best->n : 0) > (bucket ? bucket->n : 0)) {
            memcpy(best_key, key, len);
            best_len = len;
            best = bucket;
        }
    }
    *ret_bucket = best;
    return best_len > 0 && !best ? bucket_add(silences, best_key, best_len, ret_bucket) : 0;
}

int silence_index(struct silences *silences, struct silence *silence)
{
    struct silence **head;
    size_t n = silences->n[SILENCE_ACTIVE];

    if (n == silences->active_size) {
        size_t size = n ? 2 * n : 16;
        struct silence **active = realloc(silences->active, size * sizeof *active);

        if (!active) {
            return -ENOMEM;
        }
        silences->active = active;
        silences->active_size = size;
    }
    if (bucket_for(silences, silence, &silence->bucket) < 0) {
        return -ENOMEM;
    }
    head = silence->bucket ? &silence->bucket->first : &silences->loose;
    silence->next_in_bucket = *head;
    *head = silence;
    if (silence->bucket) {
        silence->bucket->n++;
    }
    silence->version = ++silences->version;
    silences->active[n] = silence;
    return 0;
}

/* The place of the first active one that is newer than that. */
static size_t newer_than(const struct silences *silences, uint64_t version)
{
    size_t low = 0, high = silences->n[SILENCE_ACTIVE];

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (silences->active[middle]->version > version) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

void silence_unindex(struct silences *silences, struct silence *silence)
{
    size_t at = newer_than(silences, silence->version - 1);
    size_t after = silences->n[SILENCE_ACTIVE] - at - 1;
    struct bucket *bucket = silence->bucket;
    struct silence **link = bucket ? &bucket->first : &silences->loose;

    memmove(&silences->active[at], &silences->active[at + 1], after * sizeof *silences->active);
    while (*link != silence) {
        link = &(*link)->next_in_bucket;
    }
    *link = silence->next_in_bucket;
    silence->bucket = NULL;
    if (bucket && --bucket->n == 0) {
        (void)map_remove(&silences->buckets, bucket->key, bucket->len);
        free(bucket->key);
        free(bucket);
    }
}

/* ---- an alert ---- */

/* It is known of so many, which is enough to say that it is held and by whom. */
static void add(struct alert *alert, struct silence *silence)
{
    struct silence **silences;

    if (alert->nsilences == ALERT_SILENCES) {
        alert->more_silences = true;
        return;
    }
    silences = realloc(alert->silences, (alert->nsilences + 1u) * sizeof *silences);
    if (!silences) {
        alert->more_silences = true;
        return;
    }
    alert->silences = silences;
    silences[alert->nsilences++] = silence;
}

static void look_at(struct alert *alert, struct silence *silence)
{
    if (silence->version > alert->silence_version &&
        matchers_match(silence->matchers, silence->nmatchers, alert->labels, alert->nlabels)) {
        add(alert, silence);
    }
}

static void look_in_index(const struct silences *silences, struct alert *alert)
{
    char key[KEY_BYTES];

    for (size_t i = 0; i < alert->nlabels; i++) {
        size_t len = make_key(alert->labels[i].key, alert->labels[i].value, key);
        const struct bucket *bucket = map_get(&silences->buckets, key, len);

        for (struct silence *silence = bucket ? bucket->first : NULL; silence;
             silence = silence->next_in_bucket) {
            look_at(alert, silence);
        }
    }
    for (struct silence *silence = silences->loose; silence; silence = silence->next_in_bucket) {
        look_at(alert, silence);
    }
}

bool silences_hold(struct alerts *alerts, struct alert *alert)
{
    const struct silences *silences = &alerts->silences;
    size_t n = silences->n[SILENCE_ACTIVE], first;

    if (alert->silence_version < silences->version) {
        first = newer_than(silences, alert->silence_version);
        if (n - first > FEW) {
            look_in_index(silences, alert);
        }
        for (size_t i = first; i < n && n - first <= FEW; i++) {
            look_at(alert, silences->active[i]);
        }
        alert->silence_version = silences->version;
    }
    return alert->nsilences > 0 || alert->more_silences;
}

static bool drop_ended(struct alert *alert)
{
    uint8_t kept = 0;
    bool any;

    for (uint8_t i = 0; i < alert->nsilences; i++) {
        if (alert->silences[i]->state == SILENCE_ACTIVE) {
            alert->silences[kept++] = alert->silences[i];
        }
    }
    any = kept < alert->nsilences;
    alert->nsilences = kept;
    return any;
}

void silences_release(struct alerts *alerts, struct alerts_time now)
{
    struct alert *alert;
    size_t pos = 0;

    alerts->uncounted = true;
    while ((alert = map_next(&alerts->by_episode, &pos))) {
        if (alert->nsilences == 0 && !alert->more_silences) {
            continue;
        }
        if (!drop_ended(alert) || alert->nsilences > 0) {
            continue;
        }
        if (alert->more_silences) { /* those that it did not note: from the beginning */
            alert->more_silences = false;
            alert->silence_version = 0;
        }
        alert_released(alerts, alert, now);
    }
}
