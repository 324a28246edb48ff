/*
 * commit.c: takes over the samples of one collection.
 *
 * Runs on whatever thread collected, holding the lock for a slice of samples at a time.  A
 * collector emits the same series in the same order each time, so each record remembers which one
 * came after it: one comparison of texts replaces hash and lookup, and nothing is allocated.  A
 * guess that is wrong costs a lookup and is corrected in passing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/sample.h"
#include "store/history_feed.h"
#include "store/series.h"

#define SAMPLES_PER_LOCK 256

struct commit {
    struct store *store;
    struct store_owner *owner;
    struct history *history; /* NULL: none */
    int64_t time_ms;         /* of the collection, for the history */
    uint32_t fed;            /* tracks */
    uint32_t now_s;
    bool born;       /* the sample's series is new to the history */
    uint32_t before; /* the series of the sample before, or NO_SERIES */
    struct store_commit_result *result;
    struct sample sample;
    char text[LIMIT_SERIES_TEXT_BYTES];
};

static void refuse(struct commit *commit, enum store_refusal why)
{
    if (commit->result->refused[why]++ == 0) {
        size_t len = strlen(commit->sample.name);

        memcpy(commit->result->example[why], commit->sample.name, len + 1);
    }
}

/* An extra for what the sample has beyond its value; NULL in *ret_extra when it needs none. */
static int make_extra(const struct sample *sample, struct extra **ret_extra)
{
    struct extra *extra = NULL;

    if (sample->kind == TMON_HISTOGRAM || sample->kind == TMON_SUMMARY || sample->time_ms > 0) {
        extra = malloc(sizeof *extra + 2 * sample->npoints * sizeof *extra->points);
        if (!extra) {
            return -ENOMEM;
        }
        extra->metric = NULL;
        extra->npoints = sample->npoints;
    }
    *ret_extra = extra;
    return 0;
}

static void fill_extra(struct extra *extra, const struct sample *sample)
{
    extra->time_ms = sample->time_ms > 0 ? sample->time_ms : 0;
    extra->count = sample->count;
    memcpy(extra->points, sample->bounds, sample->npoints * sizeof *extra->points);
    memcpy(extra->points + sample->npoints, sample->points,
           sample->npoints * sizeof *extra->points);
}

/* A new series of the owner.  1: refused. */
static int create(struct commit *commit, uint32_t hash, uint32_t len, struct record **ret_record)
{
    struct store *store = commit->store;
    struct store_owner *owner = commit->owner;
    const struct sample *sample = &commit->sample;
    struct family *family = family_find(store, sample->name);
    struct extra *extra;
    struct record *record;
    int error;

    if (family && family->kind != sample->kind) {
        refuse(commit, STORE_REFUSED_CONFLICT);
        return 1;
    }
    if (atomic_load_explicit(&owner->series, memory_order_relaxed) >= owner->cap) {
        refuse(commit, STORE_REFUSED_OWNER_LIMIT);
        return 1;
    }
    if (store->live >= store->max_series) {
        refuse(commit, STORE_REFUSED_TOTAL_LIMIT);
        return 1;
    }
    if (index_reserve(store, store->live + 1) < 0 || make_extra(sample, &extra) < 0) {
        return -ENOMEM;
    }
    if (!family) {
        error = family_add(store, sample->name, sample->kind, &family);
        if (error) {
            free(extra);
            if (error != -EEXIST) {
                return error;
            }
            refuse(commit, STORE_REFUSED_CONFLICT);
            return 1;
        }
    }
    error = record_add(store, family, commit->text + family->name_len, len - family->name_len, hash,
                       extra, &record);
    if (error) {
        free(extra);
        if (family->live == 0) {
            family_drop(store, family);
        }
        return error;
    }
    index_put(store, hash, record->id);
    record->owner = owner->index;
    record->commit = (uint8_t)(owner->commits - 1);
    atomic_fetch_add_explicit(&owner->series, 1, memory_order_relaxed);
    commit->result->created++;
    commit->born = true;
    *ret_record = record;
    return 0;
}

static bool is_it(const struct commit *commit, struct record *record, uint32_t len)
{
    return record && record->owner == commit->owner->index &&
           record_is(commit->store, record, commit->text, len);
}

