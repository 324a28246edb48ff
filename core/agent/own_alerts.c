/*
 * own_alerts.c: see own_alerts.h.  A call carries copies of all it needs and finds its entry by the
 * key when it is back, since the entry may have gone meanwhile.
 *
 * The severity is a label, so an alert whose severity changes is another alert: one call ends the
 * one and begins the other.
 */
#include "agent/own_alerts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "model/labels.h"

#define AGAIN_NS (5 * NS_PER_S)    /* after a commit that failed */
#define SUMMARY_NS (60 * NS_PER_S) /* between two words about the same alert */
#define KEY_SIZE (LIMIT_NAME_BYTES + 2)

static const struct {
    const char *name, *label; /* label NULL: it has no subject */
    enum alerts_source source;
} kinds[OWN_KINDS] = {
    [OWN_CHECK_FAILING] = {"check failing", "name", ALERTS_CHECK},
    [OWN_PLUGIN_UNHEALTHY] = {"plugin unhealthy", "name", ALERTS_CHECK},
    [OWN_SINK_PAUSED] = {"sink paused", "sink", ALERTS_AGENT},
    [OWN_STATE_FAILING] = {"state failing", NULL, ALERTS_AGENT},
    [OWN_RULES_FAILING] = {"rules failing", "group", ALERTS_AGENT},
};
static const char *const severities[] = {"info", "warning", "critical"};

/* What there is to say, or was said. */
struct word {
    bool firing;
    tmon_severity severity;
    char summary[OWN_SUMMARY_SIZE];
};

struct own_entry {
    struct own_entry *previous, *next; /* all of them */
    char key[KEY_SIZE];                /* a letter for the kind, then the subject */
    bool wanted_known;                 /* somebody has said how it is */
    bool under_way;
    int64_t told_ns;
    struct word wanted, told;
};

struct call {
    struct desk_call call;
    struct own_alerts *own;
    char key[KEY_SIZE];
    struct word before, now;
    int result;
};

const char *own_kind_name(enum own_kind kind)
{
    return kinds[kind].name;
}

static enum own_kind kind_of(const char *key)
{
    return (enum own_kind)(key[0] - 'a');
}

static void make_key(char key[static KEY_SIZE], enum own_kind kind, const char *subject)
{
    (void)snprintf(key, KEY_SIZE, "%c%s", 'a' + (int)kind, subject);
}

static struct own_entry *find(struct own_alerts *own, const char *key)
{
    return map_get(&own->entries, key, strlen(key));
}

static struct own_entry *find_or_make(struct own_alerts *own, const char *key)
{
    struct own_entry *entry = find(own, key);

    if (entry) {
        return entry;
    }
    entry = calloc(1, sizeof *entry);
    if (!entry) {
        return NULL;
    }
    memcpy(entry->key, key, strlen(key) + 1);
    entry->next = own->first;
    if (map_put(&own->entries, entry->key, strlen(entry->key), entry) < 0) {
        free(entry);
        return NULL;
    }
    if (entry->next) {
        entry->next->previous = entry;
    }
    own->first = entry;
    return entry;
}

static void drop(struct own_alerts *own, struct own_entry *entry)
{
    (void)map_remove(&own->entries, entry->key, strlen(entry->key));
    if (entry->previous) {
        entry->previous->next = entry->next;
    } else {
        own->first = entry->next;
    }
    if (entry->next) {
        entry->next->previous = entry->previous;
    }
    free(entry);
}

/* ---- on the state's thread ---- */

static int put(const struct call *call, struct state_tx *tx, const struct word *word, bool resolved,
               struct alerts_time now)
{
    enum own_kind kind = kind_of(call->key);
    struct tmon_pair labels[] = {
        {"alertname", kinds[kind].name},
        {"severity", severities[word->severity]},
        {kinds[kind].label ? kinds[kind].label : "severity", call->key + 1},
    };
    const struct tmon_pair annotations[] = {{"summary", word->summary}};
    struct alerts_input input = {
        .labels = labels,
        .annotations = annotations,
        .nannotations = *word->summary ? 1 : 0,
        .source = kinds[kind].source,
        .resolved = resolved,
    };
    enum alerts_verdict verdict;

    input.nlabels = (size_t)labels_normalize(labels, kinds[kind].label ? 3 : 2);
    return alerts_put(call->call.desk->alerts, tx, &input, now, &verdict);
}

