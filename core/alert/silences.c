/*
 * silences.c: silences are made, changed and end; see silences.h.
 */
#include "alert/silences.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alert/private.h"
#include "base/hex.h"
#include "base/utf8.h"

#define JUMP_MS 1000  /* so far apart the clocks may drift before timers are set anew */
#define LOOK_MS 60000 /* how often that is looked at while something waits */

const char *silence_state_name(enum silence_state state)
{
    static const char *const names[SILENCE_STATES] = {"pending", "active", "expired"};

    return state < SILENCE_STATES ? names[state] : "unknown";
}

/* ---- what may be asked for ---- */

static const char *check_matchers(const struct silence_input *input)
{
    size_t bytes = 0;
    bool asks = false;

    if (input->nmatchers == 0) {
        return "it has no matchers; without any it would silence everything";
    }
    if (input->nmatchers > LIMIT_SILENCE_MATCHERS) {
        return "it has more than 32 matchers";
    }
    for (size_t i = 0; i < input->nmatchers; i++) {
        const struct matcher *matcher = &input->matchers[i];

        if (!utf8_valid(matcher->value, strlen(matcher->value))) {
            return "a matcher is no UTF-8";
        }
        bytes += strlen(matcher->name) + strlen(matcher->value);
        /* As Alertmanager: one that rules something out asks for something. */
        asks = asks || matcher->op == MATCHER_NOT_EQUAL || matcher->op == MATCHER_NOT_REGEX ||
               !matcher_matches(matcher, "");
    }
    if (bytes > LIMIT_SILENCE_BYTES) {
        return "its matchers are too long; 16384 bytes are allowed in all";
    }
    return asks ? NULL : "all its matchers fit an empty value, so it would silence everything";
}

static const char *check_text(const char *text, size_t most, const char *too_long)
{
    if (!text) {
        return NULL;
    }
    return strlen(text) > most               ? too_long
           : !utf8_valid(text, strlen(text)) ? "its comment or author is no UTF-8"
                                             : NULL;
}

int silence_input_check(const struct silence_input *input, int64_t now_ms, char *ret_why,
                        size_t size)
{
    const char *why = check_matchers(input);

    if (!why) {
        why = check_text(input->comment, LIMIT_SILENCE_TEXT_BYTES,
                         "its comment is longer than 4096 bytes");
    }
    if (!why) {
        why = check_text(input->created_by, LIMIT_SILENCE_NAME_BYTES,
                         "its author is longer than 256 bytes");
    }
    if (!why && input->starts_ms > 0 && input->ends_ms <= input->starts_ms) {
        why = "it must start before it ends";
    }
    if (!why && input->ends_ms <= now_ms) {
        why = "its end is in the past";
    }
    if (!why && input->ends_ms > SILENCE_TIME_MOST) {
        why = "its end is after the year 9999";
    }
    if (why) {
        (void)snprintf(ret_why, size, "%s", why);
        return -EINVAL;
    }
    return 0;
}

/* ---- one ---- */

void silence_free(struct silence *silence)
{
    if (silence) {
        matchers_free(silence->matchers, silence->nmatchers);
        free(silence->created_by);
        free(silence->comment);
        free(silence);
    }
}

void silence_name(struct silence *silence, const unsigned char bytes[16])
{
    static const size_t dashes[] = {4, 6, 8, 10};
    char *at = silence->id;
    size_t dash = 0;

    for (size_t i = 0; i < 16; i++) {
        if (dash < 4 && i == dashes[dash]) {
            *at++ = '-';
            dash++;
        }
        at = hex_put(at, bytes[i], 2);
    }
    *at = '\0';
    (void)silence_id_ok(silence->id, &silence->row);
}

