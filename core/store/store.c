/*
 * store.c: the store as a whole, its owners, and the dropping of series that stopped.
 *
 * Any thread.  The lock is a plain reader-writer lock: writers hold it for some hundred samples at
 * a time and readers for one block of a scrape, so neither needs to be preferred.
 */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_feed.h"
#include "store/series.h"

static const char *const refusal_names[STORE_REFUSALS] = {
    [STORE_REFUSED_OWNER_LIMIT] = "owner_limit", [STORE_REFUSED_TOTAL_LIMIT] = "total_limit",
    [STORE_REFUSED_COLLIDING] = "colliding",     [STORE_REFUSED_CONFLICT] = "conflict",
    [STORE_REFUSED_DUPLICATE] = "duplicate",     [STORE_REFUSED_TOO_LONG] = "too_long",
};

static const char *const refusal_advice[STORE_REFUSALS] = {
    [STORE_REFUSED_OWNER_LIMIT] =
        "the instance has as many series as it may; raise its limit or emit fewer",
    [STORE_REFUSED_TOTAL_LIMIT] =
        "the agent has as many series as it may; raise its limit or emit fewer",
    [STORE_REFUSED_COLLIDING] =
        "another instance emits the same series; tell them apart with `labels:`",
    [STORE_REFUSED_CONFLICT] =
        "the name is in use with another type; rename one of the two metrics",
    [STORE_REFUSED_DUPLICATE] =
        "the series came twice in one collection; the plugin has to give it once",
    [STORE_REFUSED_TOO_LONG] = "name and labels are too long together; shorten the labels",
};

const char *store_refusal_name(enum store_refusal why)
{
    return refusal_names[why];
}

const char *store_refusal_advice(enum store_refusal why)
{
    return refusal_advice[why];
}

static void owner_free(struct store_owner *owner)
{
    if (owner) {
        free(owner->labels);
        free(owner->name);
        free(owner);
    }
}

static void owner_configure(struct store_owner *owner, const struct store_owner_spec *spec)
{
    int64_t keep_s = (spec->keep_ms > 0 ? spec->keep_ms : STORE_KEEP_MS) / 1000;

    owner->cap = spec->series ? spec->series : LIMIT_SERIES_PER_OWNER;
    owner->keep_s = keep_s < INT32_MAX ? (uint32_t)keep_s : INT32_MAX;
}

static int owner_new(const struct store_owner_spec *spec, struct store_owner **ret_owner)
{
    struct store_owner *owner = calloc(1, sizeof *owner);
    int error = -ENOMEM;

    if (!owner) {
        return -ENOMEM;
    }
    owner_configure(owner, spec);
    owner->name = strdup(spec->name);
    if (owner->name) {
        error = text_labels(spec->labels, spec->nlabels, &owner->labels, &owner->nlabels);
    }
    if (error) {
        owner_free(owner);
        return error;
    }
    *ret_owner = owner;
    return 0;
}

/* With the lock held for writing. */
static int owner_enter(struct store *store, struct store_owner *owner)
{
    uint32_t at = store->free_owner;

    while (at < store->nowners && store->owners[at]) {
        at++;
    }
    if (at > LIMIT_OWNERS) {
        return -ENOSPC;
    }
    if (at == store->nowners) {
        if (store->nowners == store->owners_size) {
            uint32_t size = store->owners_size ? store->owners_size * 2 : 16;
            struct store_owner **owners = realloc(store->owners, size * sizeof *owners);

            if (!owners) {
                return -ENOMEM;
            }
            store->owners = owners;
            store->owners_size = size;
        }
        store->nowners++;
    }
    store->owners[at] = owner;
    store->free_owner = at + 1;
    owner->index = (uint16_t)at;
    return 0;
}

int store_owner_add(struct store *store, const struct store_owner_spec *spec,
                    struct store_owner **ret_owner)
{
    struct store_owner *owner = NULL;
    int error = owner_new(spec, &owner);

    if (error) {
        return error;
    }
    pthread_rwlock_wrlock(&store->lock);
    error = owner_enter(store, owner);
    pthread_rwlock_unlock(&store->lock);
    if (error) {
        owner_free(owner);
        return error;
    }
    *ret_owner = owner;
    return 0;
}

void store_owner_change(struct store *store, struct store_owner *owner,
                        const struct store_owner_spec *spec)
{
    pthread_rwlock_wrlock(&store->lock);
    owner_configure(owner, spec);
    pthread_rwlock_unlock(&store->lock);
}

static bool is_of_owner(void *arg, const struct record *record)
{
    return record->owner == ((const struct store_owner *)arg)->index;
}

void store_owner_remove(struct store *store, struct store_owner *owner)
{
    if (!owner) {
        return;
    }
    for (int i = 0; i < STORE_REFUSALS; i++) {
        store_metric_remove(store, owner->refused[i]);
    }
    store_metric_remove(store, owner->series_gauge);
    pthread_rwlock_wrlock(&store->lock);
    if (atomic_load_explicit(&owner->series, memory_order_relaxed) > 0) {
        record_drop_if(store, is_of_owner, owner);
    }
    if (store->history) {
        history_owner_gone(store->history, owner);
    }
    store->owners[owner->index] = NULL;
    if (owner->index < store->free_owner) {
        store->free_owner = owner->index;
    }
    pthread_rwlock_unlock(&store->lock);
    owner_free(owner);
}

uint32_t store_owner_series(const struct store_owner *owner)
{
    return atomic_load_explicit(&owner->series, memory_order_relaxed);
}

/* -- series that stopped -- */