/* The series of the sample, made if there is none.  1: refused. */
static int find(struct commit *commit, uint32_t len, struct record **ret_record)
{
    struct store *store = commit->store;
    struct record *before = commit->before ? record_at(store, commit->before) : NULL;
    struct record *record = record_at(store, before ? before->next : commit->owner->first);
    uint32_t hash;
    uint32_t id;
    int error;

    if (is_it(commit, record, len)) {
        *ret_record = record;
        return 0;
    }
    hash = map_hash(commit->text, len);
    id = index_find(store, hash, commit->text, len);
    if (id != NO_SERIES) {
        record = record_at(store, id);
        if (record->owner != commit->owner->index) {
            refuse(commit, STORE_REFUSED_COLLIDING);
            return 1;
        }
    } else {
        error = create(commit, hash, len, &record);
        if (error) {
            return error;
        }
        before = commit->before ? record_at(store, commit->before) : NULL; // it may have moved
    }
    if (before) {
        before->next = record->id;
    } else {
        commit->owner->first = record->id;
    }
    *ret_record = record;
    return 0;
}

/* The record has room for the sample's extra after this, or needs none; it may have been made anew.
 */
static int fit_extra(struct commit *commit, struct record **record)
{
    const struct sample *sample = &commit->sample;
    uint32_t created = commit->result->created;
    struct extra *extra;
    uint32_t hash;
    uint32_t len;
    int error;

    if (make_extra(sample, &extra) < 0) {
        return -ENOMEM;
    }
    if (extra && ((*record)->flags & RECORD_EXTRA)) {
        free(*record_extra(*record));
        *record_extra(*record) = extra;
        return 0;
    }
    // From now on with a time, or without: another layout.
    free(extra);
    len = record_family(commit->store, *record)->name_len + (*record)->text_len;
    hash = (*record)->hash;
    record_drop(commit->store, (*record)->id);
    error = create(commit, hash, len, record);
    commit->result->created = created;
    return error;
}

static bool extra_fits(struct record *record, const struct sample *sample)
{
    bool needs =
        sample->kind == TMON_HISTOGRAM || sample->kind == TMON_SUMMARY || sample->time_ms > 0;
    bool has = (record->flags & RECORD_EXTRA) != 0;

    return needs == has && (!has || (*record_extra(record))->npoints == sample->npoints);
}

/* A histogram with other bounds is a set of other series. */
static bool bounds_change(struct record *record, const struct sample *sample)
{
    const struct extra *extra = record->flags & RECORD_EXTRA ? *record_extra(record) : NULL;

    return (sample->kind == TMON_HISTOGRAM || sample->kind == TMON_SUMMARY) && extra &&
           (extra->npoints != sample->npoints ||
            memcmp(extra->points, sample->bounds, sample->npoints * sizeof *extra->points) != 0);
}

/* What it cost, in samples. */
static uint32_t feed_history(struct commit *commit, struct record *record)
{
    uint32_t cost = 0;

    if (commit->born && commit->history) {
        cost = history_born(commit->history, record);
    }
    if (record->watched) {
        commit->fed += history_feed(commit->history, commit->owner, record, commit->time_ms);
    }
    return cost;
}

/* What it cost, in samples; -ENOMEM. */
static int take(struct commit *commit)
{
    const struct sample *sample = &commit->sample;
    uint8_t number = (uint8_t)commit->owner->commits;
    struct record *record;
    struct family *family;
    uint32_t len;
    int error;

    commit->born = false;
    len = text_render(commit->text, sample->name, sample->labels, sample->nlabels,
                      commit->owner->labels, commit->owner->nlabels);
    if (len == 0) {
        refuse(commit, STORE_REFUSED_TOO_LONG);
        return 1;
    }
    error = find(commit, len, &record);
    if (error) {
        return error < 0 ? error : 1;
    }
    family = record_family(commit->store, record);
    if (family->kind != sample->kind) {
        refuse(commit, STORE_REFUSED_CONFLICT);
        return 1;
    }
    if (record->commit == number && record->seen_s == commit->now_s) {
        refuse(commit, STORE_REFUSED_DUPLICATE);
        return 1;
    }
    if (commit->history && !commit->born && bounds_change(record, sample)) {
        if (record->watched) {
            history_record_gone(commit->history, record);
        }
        commit->born = true;
    }
    if (!extra_fits(record, sample)) {
        error = fit_extra(commit, &record);
        if (error) {
            return error < 0 ? error : 1;
        }
    }
    family_help(commit->store, record_family(commit->store, record), sample->help);
    if (record->flags & RECORD_EXTRA) {
        fill_extra(*record_extra(record), sample);
    }
    record_set(commit->store, record, sample->value);
    record->commit = number;
    record->seen_s = commit->now_s;
    commit->before = record->id;
    commit->result->accepted++;
    return 1 + (int)feed_history(commit, record);
}