bool silence_id_ok(const char *id, int64_t *ret_row)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    uint64_t number = 0;
    size_t digits = 0;

    for (size_t i = 0; i < sizeof form - 1; i++) {
        const char *hex = id[i] ? strchr("0123456789abcdef", id[i]) : NULL;

        if (form[i] == '-' ? id[i] != '-' : !hex) {
            return false;
        }
        if (form[i] == 'x' && digits++ < 16) {
            number = number << 4 | (uint64_t)(hex - "0123456789abcdef");
        }
    }
    *ret_row = (int64_t)(number >> 1);
    return id[sizeof form - 1] == '\0';
}

static void make_dirty(struct silences *silences, struct silence *silence)
{
    if (!silence->dirty) {
        silence->dirty = true;
        silence->next_dirty = silences->dirty;
        silences->dirty = silence;
    }
}

static struct heap *heap_of(struct silences *silences, const struct silence *silence)
{
    return silence->state == SILENCE_EXPIRED ? &silences->expired : &silences->changes;
}

/* When something happens to it by itself. */
static int set_timer(struct silences *silences, struct silence *silence, struct alerts_time now)
{
    int64_t at = silence->state == SILENCE_PENDING  ? silence->starts_ms
                 : silence->state == SILENCE_ACTIVE ? silence->ends_ms
                                                    : silence->ends_ms + SILENCE_KEPT_MS;

    return heap_set(heap_of(silences, silence), &silence->change, now.mono_ms + (at - now.real_ms));
}

/* It is in this state from now on.  -ENOMEM. */
static int set_state(struct silences *silences, struct silence *silence, enum silence_state state,
                     struct alerts_time now)
{
    if (silence->state == SILENCE_ACTIVE && state != SILENCE_ACTIVE) {
        silence_unindex(silences, silence);
        silences->ended = true;
    }
    if (silence->state != SILENCE_ACTIVE && state == SILENCE_ACTIVE &&
        silence_index(silences, silence) < 0) {
        return -ENOMEM;
    }
    heap_remove(heap_of(silences, silence), &silence->change);
    silences->n[silence->state]--;
    silences->n[state]++;
    silence->state = state;
    return set_timer(silences, silence, now);
}

static enum silence_state state_at(const struct silence *silence, int64_t now_ms)
{
    return silence->ends_ms <= now_ms    ? SILENCE_EXPIRED
           : silence->starts_ms > now_ms ? SILENCE_PENDING
                                         : SILENCE_ACTIVE;
}

int silence_enter(struct silences *silences, struct silence *silence, struct alerts_time now)
{
    int r = map_put(&silences->by_id, silence->id, SILENCE_ID_SIZE - 1, silence);

    if (r < 0) {
        return r;
    }
    silence->state = SILENCE_PENDING;
    silences->n[SILENCE_PENDING]++;
    r = set_state(silences, silence, state_at(silence, now.real_ms), now);
    if (r < 0) {
        silences->n[silence->state]--;
        heap_remove(heap_of(silences, silence), &silence->change);
        (void)map_remove(&silences->by_id, silence->id, SILENCE_ID_SIZE - 1);
    }
    return r;
}

static void forget(struct silences *silences, struct silence *silence)
{
    heap_remove(heap_of(silences, silence), &silence->change);
    (void)map_remove(&silences->by_id, silence->id, SILENCE_ID_SIZE - 1);
    silences->n[silence->state]--;
    silence->gone = true;
    make_dirty(silences, silence); /* freed when it is saved */
}

void silences_finish(struct silences *silences)
{
    struct silence *silence;
    size_t pos = 0;

    while (silences->dirty) {
        silence = silences->dirty;
        silences->dirty = silence->next_dirty;
        if (silence->gone) {
            silence_free(silence);
        }
    }
    while ((silence = map_next(&silences->by_id, &pos))) {
        if (silence->state == SILENCE_ACTIVE) {
            silence_unindex(silences, silence);
            silences->n[SILENCE_ACTIVE]--; /* what is searched for the others has no freed one */
        }
        silence_free(silence);
    }
    map_finish(&silences->by_id);
    map_finish(&silences->buckets);
    heap_finish(&silences->changes);
    heap_finish(&silences->expired);
    free(silences->active);
    *silences = (struct silences){0};
}

