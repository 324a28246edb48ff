/*
 * family.c: the families, sorted by name.
 *
 * Called with the store's lock held for writing.  Sorted, so that two scrapes show the same order
 * and a cursor is never passed by its own family; an insertion moves pointers, which is cheap as
 * families are few and new ones rare.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/series.h"

struct family *family_find(const struct store *store, const char *name)
{
    return map_get(&store->by_name, name, strlen(name));
}

static bool has_points(tmon_metric_kind kind)
{
    return kind == TMON_HISTOGRAM || kind == TMON_SUMMARY;
}

/* Whether lines of the family would carry the name of another one's: x_count beside a histogram x.
 */
static bool clashes(const struct store *store, const char *name, tmon_metric_kind kind)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    char other[LIMIT_METRIC_NAME_BYTES + 8];
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t suffix = strlen(suffixes[i]);

        if (len > suffix && strcmp(name + len - suffix, suffixes[i]) == 0) {
            const struct family *base = map_get(&store->by_name, name, len - suffix);

            if (base && (base->kind == TMON_HISTOGRAM || (base->kind == TMON_SUMMARY && i > 0))) {
                return true;
            }
        }
        if (has_points(kind) && (i > 0 || kind == TMON_HISTOGRAM)) {
            memcpy(other, name, len);
            memcpy(other + len, suffixes[i], suffix);
            if (map_get(&store->by_name, other, len + suffix)) {
                return true;
            }
        }
    }
    return false;
}

static uint32_t place_of(const struct store *store, const char *name)
{
    uint32_t low = 0;
    uint32_t high = store->nfamilies;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (strcmp(store->families[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void number_from(struct store *store, uint32_t at)
{
    for (; at < store->nfamilies; at++) {
        store->families[at]->at = at;
    }
}

int family_add(struct store *store, const char *name, tmon_metric_kind kind,
               struct family **ret_family)
{
    struct family *family;
    uint32_t at;

    if (clashes(store, name, kind)) {
        return -EEXIST;
    }
    if (store->nfamilies == store->families_size) {
        uint32_t size = store->families_size ? store->families_size * 2 : 64;
        struct family **families = realloc(store->families, size * sizeof *families);

        if (!families) {
            return -ENOMEM;
        }
        store->families = families;
        store->families_size = size;
    }
    family = calloc(1, sizeof *family);
    if (!family) {
        return -ENOMEM;
    }
    family->kind = kind;
    family->name_len = (uint32_t)strlen(name);
    family->name = calloc(1, family->name_len + 1 + CHUNK_SLACK);
    if (!family->name || map_put(&store->by_name, memcpy(family->name, name, family->name_len),
                                 family->name_len, family) < 0) {
        free(family->name);
        free(family);
        return -ENOMEM;
    }
    at = place_of(store, name);
    memmove(store->families + at + 1, store->families + at,
            (store->nfamilies - at) * sizeof *store->families);
    store->families[at] = family;
    store->nfamilies++;
    store->heads++;
    number_from(store, at);
    *ret_family = family;
    return 0;
}

void family_remove(struct store *store, struct family *family)
{
    uint32_t at = family->at;

    map_remove(&store->by_name, family->name, strlen(family->name));
    store->nfamilies--;
    store->heads++;
    memmove(store->families + at, store->families + at + 1,
            (store->nfamilies - at) * sizeof *store->families);
    number_from(store, at);
    for (struct cursor *cursor = store->cursors; cursor; cursor = cursor->next) {
        if (cursor->family == family) {
            cursor->family = at < store->nfamilies ? store->families[at] : NULL;
            cursor->at = (struct mark){0};
            cursor->in_family = false;
        }
    }
    free(family->chunks);
    free(family->help);
    free(family->name);
    free(family);
}

void family_help(struct store *store, struct family *family, const char *help)
{
    if (!family->help && help && *help) {
        store->heads++;
        family->help = strdup(help); // without memory for it, it shows no help
    }
}