/* Takes a slice of the batch.  1: there is more. */
static int take_slice(struct commit *commit, struct wire_reader *reader)
{
    int error = 1;

    pthread_rwlock_wrlock(&commit->store->lock);
    for (int left = SAMPLES_PER_LOCK; left > 0 && error == 1;) {
        error = sample_decode(reader, &commit->sample);
        if (error == 1) {
            int cost = take(commit);

            error = cost < 0 ? -ENOMEM : 1;
            left -= cost;
        }
    }
    pthread_rwlock_unlock(&commit->store->lock);
    return error;
}

static void count_refused(struct store *store, struct store_owner *owner,
                          const struct store_commit_result *result)
{
    for (int i = 0; i < STORE_REFUSALS; i++) {
        if (result->refused[i] > 0 && !owner->refused[i]) {
            const struct tmon_pair labels[] = {{"name", owner->name},
                                               {"reason", store_refusal_name(i)}};
            const struct store_metric_spec spec = {
                .kind = TMON_COUNTER,
                .name = "toiletmon_store_refused_samples_total",
                .help = "Samples of an instance that the store did not take, by reason.",
                .labels = labels,
                .nlabels = 2,
            };

            (void)store_metric_add(store, &spec,
                                   &owner->refused[i]); // without it they are in the result still
        }
        store_metric_add_value(owner->refused[i], result->refused[i]);
    }
}

static void show_series(struct store *store, struct store_owner *owner)
{
    if (!owner->series_gauge) {
        const struct tmon_pair label = {"name", owner->name};
        const struct store_metric_spec spec = {
            .kind = TMON_GAUGE,
            .name = "toiletmon_store_instance_series",
            .help = "Series that an instance holds.",
            .labels = &label,
            .nlabels = 1,
        };

        (void)store_metric_add(store, &spec, &owner->series_gauge);
    }
    store_metric_set(owner->series_gauge, store_owner_series(owner));
}

int store_commit(struct store *store, struct store_owner *owner, const void *batch, size_t len,
                 int64_t now_ms, int64_t time_ms, struct store_commit_result *ret_result)
{
    struct store_commit_result result = {0};
    struct commit commit;
    struct wire_reader reader;
    uint32_t dropped;
    int error;

    // Not by an initializer: it would clear the sample's kilobytes of buckets each time.
    commit.store = store;
    commit.owner = owner;
    commit.fed = 0;
    commit.now_s = (uint32_t)(now_ms / 1000);
    commit.before = NO_SERIES;
    commit.result = &result;
    wire_reader_init(&reader, batch, len);
    pthread_rwlock_wrlock(&store->lock);
    owner->commits++;
    commit.history = store->history;
    commit.time_ms = commit.history ? history_begin(commit.history, owner, time_ms) : time_ms;
    dropped = owner->dropped;
    if (store_owner_series(owner) == 0) {
        owner->oldest_s = commit.now_s;
    }
    pthread_rwlock_unlock(&store->lock);
    do {
        error = take_slice(&commit, &reader);
    } while (error == 1);
    pthread_rwlock_wrlock(&store->lock);
    if (error == 0 && result.accepted == store_owner_series(owner)) {
        owner->oldest_s = commit.now_s; // all of them were seen
    }
    pthread_rwlock_unlock(&store->lock);
    if (error == 0 && commit.history) {
        history_end(commit.history, owner, commit.time_ms, commit.fed);
    }
    store_expire(store, now_ms);
    pthread_rwlock_rdlock(&store->lock);
    result.dropped = owner->dropped - dropped;
    pthread_rwlock_unlock(&store->lock);
    count_refused(store, owner, &result);
    show_series(store, owner);
    *ret_result = result;
    return error;
}
