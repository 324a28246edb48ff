/* Sinks for bench_delivery: 1 KiB of JSON over HTTP, without and with a judge. */
#include <stdio.h>

#include "plugin_api.h"

static const struct tmon_option options[] = {
    {"url", TMON_URL, TMON_REQUIRED, NULL, 0, 0, NULL, "where it goes", NULL},
    {0},
};

struct sink {
    const char *url;
    char body[2048];
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    ((struct sink *)self)->url = tmon_config_string(call, config, "url");
    return TMON_OK;
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    struct sink *sink = self;

    (void)snprintf(sink->body, sizeof sink->body,
                   "{\"id\": \"%s\", \"title\": \"%s\", \"pad\": \"%0900d\"}", notification->id,
                   "title", 0);
    return tmon_json_request(ret_request, sink->url, sink->body);
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    return response->status == 200 ? TMON_OK : TMON_REJECTED;
}

static const struct tmon_component plain = {.size = sizeof plain,
                                            .name = "bench_sink",
                                            .summary = "A sink that is measured",
                                            .options = options,
                                            .state_size = sizeof(struct sink),
                                            .create = create,
                                            .format = format};
static const struct tmon_component judged = {.size = sizeof judged,
                                             .name = "bench_judged_sink",
                                             .summary = "A sink that is measured",
                                             .options = options,
                                             .state_size = sizeof(struct sink),
                                             .create = create,
                                             .format = format,
                                             .judge = judge};
static const struct tmon_component *const components[] = {&plain, &judged, NULL};

TMON_PLUGIN("bench_sink", "1", "Apache-2.0", components)
