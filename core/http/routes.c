/*
 * routes.c: every path that there is, what is asked for most first.
 */
#include "http/server.h"

const struct http_route http_routes[] = {
    {"/api/health", METHOD_GET, "health", health_answer},
    {"/api/health/live", METHOD_GET, "live", live_answer},
    {"/api/health/ready", METHOD_GET, "ready", ready_answer},
    {"/api/metrics", METHOD_GET, "metrics", metrics_answer},
    {"/metrics", METHOD_GET, "metrics", metrics_answer},
    {"/healthz", METHOD_GET, "health", health_answer},
    {"/livez", METHOD_GET, "live", live_answer},
    {"/readyz", METHOD_GET, "ready", ready_answer},
    {"/api/v1/alerts", METHOD_GET | METHOD_POST, "alerts", alerts_handle,
     LIMIT_SERVER_ALERTS_BYTES},
    {"/api/v1/alerts/*/ack", METHOD_POST, "alert_ack", alert_ack_handle, LIMIT_SERVER_ACK_BYTES},
    {"/api/v1/alerts/*/unack", METHOD_POST, "alert_unack", alert_unack_handle},
    {"/ack/*", METHOD_GET | METHOD_POST, "ack_page", ack_page_handle, LIMIT_SERVER_ACK_BYTES, true},
    {"/api/v1/notifications", METHOD_GET, "notifications", notifications_handle},
    {"/api/v1/notifications/retry", METHOD_POST, "notifications_retry", notifications_retry_handle},
    {"/api/v1/notifications/*", METHOD_GET, "notification", notification_handle},
    {"/api/v1/notifications/*/retry", METHOD_POST, "notification_retry", notification_retry_handle},
    {"/api/v1/notifications/*/drop", METHOD_POST, "notification_drop", notification_drop_handle},
    {"/api/v1/rules", METHOD_GET, "rules", rules_handle},
    {"/api/v1/rules/eval", METHOD_GET, "rules_eval", rules_eval_handle},
    {"/api/v1/sinks", METHOD_GET, "sinks", sinks_handle},
    {"/api/v1/sinks/*/test", METHOD_POST, "sink_test", sink_test_handle},
    {"/api/v1/sinks/*/resume", METHOD_POST, "sink_resume", sink_resume_handle},
    {"/api/v1/status", METHOD_GET, "status", status_answer},
    {"/api/v1/checks", METHOD_GET, "checks", checks_answer},
    {"/api/v1/plugins", METHOD_GET, "plugins", plugins_answer},
    {"/api/v1/reload", METHOD_POST, "reload", reload_answer},
    {"/", METHOD_GET, "index", index_answer},
    {"/favicon.ico", METHOD_GET, "favicon", favicon_answer},
};
const size_t http_nroutes = sizeof http_routes / sizeof http_routes[0];
