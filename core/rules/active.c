/*
 * active.c: see active.h.
 */
#include "rules/active.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/labels.h"
#include "rules/rule.h"

const char *active_state_name(enum active_state state)
{
    static const char *const names[] = {"inactive", "pending", "firing"};

    return names[state];
}

void active_key(const struct tmon_pair *labels, size_t n, struct buf *buf)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(buf, labels[i].key);
        buf_putc(buf, (char)0xfe); /* in no UTF-8 */
        buf_puts(buf, labels[i].value);
        buf_putc(buf, (char)0xff);
    }
    buf_puts(buf, "");
}

int active_create(struct rule *rule, const struct tmon_pair *labels, size_t n,
                  struct active **ret_active)
{
    struct active *active = calloc(1, sizeof *active);
    struct buf key;
    size_t len;

    if (!active) {
        return -ENOMEM;
    }
    buf_init(&key, SIZE_MAX / 2);
    active_key(labels, n, &key);
    len = key.len;
    active->rule = rule;
    active->keep_since_ms = -1;
    active->nlabels = n;
    active->key = buf_take(&key);
    if (!active->key || labels_copy(labels, n, &active->labels) < 0 ||
        map_put(&rule->active, active->key, len, active) < 0) {
        active_destroy(active);
        return -ENOMEM;
    }
    *ret_active = active;
    return 0;
}

int active_annotate(struct active *active, const struct tmon_pair *annotations, size_t n)
{
    struct tmon_pair *copy = NULL;

    if (n > 0 && labels_copy(annotations, n, &copy) < 0) {
        return -ENOMEM;
    }
    free(active->annotations);
    active->annotations = copy;
    active->nannotations = n;
    return 0;
}

void active_destroy(struct active *active)
{
    if (!active) {
        return;
    }
    free(active->key);
    free(active->labels);
    free(active->annotations);
    free(active);
}

uint64_t active_texts(const struct active *active)
{
    return labels_fingerprint(active->annotations, active->nannotations);
}
