/*
 * routes.c: every path that there is, what is asked for most first.
 */
#include "http/server.h"

const struct route http_routes[] = {
    {"/api/health", METHOD_GET, "health", health_answer},
    {"/api/health/live", METHOD_GET, "live", live_answer},
    {"/api/health/ready", METHOD_GET, "ready", ready_answer},
    {"/api/metrics", METHOD_GET, "metrics", metrics_answer},
    {"/metrics", METHOD_GET, "metrics", metrics_answer},
    {"/healthz", METHOD_GET, "health", health_answer},
    {"/livez", METHOD_GET, "live", live_answer},
    {"/readyz", METHOD_GET, "ready", ready_answer},
    {"/api/v1/status", METHOD_GET, "status", status_answer},
    {"/api/v1/checks", METHOD_GET, "checks", checks_answer},
    {"/api/v1/plugins", METHOD_GET, "plugins", plugins_answer},
    {"/api/v1/reload", METHOD_POST, "reload", reload_answer},
    {"/", METHOD_GET, "index", index_answer},
    {"/favicon.ico", METHOD_GET, "favicon", favicon_answer},
};
const size_t http_nroutes = sizeof http_routes / sizeof http_routes[0];