static bool is_due(const struct store_owner *owner, uint32_t now_s)
{
    return owner && owner->index != 0 &&
           atomic_load_explicit(&owner->series, memory_order_relaxed) > 0 &&
           (int32_t)(now_s - owner->oldest_s) > (int32_t)owner->keep_s;
}

struct sweep {
    struct store *store;
    uint32_t now_s;
};

static bool has_stopped(void *arg, const struct record *record)
{
    const struct sweep *sweep = arg;
    struct store_owner *owner = sweep->store->owners[record->owner];

    if (owner->index == 0) {
        return false;
    }
    if ((int32_t)(sweep->now_s - record->seen_s) > (int32_t)owner->keep_s) {
        owner->dropped++;
        return true;
    }
    if ((int32_t)(record->seen_s - owner->oldest_s) < 0) {
        owner->oldest_s = record->seen_s;
    }
    return false;
}

void store_expire(struct store *store, int64_t now_ms)
{
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    bool due = false;

    pthread_rwlock_rdlock(&store->lock);
    for (uint32_t i = 1; i < store->nowners && !due && now_s != store->swept_s; i++) {
        due = is_due(store->owners[i], now_s);
    }
    pthread_rwlock_unlock(&store->lock);
    if (!due) {
        return;
    }
    pthread_rwlock_wrlock(&store->lock);
    store->swept_s = now_s;
    for (uint32_t i = 1; i < store->nowners; i++) {
        if (store->owners[i]) {
            store->owners[i]->oldest_s = now_s;
        }
    }
    record_drop_if(store, has_stopped, &(struct sweep){store, now_s});
    pthread_rwlock_unlock(&store->lock);
}

/* -- the whole -- */

int store_create(const struct store_limits *limits, struct store **ret_store)
{
    static const struct store_owner_spec agent = {.name = "agent"};
    static const struct store_metric_spec series_spec = {.kind = TMON_GAUGE,
                                                         .name = "toiletmon_store_series",
                                                         .help = "Series that the agent holds."};
    static const struct store_metric_spec limit_spec = {.kind = TMON_GAUGE,
                                                        .name = "toiletmon_store_series_limit",
                                                        .help =
                                                            "How many series the agent may hold."};
    struct store *store = calloc(1, sizeof *store);
    struct store_owner *owner = NULL;
    int error = -ENOMEM;

    if (!store) {
        return -ENOMEM;
    }
    map_init(&store->by_name);
    pthread_rwlock_init(&store->lock, NULL); // does not fail on Linux without attributes
    error = owner_new(&agent, &owner);
    if (error == 0) {
        error = owner_enter(store, owner);
        if (error) {
            owner_free(owner);
        }
    }
    if (error == 0) {
        error = store_metric_add(store, &series_spec, &store->series_gauge);
    }
    if (error == 0) {
        error = store_metric_add(store, &limit_spec, &store->limit_gauge);
    }
    if (error) {
        store_destroy(store);
        return error;
    }
    store_change(store, limits);
    *ret_store = store;
    return 0;
}

void store_change(struct store *store, const struct store_limits *limits)
{
    pthread_rwlock_wrlock(&store->lock);
    store->max_series = limits && limits->series ? limits->series : LIMIT_SERIES;
    pthread_rwlock_unlock(&store->lock);
    store_metric_set(store->limit_gauge, limits && limits->series ? limits->series : LIMIT_SERIES);
}

static bool free_what_it_holds(void *arg, const struct record *record)
{
    (void)arg;
    if (record->flags & RECORD_EXTRA) {
        free((*record_extra((struct record *)(uintptr_t)record))->metric);
    }
    return true;
}

void store_destroy(struct store *store)
{
    if (!store) {
        return;
    }
    history_destroy(store->history);
    record_drop_if(store, free_what_it_holds, NULL);
    for (uint32_t i = 0; i < store->nowners; i++) {
        owner_free(store->owners[i]);
    }
    free(store->owners);
    map_finish(&store->by_name);
    free(store->families);
    free(store->chunks);
    free(store->refs);
    free(store->index);
    pthread_rwlock_destroy(&store->lock);
    free(store);
}

void store_stats(struct store *store, struct store_stats *ret_stats)
{
    struct store_stats stats = {0};

    pthread_rwlock_rdlock(&store->lock);
    stats.series = store->live;
    stats.families = store->nfamilies;
    stats.bytes = store->families_size * sizeof *store->families +
                  store->chunks_size * sizeof *store->chunks +
                  store->refs_size * sizeof *store->refs +
                  store->index_size * sizeof *store->index +
                  store->nfamilies * (sizeof **store->families + 64);
    for (uint32_t i = 1; i < store->nchunks; i++) {
        stats.bytes += store->chunks[i].family ? store->chunks[i].size + CHUNK_SLACK : 0;
    }
    pthread_rwlock_unlock(&store->lock);
    *ret_stats = stats;
}

void store_refresh_add(struct store *store, struct store_refresh *entry)
{
    entry->next = store->refreshes;
    // A scrape may walk the list already: it sees the entry whole, or not at all.
    __atomic_store_n(&store->refreshes, entry, __ATOMIC_RELEASE);
}

void store_refresh(struct store *store, int64_t now_ms)
{
    for (struct store_refresh *entry = __atomic_load_n(&store->refreshes, __ATOMIC_ACQUIRE); entry;
         entry = entry->next) {
        entry->fn(entry->arg, now_ms);
    }
}

void store_refresh_remove(struct store *store, struct store_refresh *entry)
{
    struct store_refresh **at = &store->refreshes;

    while (*at && *at != entry) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = entry->next;
    }
}
