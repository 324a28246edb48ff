/*
 * history_watch.c: between the store's records and the tracks: who feeds which, and whose it is.
 *
 * With the store's lock held for writing.  A plain record has one track; one of a histogram or
 * summary has a fan of them, one for each line that the exposition would show and somebody wants.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_feed.h"
#include "store/history_private.h"
#include "store/number.h"

/* ---- owners ---- */

void history_disown(struct history *history, struct track *track)
{
    struct track_owner *past;
    struct track *last;

    if (!(track->flags & TRACK_OWNED)) {
        return;
    }
    past = &history->store->owners[track->owner]->past;
    last = past->tracks.items[--past->tracks.n];
    past->tracks.items[track->at_owner] = last;
    last->at_owner = track->at_owner;
    past->fresh -= (track->flags & TRACK_FRESH) != 0;
    history->own -= track->owner == 0;
    track->flags &= (uint8_t) ~(TRACK_OWNED | TRACK_FRESH);
}

static int own(struct history *history, struct track *track, uint16_t owner)
{
    struct track_list *list = &history->store->owners[owner]->past.tracks;

    if ((track->flags & TRACK_OWNED) && track->owner == owner) {
        return 0;
    }
    history_disown(history, track);
    if (history_push(history, list, track) < 0) {
        return -ENOMEM;
    }
    track->owner = owner;
    track->at_owner = list->n - 1;
    track->flags |= TRACK_OWNED;
    history->own += owner == 0;
    return 0;
}

void history_owner_gone(struct history *history, struct store_owner *owner)
{
    struct track_owner *past = &owner->past;

    for (uint32_t i = 0; i < past->tracks.n; i++) {
        struct track *track = past->tracks.items[i];

        if (track->flags & TRACK_FRESH) {
            track->flags |= TRACK_LEFT;
        }
        track->flags &= (uint8_t) ~(TRACK_OWNED | TRACK_FRESH);
    }
    history->own -= owner->index == 0 ? past->tracks.n : 0;
    history->bytes -= past->tracks.size * sizeof(struct track *);
    free(past->tracks.items);
    *past = (struct track_owner){.fresh = 0};
}

/* ---- records ---- */

static bool has_points(const struct family *family)
{
    return family->kind == TMON_HISTOGRAM || family->kind == TMON_SUMMARY;
}

static uint32_t points_of(const struct extra *extra)
{
    return extra->metric ? extra->metric->nbounds : extra->npoints;
}

static size_t fan_bytes(const struct fan *fan)
{
    return track_heap_bytes(sizeof *fan + (fan->npoints + PARTS) * sizeof *fan->tracks);
}

static void drop_fan(struct history *history, struct record *record)
{
    struct fan *fan = history->watches[record->id].fan;

    history->bytes -= fan_bytes(fan);
    free(fan);
    history->watches[record->id].fan = NULL;
    record->watched = false;
}

static void loosen(struct history *history, struct track *track)
{
    track->record = NO_SERIES;
    history->loose++;
}

void history_detach(struct history *history, struct track *track)
{
    struct record *record;

    if (track->record == NO_SERIES) {
        return;
    }
    record = record_at(history->store, track->record);
    loosen(history, track);
    if (has_points(record_family(history->store, record))) {
        struct fan *fan = history->watches[record->id].fan;

        fan->tracks[track->part] = NULL;
        if (--fan->live == 0) {
            drop_fan(history, record);
        }
    } else {
        history->watches[record->id].track = NULL;
        record->watched = false;
    }
}

void history_record_gone(struct history *history, struct record *record)
{
    union watch *watch = &history->watches[record->id];

    if (!has_points(record_family(history->store, record))) {
        loosen(history, watch->track);
        watch->track = NULL;
        record->watched = false;
        return;
    }
    for (uint32_t i = 0; i < watch->fan->npoints + PARTS; i++) {
        if (watch->fan->tracks[i]) {
            loosen(history, watch->fan->tracks[i]);
        }
    }
    drop_fan(history, record);
}

static int reserve_watches(struct history *history)
{
    uint32_t size = history->store->refs_size;
    union watch *watches;

    if (size <= history->nwatches) {
        return 0;
    }
    watches = realloc(history->watches, size * sizeof *watches);
    if (!watches) {
        return -ENOMEM;
    }
    memset(watches + history->nwatches, 0, (size - history->nwatches) * sizeof *watches);
    history->bytes += (size - history->nwatches) * sizeof *watches;
    history->watches = watches;
    history->nwatches = size;
    return 0;
}

static int make_fan(struct history *history, struct record *record, uint32_t npoints)
{
    struct fan *fan;

    if (record->watched) {
        return 0;
    }
    fan = calloc(1, sizeof *fan + (npoints + PARTS) * sizeof *fan->tracks);
    if (!fan) {
        return -ENOMEM;
    }
    fan->npoints = npoints;
    history->bytes += fan_bytes(fan);
    history->watches[record->id].fan = fan;
    return 0;
}

