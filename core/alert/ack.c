/*
 * ack.c: somebody has seen an alert and sees to it: it is not repeated any more.
 *
 * It holds for the episode: who was told of nothing yet is told once, the end is told, and when it
 * fires anew after that it is a new episode, which nobody has seen.
 *
 * Sinks that want to know (pagers, whose far end would wake the next one) are told of it, behind
 * the notification that the episode began.
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

/* ---- who is told of it ---- */

/* Once an episode: far ends keep it, and know nothing of taking it back. */
int ack_tell(struct alerts *alerts, struct state_tx *tx, struct alert *alert, struct mark *mark,
             struct alerts_time now)
{
    const struct group *group = alert->ngroups > 0 ? alert->groups[0].group : NULL;
    const struct alerts_item item = {
        .alert = alert, .firing = true, .news = true, .repeat = true, .ack = true};
    const struct alerts_notice notice = {
        .sink = alerts->sinks[mark->sink],
        .one_alert = true,
        .ordering = mark->ordering,
        .group_key = group ? group->key : "{}:{}",
        .group = group ? group->labels : NULL,
        .ngroup = group ? group->nlabels : 0,
        .items = &item,
        .nitems = 1,
    };
    uint64_t ordering;
    int64_t id;

    if (alert->acked_ms == 0 || !alert->firing || mark->fate != FATE_TOLD || mark->ack_told ||
        !alerts->hooks.wants_acks || !alerts->hooks.wants_acks(alerts->hooks.owner, notice.sink)) {
        return 0;
    }
    mark->ack_told = true;
    alert_dirty(alerts, alert);
    return alerts->hooks.notify(alerts->hooks.owner, tx, &notice, now, &id, &ordering);
}

static int tell_all(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                    struct alerts_time now)
{
    int r = 0;

    for (size_t i = 0; i < alert->nmarks && r == 0; i++) {
        r = ack_tell(alerts, tx, alert, &alert->marks[i], now);
    }
    if (r < 0 && tx->error == 0) {
        tx->error = r;
    }
    return r;
}

/* ---- the whole ---- */

int alerts_ack(struct alerts *alerts, struct state_tx *tx, const char *id,
               const struct alerts_ack *ack, struct alerts_time now)
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
        r = tell_all(alerts, tx, alert, now);
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

const char *alert_acked_by(const struct alert *alert)
{
    return alert->acked_ms != 0 ? alert->acked_by : NULL;
}

bool alert_is_seen(const struct alert *alert, const struct mark *mark)
{
    return alert->acked_ms != 0 && mark->fate != FATE_REJECTED;
}
