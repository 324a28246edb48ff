/*
 * verdicts.c: see verdicts.h.
 *
 * Entries are kept sorted by name, so that readers walk them in order without sorting.  The
 * generation goes up whenever a verdict is replaced, since its details may differ; a reader that
 * remembers an answer compares one atomic number.
 */
#include "store/verdicts.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct verdicts_entry {
    char *name;
    enum verdicts_affects affects;
    uint32_t fail_after;
    uint32_t pass_after;
    bool ready;
    struct verdict *verdict; /* the last one; NULL: none yet */
    tmon_verdict status;     /* effective */
    uint32_t streak;         /* verdicts in a row on the same side as the last one */
    int64_t mono_ns;
    int64_t real_ms;
};

struct verdicts {
    pthread_rwlock_t lock;
    _Atomic uint64_t generation;
    struct verdicts_entry **entries; /* sorted by name */
    uint32_t nentries;
    uint32_t size;
};

const char *health_name(enum health health)
{
    static const char *const names[] = {[HEALTH_HEALTHY] = "healthy",
                                        [HEALTH_DEGRADED] = "degraded",
                                        [HEALTH_UNHEALTHY] = "unhealthy"};

    return names[health];
}

int verdicts_create(struct verdicts **ret_verdicts)
{
    struct verdicts *verdicts = calloc(1, sizeof *verdicts);

    if (!verdicts) {
        return -ENOMEM;
    }
    pthread_rwlock_init(&verdicts->lock, NULL);
    *ret_verdicts = verdicts;
    return 0;
}

static void entry_free(struct verdicts_entry *entry)
{
    verdict_destroy(entry->verdict);
    free(entry->name);
    free(entry);
}

void verdicts_destroy(struct verdicts *verdicts)
{
    if (!verdicts) {
        return;
    }
    for (uint32_t i = 0; i < verdicts->nentries; i++) {
        entry_free(verdicts->entries[i]);
    }
    free(verdicts->entries);
    pthread_rwlock_destroy(&verdicts->lock);
    free(verdicts);
}

static void touch(struct verdicts *verdicts)
{
    atomic_fetch_add_explicit(&verdicts->generation, 1, memory_order_release);
}

static void configure(struct verdicts_entry *entry, const struct verdicts_spec *spec)
{
    entry->affects = spec->affects;
    entry->fail_after = spec->fail_after ? spec->fail_after : 1;
    entry->pass_after = spec->pass_after ? spec->pass_after : 1;
    entry->ready = spec->ready;
}