/* ---- what time does ---- */

#define SILENCE_OF(node_)                                                                          \
    ((struct silence *)(void *)((char *)(node_)-offsetof(struct silence, change)))

/* The wall clock was set: all that was to happen by it happens at another moment. */
static int look_at_clock(struct silences *silences, struct alerts_time now)
{
    int64_t ahead = now.real_ms - now.mono_ms, by = ahead - silences->ahead_ms;
    struct silence *silence;
    size_t pos = 0;
    int r = 0;

    silences->looked_ms = now.mono_ms;
    if (by > -JUMP_MS && by < JUMP_MS) {
        return 0;
    }
    silences->ahead_ms = ahead;
    while (r == 0 && (silence = map_next(&silences->by_id, &pos))) {
        r = set_timer(silences, silence, now);
    }
    return r;
}

/* Those whose time has come; beyond so many, those that ended first go before that. */
static void forget_old(struct silences *silences, struct alerts_time now)
{
    struct heap_node *node;

    while ((node = heap_top(&silences->expired)) &&
           (node->at <= now.mono_ms || silences->n[SILENCE_EXPIRED] > LIMIT_SILENCES)) {
        forget(silences, SILENCE_OF(node));
    }
}

int silences_run(struct alerts *alerts, struct alerts_time now)
{
    struct silences *silences = &alerts->silences;
    struct heap_node *node;
    int r = look_at_clock(silences, now);

    while (r == 0 && (node = heap_top(&silences->changes)) && node->at <= now.mono_ms) {
        struct silence *silence = SILENCE_OF(node);

        if (silence->state == SILENCE_EXPIRED) {
            forget(silences, silence);
        } else {
            /* By the timer: the wall clock may be a few milliseconds behind. */
            r = set_state(silences, silence,
                          silence->state == SILENCE_ACTIVE ? SILENCE_EXPIRED : SILENCE_ACTIVE, now);
        }
    }
    if (silences->version != silences->seen_version) {
        silences->seen_version = silences->version;
        alerts->uncounted = true;
    }
    forget_old(silences, now);
    if (r == 0 && silences->ended) {
        silences->ended = false;
        silences_release(alerts, now);
    }
    return r;
}

int64_t silences_next(const struct silences *silences)
{
    const struct heap_node *change = heap_top(&silences->changes);
    const struct heap_node *old = heap_top(&silences->expired);
    int64_t next = old ? old->at : INT64_MAX;

    if (change) {
        int64_t look = silences->looked_ms + LOOK_MS;

        look = change->at < look ? change->at : look;
        next = look < next ? look : next;
    }
    return next;
}

/* ---- what people do ---- */

static struct silence *find(struct alerts *alerts, const char *id)
{
    return map_get(&alerts->silences.by_id, id, strlen(id));
}

static bool same_matchers(const struct silence *silence, const struct silence_input *input)
{
    if (silence->nmatchers != input->nmatchers) {
        return false;
    }
    for (size_t i = 0; i < input->nmatchers; i++) {
        const struct matcher *a = &silence->matchers[i], *b = &input->matchers[i];

        if (a->op != b->op || a->flavor != b->flavor || strcmp(a->name, b->name) != 0 ||
            strcmp(a->value, b->value) != 0) {
            return false;
        }
    }
    return true;
}

/* Whether what is asked for can be had without a new silence. */
static bool keeps_id(const struct silence *silence, const struct silence_input *input,
                     struct alerts_time now)
{
    if (silence->state == SILENCE_EXPIRED || !same_matchers(silence, input)) {
        return false;
    }
    return input->starts_ms <= 0 ||
           (silence->state == SILENCE_ACTIVE ? input->starts_ms / 1000 == silence->starts_ms / 1000
                                             : input->starts_ms >= now.real_ms);
}

