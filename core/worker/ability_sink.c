/*
 * ability_sink.c: format, judge and deliver.  See ability.h.
 */
#include "worker/ability.h"

#include "model/exchange.h"
#include "model/manifest.h"
#include "model/notification.h"
#include "worker/channel.h"
#include "worker/host.h"

static tmon_rc run_format(struct call *call, const struct tmon_notification *notification)
{
    struct worker *worker = call->worker;
    struct tmon_request request = {.size = sizeof request};
    const char *why = "the request is too large";
    tmon_rc rc = worker->component.format(&call->api, worker->self, notification, &request);

    request.size = sizeof request; // ours: the plugin fills in what it knows
    if (rc == TMON_OK && exchange_encode_request(&worker->request, &request, &why) < 0) {
        host_say(call, TMON_ERROR, why);
        rc = TMON_REJECTED;
    }
    return rc;
}

static tmon_rc run_judge(struct call *call, struct wire_reader *args)
{
    struct worker *worker = call->worker;
    struct tmon_response response;
    tmon_rc rc;

    if (!worker->component.judge || exchange_decode_response(args, &response) < 0 ||
        !wire_done(args)) {
        channel_broken();
    }
    rc = worker->component.judge(&call->api, worker->self, &response);
    exchange_finish_response(&response);
    return rc;
}

tmon_rc ability_run_sink(struct call *call, struct wire_reader *args)
{
    struct worker *worker = call->worker;
    struct tmon_notification *notification;
    tmon_rc rc;

    if (call->ability == ABILITY_JUDGE) {
        return run_judge(call, args);
    }
    if (notification_decode(args, &notification) < 0 || !wire_done(args) ||
        (call->ability == ABILITY_FORMAT ? !worker->component.format
                                         : !worker->component.deliver)) {
        channel_broken();
    }
    if (call->ability == ABILITY_FORMAT) {
        rc = run_format(call, notification);
    } else {
        rc = worker->component.deliver(&call->api, worker->self, notification);
    }
    notification_destroy(notification);
    return rc;
}