/* Where the name stands or would stand. */
static uint32_t place_of(const struct verdicts *verdicts, const char *name, bool *ret_taken)
{
    uint32_t low = 0;
    uint32_t high = verdicts->nentries;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (strcmp(verdicts->entries[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_taken = low < verdicts->nentries && strcmp(verdicts->entries[low]->name, name) == 0;
    return low;
}

/* With the lock held for writing. */
static int insert(struct verdicts *verdicts, struct verdicts_entry *entry)
{
    bool taken;
    uint32_t at = place_of(verdicts, entry->name, &taken);

    if (taken) {
        return -EEXIST;
    }
    if (verdicts->nentries == verdicts->size) {
        uint32_t size = verdicts->size ? verdicts->size * 2 : 16;
        struct verdicts_entry **entries = realloc(verdicts->entries, size * sizeof *entries);

        if (!entries) {
            return -ENOMEM;
        }
        verdicts->entries = entries;
        verdicts->size = size;
    }
    memmove(verdicts->entries + at + 1, verdicts->entries + at,
            (verdicts->nentries - at) * sizeof *verdicts->entries);
    verdicts->entries[at] = entry;
    verdicts->nentries++;
    return 0;
}

int verdicts_add(struct verdicts *verdicts, const struct verdicts_spec *spec,
                 struct verdicts_entry **ret_entry)
{
    struct verdicts_entry *entry = calloc(1, sizeof *entry);
    int error = -ENOMEM;

    if (!entry) {
        return -ENOMEM;
    }
    configure(entry, spec);
    entry->name = strdup(spec->name);
    if (entry->name) {
        pthread_rwlock_wrlock(&verdicts->lock);
        error = insert(verdicts, entry);
        pthread_rwlock_unlock(&verdicts->lock);
    }
    if (error) {
        entry_free(entry);
        return error;
    }
    touch(verdicts);
    *ret_entry = entry;
    return 0;
}

void verdicts_remove(struct verdicts *verdicts, struct verdicts_entry *entry)
{
    bool taken;
    uint32_t at;

    if (!entry) {
        return;
    }
    pthread_rwlock_wrlock(&verdicts->lock);
    at = place_of(verdicts, entry->name, &taken);
    verdicts->nentries--;
    memmove(verdicts->entries + at, verdicts->entries + at + 1,
            (verdicts->nentries - at) * sizeof *verdicts->entries);
    pthread_rwlock_unlock(&verdicts->lock);
    entry_free(entry);
    touch(verdicts);
}

void verdicts_change(struct verdicts *verdicts, struct verdicts_entry *entry,
                     const struct verdicts_spec *spec)
{
    pthread_rwlock_wrlock(&verdicts->lock);
    configure(entry, spec);
    pthread_rwlock_unlock(&verdicts->lock);
    touch(verdicts);
}

static bool fails(tmon_verdict status)
{
    return status == TMON_FAIL;
}

/* The streak of verdicts like `status` that makes the entry's effective status go to its side. */
static uint32_t needed(const struct verdicts_entry *entry, tmon_verdict status)
{
    return fails(status) ? entry->fail_after : entry->pass_after;
}

void verdicts_put(struct verdicts *verdicts, struct verdicts_entry *entry, struct verdict *verdict,
                  int64_t mono_ns, int64_t real_ms, struct verdicts_change *ret_change)
{
    struct verdict *old;
    struct verdicts_change change = {0};

    pthread_rwlock_wrlock(&verdicts->lock);
    old = entry->verdict;
    change.first = !old;
    change.from = entry->status;
    entry->streak = old && fails(old->status) == fails(verdict->status) ? entry->streak + 1 : 1;
    entry->verdict = verdict;
    entry->mono_ns = mono_ns;
    entry->real_ms = real_ms;
    // The first one counts at once: there is nothing older to hold on to.
    if (!old || fails(verdict->status) == fails(entry->status) ||
        entry->streak >= needed(entry, verdict->status)) {
        entry->status = verdict->status;
    }
    change.to = entry->status;
    change.changed = change.first || change.from != change.to;
    pthread_rwlock_unlock(&verdicts->lock);
    verdict_destroy(old);
    touch(verdicts);
    if (ret_change) {
        *ret_change = change;
    }
}

uint64_t verdicts_generation(const struct verdicts *verdicts)
{
    return atomic_load_explicit(&verdicts->generation, memory_order_acquire);
}

static enum health effect(const struct verdicts_entry *entry)
{
    if (!entry->verdict || entry->status == TMON_PASS || entry->affects == AFFECTS_NOTHING) {
        return HEALTH_HEALTHY;
    }
    return entry->status == TMON_FAIL && entry->affects == AFFECTS_FAIL ? HEALTH_UNHEALTHY
                                                                        : HEALTH_DEGRADED;
}

void verdicts_summary(struct verdicts *verdicts, struct verdicts_summary *ret_summary)
{
    struct verdicts_summary summary = {.health = HEALTH_HEALTHY};

    pthread_rwlock_rdlock(&verdicts->lock);
    summary.entries = verdicts->nentries;
    for (uint32_t i = 0; i < verdicts->nentries; i++) {
        const struct verdicts_entry *entry = verdicts->entries[i];
        enum health health = effect(entry);

        summary.health = health > summary.health ? health : summary.health;
        summary.pending += !entry->verdict;
        if (entry->ready && (!entry->verdict || entry->status == TMON_FAIL) &&
            summary.not_ready++ == 0) {
            size_t len = strnlen(entry->name, sizeof summary.not_ready_name - 1);

            memcpy(summary.not_ready_name, entry->name, len);
        }
    }
    pthread_rwlock_unlock(&verdicts->lock);
    *ret_summary = summary;
}

void verdicts_visit(struct verdicts *verdicts,
                    bool (*fn)(void *arg, const struct verdicts_view *view), void *arg)
{
    bool more = true;

    pthread_rwlock_rdlock(&verdicts->lock);
    for (uint32_t i = 0; i < verdicts->nentries && more; i++) {
        const struct verdicts_entry *entry = verdicts->entries[i];
        struct verdicts_view view = {
            .name = entry->name,
            .affects = entry->affects,
            .status = entry->status,
            .verdict = entry->verdict,
            .streak = entry->streak,
            .mono_ns = entry->mono_ns,
            .real_ms = entry->real_ms,
        };

        if (entry->verdict && fails(entry->verdict->status) != fails(entry->status)) {
            view.needed = needed(entry, entry->verdict->status);
        }
        more = fn(arg, &view);
    }
    pthread_rwlock_unlock(&verdicts->lock);
}