static int run(struct desk_call *desk_call, struct state_tx *tx, struct alerts_time now)
{
    const struct call *call = (const struct call *)(const void *)desk_call;
    const struct word *before = &call->before, *word = &call->now;
    int r = 0;

    if (before->firing && (!word->firing || before->severity != word->severity)) {
        r = put(call, tx, before, true, now);
    }
    if (r == 0 && word->firing) {
        r = put(call, tx, word, false, now);
        /* That there is no room for more alerts is no reason to undo the rest. */
        r = r == -EDQUOT ? 0 : r;
    }
    return r < 0 ? r : 0;
}

static void come_back(void *arg);

static void done(struct desk_call *desk_call, int result)
{
    struct call *call = (struct call *)(void *)desk_call;

    call->result = result;
    if (loop_post(call->own->loop, come_back, call) < 0) {
        free(call); // its entry waits until the next start
    }
}

/* ---- differences ---- */

static bool differs(const struct own_entry *entry)
{
    const struct word *wanted = &entry->wanted, *told = &entry->told;

    if (!entry->wanted_known) {
        return false;
    }
    if (wanted->firing != told->firing || (wanted->firing && wanted->severity != told->severity)) {
        return true;
    }
    return wanted->firing && strcmp(wanted->summary, told->summary) != 0 &&
           clock_mono_ns() - entry->told_ns >= SUMMARY_NS;
}

static void try_again_later(struct own_alerts *own)
{
    if (!heap_has(&own->again.node)) {
        (void)loop_timer_set(own->loop, &own->again, clock_mono_ns() + AGAIN_NS);
    }
}

static void submit(struct own_alerts *own, struct own_entry *entry)
{
    struct call *call = calloc(1, sizeof *call);

    if (!call) {
        try_again_later(own);
        return;
    }
    call->call.run = run;
    call->call.done = done;
    call->own = own;
    memcpy(call->key, entry->key, sizeof call->key);
    call->before = entry->told;
    call->now = entry->wanted;
    if (desk_submit(own->desk, &call->call, false) < 0) {
        free(call);
        try_again_later(own);
        return;
    }
    entry->under_way = true;
}

/* Tells what is to be told; an entry of which nothing is said or known any more goes. */
static void reconcile(struct own_alerts *own, struct own_entry *entry)
{
    if (!own->desk || !own->known || entry->under_way) {
        return;
    }
    if (differs(entry)) {
        submit(own, entry);
    } else if (entry->wanted_known && !entry->wanted.firing && !entry->told.firing) {
        drop(own, entry);
    }
}

static void come_back(void *arg)
{
    struct call *call = arg;
    struct own_alerts *own = call->own;
    struct own_entry *entry = find(own, call->key);

    if (entry) {
        entry->under_way = false;
        if (call->result >= 0) {
            entry->told = call->now;
            entry->told_ns = clock_mono_ns();
            reconcile(own, entry);
        } else {
            try_again_later(own);
        }
    }
    if (call->result < 0 && own->failed && own->desk) {
        own->failed(own->owner, kind_of(call->key), call->result);
    }
    free(call);
}

static void reconcile_all(struct own_alerts *own)
{
    for (struct own_entry *entry = own->first, *next; entry; entry = next) {
        next = entry->next;
        reconcile(own, entry);
    }
}

static void on_again(struct loop_timer *timer, int64_t now_ns)
{
    reconcile_all(timer->owner);
}

void own_alerts_set(struct own_alerts *own, enum own_kind kind, const char *subject, bool firing,
                    tmon_severity severity, const char *summary)
{
    char key[KEY_SIZE];
    struct own_entry *entry;

    make_key(key, kind, subject);
    entry = find(own, key);
    if (!entry && !firing && own->known) {
        return; // the common case: it was well and is
    }
    entry = entry ? entry : find_or_make(own, key);
    if (!entry) {
        return; // no memory: said again with the next verdict
    }
    entry->wanted_known = true;
    entry->wanted.firing = firing;
    entry->wanted.severity = severity;
    utf8_copy(entry->wanted.summary, sizeof entry->wanted.summary, summary);
    reconcile(own, entry);
}

void own_alerts_prune(struct own_alerts *own, bool (*keep)(void *arg, const char *subject),
                      void *arg)
{
    for (struct own_entry *entry = own->first, *next; entry; entry = next) {
        next = entry->next;
        if (kinds[kind_of(entry->key)].label && kind_of(entry->key) != OWN_RULES_FAILING &&
            !keep(arg, entry->key + 1)) {
            drop(own, entry);
        }
    }
}