/* The record's samples, or one line of them, go to the track from now on. */
static int attach(struct history *history, struct record *record, struct track *track,
                  uint32_t part, uint32_t npoints)
{
    bool points = has_points(record_family(history->store, record));
    int r = reserve_watches(history);

    if (r == 0) {
        r = own(history, track, record->owner);
    }
    if (r == 0 && points) {
        r = make_fan(history, record, npoints);
    }
    if (r < 0) {
        return r;
    }
    track->flags &= (uint8_t)~TRACK_LEFT;
    if (track->record == record->id) {
        return 0;
    }
    history_detach(history, track);
    if (points) {
        history->watches[record->id].fan->tracks[part] = track;
        history->watches[record->id].fan->live++;
    } else {
        history->watches[record->id].track = track;
    }
    track->record = record->id;
    history->loose--;
    track->part = (uint16_t)part;
    record->watched = true;
    return 0;
}

/* ---- from a record to its lines ---- */

struct birth {
    struct history *history;
    const struct history_selector *only;
    struct record *record;
    const struct family *family;
    uint32_t npoints;
    uint32_t cost;
    size_t nlabels;
    struct tmon_pair labels[HISTORY_LABELS]; /* the record's own */
    char name[LIMIT_METRIC_NAME_BYTES + 8];
    char bound[NUMBER_MAX];
};

static bool want(struct birth *birth, const char *suffix)
{
    size_t len = strlen(suffix);

    memcpy(birth->name, birth->family->name, birth->family->name_len);
    memcpy(birth->name + birth->family->name_len, suffix, len + 1);
    return history_wants(birth->history, birth->only, birth->name);
}

static void look_at(struct birth *birth, const struct tmon_pair *pairs, size_t n, uint32_t part)
{
    struct track *track = NULL;

    // Where there is no room, the selectors know.
    (void)history_track(birth->history, birth->only, pairs, n, &birth->cost, &track);
    if (track) {
        (void)attach(birth->history, birth->record, track, part, birth->npoints);
    }
}

/* The line `name suffix {labels, key="bound"}`; key NULL: without that label. */
static void look_at_line(struct birth *birth, const char *suffix, const char *key, double bound,
                         uint32_t part)
{
    struct tmon_pair pairs[HISTORY_LABELS];
    size_t n = birth->nlabels;

    if (!want(birth, suffix)) {
        return;
    }
    memcpy(pairs, birth->labels, n * sizeof *pairs);
    labels_insert(pairs, &n, (struct tmon_pair){"__name__", birth->name});
    if (key) {
        *number_put_bound(birth->bound, bound, 1) = '\0';
        labels_insert(pairs, &n, (struct tmon_pair){key, birth->bound});
    }
    look_at(birth, pairs, n, part);
}

static const double *bounds_of(const struct extra *extra)
{
    return extra->metric ? extra->metric->bounds : extra->points;
}

static void look_at_points(struct birth *birth, const struct extra *extra)
{
    bool histogram = birth->family->kind == TMON_HISTOGRAM;
    const char *suffix = histogram ? "_bucket" : "";
    const double *bounds = bounds_of(extra);
    uint32_t n = birth->npoints;

    for (uint32_t i = 0; i < n && want(birth, suffix); i++) {
        look_at_line(birth, suffix, histogram ? "le" : "quantile", bounds[i], i);
    }
    if (histogram) {
        look_at_line(birth, suffix, "le", __builtin_inf(), n + PART_INF);
    }
    if (!histogram || n == 0 || bounds[0] >= 0) { // as OpenMetrics has it
        look_at_line(birth, "_sum", NULL, 0, n + PART_SUM);
    }
    look_at_line(birth, "_count", NULL, 0, n + PART_COUNT);
}

uint32_t history_watch(struct history *history, const struct history_selector *only,
                       struct record *record)
{
    struct birth birth;

    birth.history = history;
    birth.only = only;
    birth.record = record;
    birth.family = record_family(history->store, record);
    birth.npoints = 0;
    birth.cost = 0;
    if (!want(&birth, "") &&
        !(has_points(birth.family) &&
          (want(&birth, "_bucket") || want(&birth, "_sum") || want(&birth, "_count")))) {
        return 0;
    }
    birth.nlabels =
        labels_parse(record_text(record), record->text_len, history->parsed, birth.labels);
    if (has_points(birth.family)) {
        birth.npoints = points_of(*record_extra(record));
        look_at_points(&birth, *record_extra(record));
    } else {
        look_at_line(&birth, "", NULL, 0, 0);
    }
    return birth.cost;
}
