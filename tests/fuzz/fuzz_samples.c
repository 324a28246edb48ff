/*
 * Batches of samples as a hostile worker might send them: whatever the store takes, it shows as
 * text that a scraper can read, and spans that are kept from one scrape to the next show the same.
 * The input is up to eight batches, each after a byte that says
 * whose it is and a length of two bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../unit/store/kit.h"
#include "store/spans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct store *store, enum exposition_format format, size_t block)
{
    size_t len;
    char *text = kit_scrape(store, format, false, block, 1000, &len);
    char error[256];
    unsigned samples;

    if (!kit_read(text, len, format != EXPOSITION_TEXT, &samples, error)) {
        fprintf(stderr, "%s\n%s\n", error, text);
        abort();
    }
    free(text);
}

static void check_spans(struct store *store, struct span_list *kept)
{
    struct exposition *exposition;
    struct span_list list;
    size_t len, at = 0;
    char *text = kit_scrape(store, EXPOSITION_TEXT, false, 65536, 1000, &len);

    if (exposition_create(store, EXPOSITION_TEXT, false, 1000, &exposition) < 0 ||
        exposition_spans(exposition, kept, SIZE_MAX, &list) < 0) {
        abort();
    }
    for (size_t i = 0; i < list.n; at += list.items[i++]->len) {
        if (list.items[i]->len > len - at ||
            memcmp(list.items[i]->text, text + at, list.items[i]->len) != 0) {
            abort();
        }
    }
    for (char block[100]; at < len;) { // more spans than a list takes
        ssize_t n = exposition_read(exposition, block, sizeof block);

        if (n <= 0 || (size_t)n > len - at || memcmp(block, text + at, (size_t)n) != 0) {
            abort();
        }
        at += (size_t)n;
    }
    exposition_destroy(exposition);
    span_list_finish(&list);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tmon_pair label = {"b", "\"\\\n"};
    const struct store_owner_spec specs[2] = {{.name = "a", .series = 50, .keep_ms = 2000},
                                              {.name = "b", .labels = &label, .nlabels = 1}};
    struct store *store = NULL;
    struct store_owner *owners[2] = {NULL, NULL};
    struct store_commit_result result;
    struct span_list kept = {.n = 0};

    if (store_create(NULL, &store) < 0 || store_owner_add(store, &specs[0], &owners[0]) < 0 ||
        store_owner_add(store, &specs[1], &owners[1]) < 0) {
        abort();
    }
    for (int64_t i = 0; i < 8 && size >= 3; i++) {
        struct store_owner *owner = owners[data[0] & 1];
        size_t len = (size_t)data[1] | (size_t)data[2] << 8;

        data += 3;
        size -= 3;
        len = len < size ? len : size;
        (void)store_commit(store, owner, data, len, i * 1000, i * 1000, &result);
        data += len;
        size -= len;
        check_spans(store, &kept);
    }
    check(store, EXPOSITION_TEXT, 65536);
    check(store, EXPOSITION_OPENMETRICS, 100);
    span_list_finish(&kept);
    store_destroy(store);
    return 0;
}
