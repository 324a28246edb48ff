/*
 * index.c: the page at `/`: what is here, for whoever comes with a browser.  No script and no
 * style, so that the policy of all answers holds for it too.  Server's thread.
 */
#include "http/server.h"

static const char page[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>toiletmon</title>\n"
    "<h1>toiletmon</h1>\n"
    "<p>This agent watches a facility's systems.\n"
    "<dl>\n"
    "<dt><a href=\"/api/health\">/api/health</a><dd>all checks and what they add up to\n"
    "<dt><a href=\"/api/health/ready\">/api/health/ready</a><dd>whether the agent is ready\n"
    "<dt><a href=\"/api/health/live\">/api/health/live</a><dd>whether the agent is alive\n"
    "<dt><a href=\"/api/metrics\">/api/metrics</a><dd>metrics for Prometheus\n"
    "<dt><a href=\"/api/v1/status\">/api/v1/status</a><dd>the agent itself\n"
    "<dt><a href=\"/api/v1/checks\">/api/v1/checks</a><dd>each check and its "
    "last word\n"
    "<dt><a href=\"/api/v1/alerts\">/api/v1/alerts</a><dd>what fires\n"
    "<dt><a href=\"/api/v2/status\">/api/v2</a><dd>Alertmanager's API\n"
    "<dt><a href=\"/api/v1/rules\">/api/v1/rules</a><dd>rules, and how they are\n"
    "<dt><a href=\"/api/v1/notifications\">/api/v1/notifications</a><dd>what was sent where\n"
    "<dt><a href=\"/api/v1/sinks\">/api/v1/sinks</a><dd>where notifications go\n"
    "<dt><a href=\"/api/v1/plugins\">/api/v1/plugins</a><dd>plugins and instances\n"
    "<dt><a href=\"/runbooks\">/runbooks</a><dd>what to do about the shipped rules' alerts\n"
    "</dl>\n"
    "</html>\n";

int index_answer(struct request *request)
{
    return answer_constant(request, "text/html; charset=utf-8", page);
}

int favicon_answer(struct request *request)
{
    return answer_constant(request, NULL, NULL);
}
