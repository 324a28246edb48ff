/*
 * history_select.c: selectors, and which series are theirs.
 *
 * A series is matched once, when it is born or when a selector comes.  There may be thousands of
 * selectors, and nearly all of them name their metric: so a birth asks those of its name, and the
 * few without one.  Matching runs under the store's lock held for writing, since a matcher is used
 * by one thread at a time; what it costs is counted, so that nobody holds the lock for too much of
 * it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/labels.h"
#include "store/history_private.h"

/* Costs, where one is that of a sample to be committed. */
#define MATCHES_PER_SAMPLE 4
#define TRACK_COST 4          /* to make or to free one */
#define RECORDS_PER_SAMPLE 32 /* that have another name */

static int list_add(struct history *history, struct selector_list *list,
                    struct history_selector *selector)
{
    if (list->n == list->size) {
        uint32_t size = list->size ? list->size * 2 : 2;
        struct history_selector **items = realloc(list->items, size * sizeof *items);

        if (!items) {
            return -ENOMEM;
        }
        history->bytes += (size - list->size) * sizeof *items;
        list->items = items;
        list->size = size;
    }
    list->items[list->n++] = selector;
    return 0;
}

static void list_remove(struct selector_list *list, const struct history_selector *selector)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->items[i] == selector) {
            list->items[i] = list->items[--list->n];
            return;
        }
    }
}

static struct selector_name *find_name(const struct history *history, const char *name)
{
    return map_get(&history->names, name, strlen(name));
}

bool history_wants(const struct history *history, const struct history_selector *only,
                   const char *name)
{
    if (only) {
        return !only->name || strcmp(only->name, name) == 0;
    }
    return history->nameless.n > 0 || find_name(history, name);
}

/* ---- matching ---- */

static bool matches(const struct history_selector *selector, const struct tmon_pair *pairs,
                    size_t n)
{
    return matchers_match(selector->matchers, selector->nmatchers, pairs, n);
}

static uint32_t match_list(struct history *history, const struct selector_list *list,
                           const struct tmon_pair *pairs, size_t n, uint32_t hits)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (matches(list->items[i], pairs, n)) {
            history->hits[hits++] = list->items[i];
        }
    }
    return hits;
}

/* Those that match go to history->hits; how many. */
static uint32_t match(struct history *history, const struct history_selector *only,
                      const struct tmon_pair *pairs, size_t n, uint32_t *cost)
{
    const struct selector_name *name;
    uint32_t hits;

    if (only) {
        history->hits[0] = history->walking;
        return matches(only, pairs, n);
    }
    hits = match_list(history, &history->nameless, pairs, n, 0);
    name = find_name(history, labels_get(pairs, n, "__name__"));
    if (name) {
        hits = match_list(history, &name->list, pairs, n, hits);
    }
    *cost += (history->nameless.n + (name ? name->list.n : 0)) / MATCHES_PER_SAMPLE;
    return hits;
}

static void link_to(struct history *history, struct history_selector *selector, struct track *track)
{
    if (selector == history->walking) {
        if (track->mark == history->marks) {
            return; // it was here already
        }
        track->mark = history->marks;
    }
    if (history_push(history, &selector->tracks, track) < 0) {
        selector->missing++;
        return;
    }
    track->nselectors++;
    if (selector->keep_ms > track->keep_ms || track->nselectors == 1) {
        // What was dropped before was not wanted; but if the bounds took it, it was.
        if (!(track->flags & TRACK_CUT)) {
            track->edge_ms = TRACK_NO_EDGE;
        }
        track_keep(track, selector->keep_ms);
    }
}

