/*
 * check.c: a notification as a service check of Datadog.  See datadog.h.
 *
 * A check is a state: it is bad while the alert fires, and ok when it has ended.  It is told as of
 * now, because Datadog takes none that is older than ten minutes.
 */
#include "datadog.h"

#include "../common/chat.h"

#define BYTES_MAX ((size_t)1 << 20) /* far above what the limits allow */
#define CHECK_UNITS 200
#define MESSAGE_UNITS 500

/* Datadog's numbers: 0 ok, 1 warning, 2 critical; 3 is unknown, which an alert never is. */
static uint64_t status_of(const struct tmon_notification *notification)
{
    static const uint64_t numbers[] = {2, 1, 0, 0};
    const struct tmon_alert *alert = prose_alert(notification);

    return alert == NULL ? 0 : numbers[chat_rank(alert)];
}

void datadog_check(struct tmon_call *call, struct datadog *datadog,
                   const struct tmon_notification *notification)
{
    struct writer *json = &datadog->json;

    json->cap = BYTES_MAX;
    writer_start(json);
    writer_literal(json, "[{\"check\":");
    datadog_line(json, datadog->check, CHECK_UNITS);
    writer_literal(json, ",\"host_name\":");
    datadog_line(json, datadog_host(notification, datadog->host), HOST_BYTES - 1);
    writer_literal(json, ",\"status\":");
    writer_number(json, status_of(notification));
    writer_literal(json, ",\"message\":");
    prose_headline(json, notification, MESSAGE_UNITS);
    writer_literal(json, ",\"tags\":");
    datadog_tags(call, datadog, notification);
    writer_literal(json, "}]");
}