void own_alerts_end(struct own_alerts *own, enum own_kind kind,
                    bool (*keep)(void *arg, const char *subject), void *arg)
{
    for (struct own_entry *entry = own->first, *next; entry; entry = next) {
        next = entry->next;
        if (kind_of(entry->key) == kind && !entry->wanted_known && entry->told.firing &&
            !keep(arg, entry->key + 1)) {
            char subject[KEY_SIZE];

            (void)snprintf(subject, sizeof subject, "%s", entry->key + 1);
            own_alerts_set(own, kind, subject, false, entry->told.severity, "it is gone");
        }
    }
}

/* ---- what fires from before ---- */

struct before {
    struct desk_call call;
    struct own_alerts *own;
    struct buf found; /* words and keys, one after the other */
    int result;
};

struct found {
    char key[KEY_SIZE];
    struct word word;
};

static bool note(void *arg, const struct alerts_view *view)
{
    struct before *before = arg;
    struct found found = {.word = {.firing = true, .severity = view->severity}};
    const char *name = labels_get(view->labels, view->nlabels, "alertname");

    if (!view->firing || (view->source != ALERTS_CHECK && view->source != ALERTS_AGENT)) {
        return true;
    }
    for (int kind = 0; kind < OWN_KINDS; kind++) {
        if (kinds[kind].source == view->source && strcmp(kinds[kind].name, name) == 0) {
            const char *label = kinds[kind].label;

            make_key(found.key, (enum own_kind)kind,
                     label ? labels_get(view->labels, view->nlabels, label) : "");
            utf8_copy(found.word.summary, sizeof found.word.summary,
                      labels_get(view->annotations, view->nannotations, "summary"));
            buf_append(&before->found, &found, sizeof found);
        }
    }
    return true;
}

static int run_before(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct before *before = (struct before *)(void *)call;

    buf_clear(&before->found);
    alerts_visit(call->desk->alerts, note, before, now);
    return before->found.failed ? -ENOMEM : 0;
}

static void take_before(void *arg)
{
    struct before *before = arg;
    struct own_alerts *own = before->own;
    size_t n = before->found.len / sizeof(struct found);

    for (size_t i = 0; i < n && before->result >= 0; i++) {
        struct found found;
        struct own_entry *entry;

        memcpy(&found, before->found.data + i * sizeof found, sizeof found);
        entry = find_or_make(own, found.key);
        if (entry) {
            entry->told = found.word;
        }
    }
    if (own->desk) {
        if (before->result < 0) {
            log_warning("what fired before the start could not be read", LOG_E(before->result));
        }
        own->known = true;
        reconcile_all(own);
    }
    buf_finish(&before->found);
    free(before);
}

static void before_done(struct desk_call *call, int result)
{
    struct before *before = (struct before *)(void *)call;

    before->result = result;
    if (loop_post(before->own->loop, take_before, before) < 0) {
        buf_finish(&before->found);
        free(before);
    }
}

/* ---- the whole ---- */

void own_alerts_init(struct own_alerts *own, struct loop *loop)
{
    *own = (struct own_alerts){.loop = loop};
    map_init(&own->entries);
    loop_timer_init(&own->again, on_again, own);
    if (gethostname(own->host, sizeof own->host - 1) < 0) {
        own->host[0] = '\0';
    }
}

void own_alerts_open(struct own_alerts *own, struct desk *desk)
{
    struct before *before = calloc(1, sizeof *before);

    own->desk = desk;
    if (!before) {
        own->known = true;
        return;
    }
    before->call.run = run_before;
    before->call.done = before_done;
    before->own = own;
    buf_init(&before->found, SIZE_MAX / 2);
    if (desk_submit(desk, &before->call, false) < 0) {
        free(before);
        own->known = true;
    }
}

void own_alerts_close(struct own_alerts *own)
{
    own->desk = NULL;
    if (own->loop) {
        loop_timer_stop(own->loop, &own->again);
    }
}

void own_alerts_finish(struct own_alerts *own)
{
    if (!own->loop) {
        return;
    }
    while (own->first) {
        drop(own, own->first);
    }
    map_finish(&own->entries);
    own->loop = NULL;
}