int history_track(struct history *history, const struct history_selector *only,
                  const struct tmon_pair *pairs, size_t n, uint32_t *cost, struct track **ret_track)
{
    uint32_t len = labels_pack(pairs, n, history->text);
    uint32_t hash = map_hash(history->text, len);
    struct track *track = history_find(history, hash, history->text, len);
    bool missed = only && history->again;
    uint32_t hits;
    int r;

    if (len == 0) {
        return -EINVAL;
    }
    *cost += 1;
    if (track && only && matches(only, pairs, n)) {
        link_to(history, history->walking, track);
    }
    hits = track ? 0 : match(history, only, pairs, n, cost);
    if (hits == 0) {
        *ret_track = track;
        return 0;
    }
    *cost += TRACK_COST;
    r = history_make(history, len, (uint32_t)n, hash, &track);
    for (uint32_t i = 0; i < hits; i++) {
        missed |= history->hits[i]->missing > 0;
        if (r < 0) {
            history->hits[i]->missing++;
        } else {
            link_to(history, history->hits[i], track);
        }
    }
    if (r == 0 && track->nselectors == 0) {
        history_free(history, track);
        r = -ENOMEM;
    }
    if (r == 0) {
        if (missed) { // it may be one of those that had no room, with samples before this one
            track_lost(history, track, track_add_ms(history->now_ms, -1));
        }
        *ret_track = track;
    }
    return r;
}

/* ---- a selector comes ---- */

static void selector_destroy(struct history_selector *selector)
{
    if (selector) {
        for (size_t i = 0; i < selector->nmatchers; i++) {
            matcher_finish(&selector->matchers[i]);
        }
        free(selector->matchers);
        free(selector->tracks.items);
        free(selector);
    }
}

static int selector_create(const struct matcher *matchers, size_t n, int64_t keep_ms,
                           struct history_selector **ret_selector)
{
    struct history_selector *selector = calloc(1, sizeof *selector);
    struct buf text;

    if (!selector || !(selector->matchers = calloc(n ? n : 1, sizeof *matchers))) {
        free(selector);
        return -ENOMEM;
    }
    selector->keep_ms = keep_ms > 0 ? keep_ms : 0;
    for (size_t i = 0; i < n; i++) {
        int r = matcher_copy(&matchers[i], &selector->matchers[i]);

        if (r < 0) {
            selector_destroy(selector);
            return r;
        }
        selector->nmatchers++;
        if (matchers[i].op == MATCHER_EQUAL && strcmp(matchers[i].name, "__name__") == 0 &&
            *matchers[i].value) {
            selector->name = selector->matchers[i].value;
        }
    }
    buf_init(&text, SIZE_MAX / 2);
    matchers_show(selector->matchers, n, &text);
    selector->key = labels_fingerprint(&(struct tmon_pair){buf_str(&text), ""}, 1);
    buf_finish(&text);
    *ret_selector = selector;
    return 0;
}

static int enter_name(struct history *history, struct history_selector *selector)
{
    struct selector_name *name = find_name(history, selector->name);
    size_t len = strlen(selector->name);
    int r;

    if (name) {
        return list_add(history, &name->list, selector);
    }
    name = calloc(1, sizeof *name + len + 1);
    if (!name) {
        return -ENOMEM;
    }
    memcpy(name->name, selector->name, len + 1);
    r = list_add(history, &name->list, selector);
    if (r == 0) {
        r = map_put(&history->names, name->name, len, name);
    }
    if (r < 0) {
        free(name->list.items);
        free(name);
    }
    return r;
}

static void leave_name(struct history *history, const struct history_selector *selector)
{
    struct selector_name *name = find_name(history, selector->name);

    list_remove(&name->list, selector);
    if (name->list.n == 0) {
        map_remove(&history->names, name->name, strlen(name->name));
        history->bytes -= name->list.size * sizeof(struct history_selector *);
        free(name->list.items);
        free(name);
    }
}

/* With the lock held.  From here on, births are matched. */
static int enter(struct history *history, struct history_selector *selector)
{
    struct history_selector **hits;
    int r;

    hits = realloc(history->hits, (history->selectors.n + 1) * sizeof *hits);
    if (!hits) {
        return -ENOMEM;
    }
    history->hits = hits;
    r = list_add(history, &history->selectors, selector);
    if (r < 0) {
        return r;
    }
    r = selector->name ? enter_name(history, selector)
                       : list_add(history, &history->nameless, selector);
    if (r < 0) {
        history->selectors.n--;
        return r;
    }
    selector->since_ms = history->now_ms;
    return 0;
}

