/*
 * ack.c: somebody has seen an alert and sees to it: it is not repeated any more.
 *
 * It holds for the episode: who was told of nothing yet is told once, the end is told, and when it
 * fires anew after that it is a new episode, which nobody has seen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"
#include "base/utf8.h"

/* The episode's number stands at the end of its key. */
static struct alert *find_by_key(const struct alerts *alerts, const char *key)
{
    const char *last = strrchr(key, '-');
    char *end = NULL;
    struct alert *alert;

    if (!last || strlen(key) >= sizeof alert->key) {
        return NULL;
    }
    alert = alert_find(alerts, (int64_t)strtoull(last + 1, &end, 16));
    return alert && strcmp(alert->key, key) == 0 ? alert : NULL;
}

/* By the episode's key, or by the fingerprint where that names one alert. */
static int find(const struct alerts *alerts, const char *id, struct alert **ret_alert)
{
    struct alert *alert = find_by_key(alerts, id), *other;
    size_t pos = 0;

    while (!strchr(id, '-') && (other = map_next(&alerts->by_episode, &pos))) {
        if (strcmp(other->fingerprint_text, id) == 0) {
            if (alert) {
                return -ENOTUNIQ;
            }
            alert = other;
        }
    }
    *ret_alert = alert;
    return alert ? 0 : -ENOENT;
}

static bool text_ok(const char *text, size_t most)
{
    size_t len = strlen(text);

    return len <= most && utf8_valid(text, len);
}

static bool ack_ok(const struct alerts_ack *ack)
{
    return text_ok(ack->by, LIMIT_ACK_BY_BYTES) && text_ok(ack->comment, LIMIT_ACK_COMMENT_BYTES);
}

static void clear(struct alert *alert)
{
    free(alert->acked_by);
    free(alert->ack_comment);
    alert->acked_by = alert->ack_comment = NULL;
    alert->acked_ms = 0;
}

int alert_set_ack(struct alert *alert, const char *by, const char *comment, int64_t at_ms)
{
    char *copy = strdup(by), *other = strdup(comment);

    if (!copy || !other) {
        free(copy);
        free(other);
        return -ENOMEM;
    }
    clear(alert);
    alert->acked_by = copy;
    alert->ack_comment = other;
    alert->acked_ms = at_ms;
    return 0;
}

int alerts_ack(struct alerts *alerts, const char *id, const struct alerts_ack *ack,
               struct alerts_time now)
{
    struct alert *alert = NULL;
    int r = find(alerts, id, &alert);

    if (r < 0) {
        return r;
    }
    if (!alert->firing) {
        return -ESTALE;
    }
    if (ack && !ack_ok(ack)) {
        return -EINVAL;
    }
    if (!ack && alert->acked_ms == 0) {
        return 0;
    }
    alert_count(alerts, alert, -1);
    if (ack) {
        r = alert_set_ack(alert, ack->by, ack->comment, now.real_ms > 0 ? now.real_ms : 1);
    } else {
        clear(alert);
    }
    alert_count(alerts, alert, 1);
    if (r == 0) {
        alert_dirty(alerts, alert);
    }
    return r;
}

int alerts_find(struct alerts *alerts, const char *id,
                void (*fn)(void *arg, const struct alerts_view *view), void *arg,
                struct alerts_time now)
{
    struct alert *alert = NULL;
    int r = find(alerts, id, &alert);

    if (r == 0) {
        struct view_space space;
        const struct alerts_view view = alert_view(alerts, alert, &space, now);

        fn(arg, &view);
    }
    return r;
}

bool alert_is_seen(const struct alert *alert, const struct mark *mark)
{
    return alert->acked_ms != 0 && mark->fate != FATE_REJECTED;
}
