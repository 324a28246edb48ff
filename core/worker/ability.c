/*
 * ability.c: check, collect, watch and actions.  See ability.h.
 */
#include "worker/ability.h"

#include <stdio.h>
#include <string.h>

#include "model/manifest.h"
#include "worker/channel.h"
#include "worker/host.h"

static const char *rc_name(tmon_rc rc)
{
    static const char *const names[] = {"TMON_OK",         "TMON_RETRY", "TMON_AMBIGUOUS",
                                        "TMON_REJECTED",   "TMON_MISS",  "TMON_TIMEOUT",
                                        "TMON_UNSUPPORTED"};

    return rc >= 0 && (size_t)rc < sizeof names / sizeof names[0] ? names[rc] : "an unknown code";
}

/* A check that did not return TMON_OK has failed, whatever it reported. */
static void conclude(struct call *call, tmon_rc rc)
{
    char text[sizeof call->why + 64];

    if (rc == TMON_OK || call->verdict->status == TMON_FAIL) {
        return;
    }
    if (call->why[0]) {
        verdict_report(call->verdict, NULL, TMON_FAIL, call->why);
        return;
    }
    (void)snprintf(text, sizeof text, "the check returned %s without saying why", rc_name(rc));
    verdict_report(call->verdict, NULL, TMON_FAIL, text);
}

static tmon_rc run_check(struct call *call)
{
    tmon_rc rc;

    call->verdict = verdict_create(TMON_PASS, NULL);
    if (!call->verdict) {
        return TMON_RETRY;
    }
    rc = call->worker->component.check(&call->api, call->worker->self);
    conclude(call, rc);
    return rc;
}

void ability_put_verdict(struct call *call, struct buf *buf)
{
    const struct verdict none = {.status = TMON_FAIL};
    const struct verdict *verdict = call->verdict ? call->verdict : &none; // no memory for one
    size_t before = buf->len;

    verdict_encode(verdict, buf);
    if (buf->failed || buf->len - before > LIMIT_VERDICT_BYTES) {
        // it says more than anybody reads; what matters is kept
        const struct verdict brief = {
            .status = verdict->status,
            .message = verdict->message,
            .dropped = (uint32_t)(verdict->nsubjects + verdict->ndetails) + verdict->dropped,
        };

        buf->failed = false;
        buf->len = before;
        verdict_encode(&brief, buf);
    }
    verdict_destroy(call->verdict);
    call->verdict = NULL;
}

static tmon_rc run_collect(struct call *call)
{
    tmon_rc rc = call->worker->component.collect(&call->api, call->worker->self);

    if (rc != TMON_OK) {
        buf_clear(&call->worker->samples); // the agent throws away what it has of them
    }
    return rc;
}

static tmon_rc run_watch(struct call *call, struct wire_reader *args)
{
    const char *cursor = wire_get_str(args, LIMIT_CURSOR_BYTES);

    if (!wire_done(args)) {
        channel_broken();
    }
    return call->worker->component.watch(&call->api, call->worker->self, cursor);
}

static bool find_action(const struct tmon_component *component, const char *name,
                        struct tmon_action *ret_action)
{
    for (size_t i = 0; component->actions && component->actions[i]; i++) {
        const struct tmon_action *action = component->actions[i];
        size_t size = action->size < sizeof *ret_action ? action->size : sizeof *ret_action;

        memset(ret_action, 0, sizeof *ret_action);
        memcpy(ret_action, action, size);
        if (ret_action->name && strcmp(ret_action->name, name) == 0) {
            return ret_action->run != NULL;
        }
    }
    return false;
}

static tmon_rc run_action(struct call *call, const char *name, struct wire_reader *args)
{
    bool dry_run = wire_get_u8(args) != 0;
    struct settings *params = NULL;
    struct tmon_action action;
    tmon_rc rc;

    if (settings_decode(args, &params) < 0 || !wire_done(args) ||
        !find_action(&call->worker->component, name, &action)) {
        channel_broken();
    }
    call->credit = FRAME_INITIAL_CREDIT;
    rc = action.run(&call->api, call->worker->self, settings_as_config(params), dry_run);
    settings_destroy(params);
    return rc;
}

tmon_rc ability_run(struct call *call, const char *operation, struct wire_reader *args)
{
    const struct tmon_component *component = &call->worker->component;

    if (args->bad) {
        channel_broken();
    }
    switch (call->ability) {
    case ABILITY_CHECK:
        if (component->check && wire_done(args)) {
            return run_check(call);
        }
        break;
    case ABILITY_COLLECT:
        if (component->collect && wire_done(args)) {
            return run_collect(call);
        }
        break;
    case ABILITY_WATCH:
        if (component->watch) {
            return run_watch(call, args);
        }
        break;
    case ABILITY_FORMAT:
    case ABILITY_JUDGE:
    case ABILITY_DELIVER:
        return ability_run_sink(call, args);
    case ABILITY_ACTIONS:
        return run_action(call, operation, args);
    case ABILITY_CACHE:
        return ability_run_cache(call, operation, args);
    case ABILITY_LEASE:
        return ability_run_lease(call, operation, args);
    default:
        break;
    }
    channel_broken();
}