static uint32_t look_at_loose(void *arg, struct track *track)
{
    struct history *history = arg;

    if (track->record == NO_SERIES) {
        labels_unpack(track, history->pairs);
        if (matches(history->walking, history->pairs, track->nlabels)) {
            link_to(history, history->walking, track);
        }
    }
    return 1;
}

static void look_at_records(struct history *history)
{
    struct store *store = history->store;
    uint32_t id = UINT32_MAX;

    while (id > 1) {
        const struct family *other = NULL; // one that is not wanted

        pthread_rwlock_wrlock(&store->lock);
        id = id < store->nrefs ? id : store->nrefs;
        for (uint32_t spent = 0; id > 1 && spent < HISTORY_SLICE * RECORDS_PER_SAMPLE; spent++) {
            struct record *record = record_at(store, --id);

            if (record && record_family(store, record) != other) {
                uint32_t cost = history_watch(history, history->walking, record);

                other = cost > 0 ? NULL : record_family(store, record);
                spent += (1 + cost) * RECORDS_PER_SAMPLE;
            }
        }
        pthread_rwlock_unlock(&store->lock);
    }
}

static uint32_t mark(void *arg, struct track *track)
{
    track->mark = ((const struct history *)arg)->marks;
    return 1;
}

void history_search(struct history *history, struct history_selector *selector, bool again)
{
    uint32_t loose;

    pthread_rwlock_wrlock(&history->store->lock);
    history->walking = selector;
    history->again = again;
    history->marks++;
    selector->missing = 0;
    loose = history->loose;
    pthread_rwlock_unlock(&history->store->lock);
    history_walk(history, &selector->tracks, true, mark, history); // it knows these already
    if (loose > 0) {
        history_walk(history, &history->tracks, true, look_at_loose, history);
    }
    look_at_records(history);
    pthread_rwlock_wrlock(&history->store->lock);
    history->walking = NULL;
    pthread_rwlock_unlock(&history->store->lock);
}

int history_select(struct history *history, const struct matcher *matchers, size_t n,
                   int64_t keep_ms, struct history_selector **ret_selector)
{
    struct history_selector *selector = NULL;
    int r = selector_create(matchers, n, keep_ms, &selector);

    if (r < 0) {
        return r;
    }
    history_lock(history);
    pthread_rwlock_wrlock(&history->store->lock);
    r = enter(history, selector);
    pthread_rwlock_unlock(&history->store->lock);
    if (r == 0) {
        history_search(history, selector, false);
    }
    history_unlock(history);
    if (r < 0) {
        selector_destroy(selector);
        return r;
    }
    *ret_selector = selector;
    return 0;
}

/* ---- and goes ---- */

static uint32_t let_go(void *arg, struct track *track)
{
    if (--track->nselectors > 0) {
        return 1;
    }
    history_free(arg, track);
    return TRACK_COST;
}

void history_unselect(struct history *history, struct history_selector *selector)
{
    if (!selector) {
        return;
    }
    history_lock(history);
    pthread_rwlock_wrlock(&history->store->lock);
    if (selector->name) {
        leave_name(history, selector);
    } else {
        list_remove(&history->nameless, selector);
    }
    list_remove(&history->selectors, selector);
    history->unselected = true;
    pthread_rwlock_unlock(&history->store->lock);
    history_walk(history, &selector->tracks, true, let_go, history);
    pthread_rwlock_wrlock(&history->store->lock);
    history->bytes -= selector->tracks.size * sizeof(struct track *);
    pthread_rwlock_unlock(&history->store->lock);
    history_unlock(history);
    selector_destroy(selector);
}