static int set_texts(struct silence *silence, const struct silence_input *input)
{
    char *created_by = strdup(input->created_by ? input->created_by : "");
    char *comment = strdup(input->comment ? input->comment : "");

    if (!created_by || !comment) {
        free(created_by);
        free(comment);
        return -ENOMEM;
    }
    free(silence->created_by);
    free(silence->comment);
    silence->created_by = created_by;
    silence->comment = comment;
    return 0;
}

static int change(struct silences *silences, struct silence *silence,
                  const struct silence_input *input, struct alerts_time now)
{
    if (set_texts(silence, input) < 0) {
        return -ENOMEM;
    }
    if (input->starts_ms > 0 && silence->state == SILENCE_PENDING) {
        silence->starts_ms = input->starts_ms;
    }
    silence->ends_ms = input->ends_ms;
    silence->updated_ms = now.real_ms;
    make_dirty(silences, silence);
    return set_state(silences, silence, state_at(silence, now.real_ms), now);
}

/* As Alertmanager: one that never began is left with no time at all. */
static int end(struct silences *silences, struct silence *silence, struct alerts_time now)
{
    if (silence->state == SILENCE_PENDING) {
        silence->starts_ms = now.real_ms;
    }
    silence->ends_ms = now.real_ms;
    silence->updated_ms = now.real_ms;
    make_dirty(silences, silence);
    return set_state(silences, silence, SILENCE_EXPIRED, now);
}

static int give_name(struct silence *silence)
{
    unsigned char bytes[16];

    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes) {
        return -EAGAIN; /* the machine has just booted */
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* a random UUID */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    silence_name(silence, bytes);
    return 0;
}

/* Not entered yet. */
static int make(const struct silence_input *input, struct alerts_time now,
                struct silence **ret_silence)
{
    struct silence *silence = calloc(1, sizeof *silence);
    int r = -ENOMEM;

    if (silence) {
        silence->matchers = calloc(input->nmatchers, sizeof *silence->matchers);
        r = silence->matchers ? set_texts(silence, input) : -ENOMEM;
    }
    for (size_t i = 0; i < input->nmatchers && r == 0; i++) {
        r = matcher_copy(&input->matchers[i], &silence->matchers[i]);
        silence->nmatchers += r == 0;
    }
    if (r == 0) {
        silence->starts_ms = input->starts_ms > now.real_ms ? input->starts_ms : now.real_ms;
        silence->ends_ms = input->ends_ms;
        silence->updated_ms = now.real_ms;
        r = give_name(silence);
    }
    if (r < 0) {
        silence_free(silence);
        return r;
    }
    *ret_silence = silence;
    return 0;
}

/* A new one, in the place of `old` if that is not NULL. */
static int replace(struct silences *silences, struct silence *old,
                   const struct silence_input *input, struct alerts_time now,
                   struct silence **ret_silence)
{
    int r = make(input, now, ret_silence);

    if (r == 0) {
        r = silence_enter(silences, *ret_silence, now);
        if (r < 0) {
            silence_free(*ret_silence);
        }
    }
    if (r == 0) {
        make_dirty(silences, *ret_silence);
        /* After the new one is there: what both hold is held all the time. */
        r = old && old->state != SILENCE_EXPIRED ? end(silences, old, now) : 0;
    }
    return r;
}

int alerts_silence_put(struct alerts *alerts, struct state_tx *tx,
                       const struct silence_input *input, struct alerts_time now,
                       char ret_id[SILENCE_ID_SIZE], char *ret_why, size_t size)
{
    struct silences *silences = &alerts->silences;
    bool names_one = input->id && *input->id;
    struct silence *silence = NULL;
    int r = silence_input_check(input, now.real_ms, ret_why, size);

    if (r == 0) {
        r = silences_run(alerts, now);
        silence = names_one ? find(alerts, input->id) : NULL;
    }
    if (r == 0 && names_one && !silence) {
        return -ENOENT;
    }
    if (r == 0 && silence && input->starts_ms <= 0 && silence->state == SILENCE_PENDING &&
        input->ends_ms <= silence->starts_ms) {
        (void)snprintf(ret_why, size, "it must start before it ends");
        return -EINVAL;
    }
    if (r == 0 && silence && keeps_id(silence, input, now)) {
        r = change(silences, silence, input, now);
    } else if (r == 0) {
        bool room = silences->n[SILENCE_PENDING] + silences->n[SILENCE_ACTIVE] < LIMIT_SILENCES;

        if (!room && (!silence || silence->state == SILENCE_EXPIRED)) {
            return -EDQUOT;
        }
        r = replace(silences, silence, input, now, &silence);
    }
    if (r == -ENOMEM) {
        tx->error = tx->error ? tx->error : r;
    }
    if (r == 0) {
        memcpy(ret_id, silence->id, SILENCE_ID_SIZE);
    }
    return r;
}

int alerts_silence_expire(struct alerts *alerts, struct state_tx *tx, const char *id,
                          struct alerts_time now)
{
    int r = silences_run(alerts, now);
    struct silence *silence = find(alerts, id);

    if (r == 0 && !silence) {
        return -ENOENT;
    }
    if (r == 0 && silence->state == SILENCE_EXPIRED) {
        return -EALREADY;
    }
    r = r == 0 ? end(&alerts->silences, silence, now) : r;
    if (r < 0) {
        tx->error = tx->error ? tx->error : r;
    }
    return r;
}

/* ---- what others may see ---- */

static struct silence_view view_of(const struct silence *silence)
{
    return (struct silence_view){
        .id = silence->id,
        .matchers = silence->matchers,
        .nmatchers = silence->nmatchers,
        .starts_ms = silence->starts_ms,
        .ends_ms = silence->ends_ms,
        .updated_ms = silence->updated_ms,
        .created_by = silence->created_by,
        .comment = silence->comment,
        .state = silence->state,
    };
}

bool alerts_silence_get(struct alerts *alerts, const char *id, struct alerts_time now,
                        struct silence_view *ret_view)
{
    const struct silence *silence;

    (void)silences_run(alerts, now);
    silence = find(alerts, id);
    if (silence) {
        *ret_view = view_of(silence);
    }
    return silence != NULL;
}

static int in_order(const void *a, const void *b)
{
    const struct silence *x = *(struct silence *const *)a, *y = *(struct silence *const *)b;
    static const int ranks[SILENCE_STATES] = {
        [SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2};
    int64_t at = x->state == SILENCE_PENDING ? x->starts_ms : x->ends_ms;
    int64_t than = y->state == SILENCE_PENDING ? y->starts_ms : y->ends_ms;

    if (x->state != y->state) {
        return ranks[x->state] - ranks[y->state];
    }
    if (at != than) {
        return (at > than) == (x->state != SILENCE_EXPIRED) ? 1 : -1;
    }
    return strcmp(x->id, y->id);
}

int alerts_silences_visit(struct alerts *alerts,
                          bool (*fn)(void *arg, const struct silence_view *view), void *arg,
                          struct alerts_time now)
{
    struct silences *silences = &alerts->silences;
    struct silence **all, *silence;
    size_t n = 0, pos = 0;
    int r = silences_run(alerts, now);
    bool more = true;

    if (r < 0) {
        return r;
    }
    all = calloc(silences->by_id.used + 1, sizeof *all);
    if (!all) {
        return -ENOMEM;
    }
    while ((silence = map_next(&silences->by_id, &pos))) {
        all[n++] = silence;
    }
    qsort(all, n, sizeof *all, in_order);
    for (size_t i = 0; i < n && more; i++) {
        struct silence_view view = view_of(all[i]);

        more = fn(arg, &view);
    }
    free(all);
    return 0;
}
