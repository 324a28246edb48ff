/*
 * series.c: a plugin of the bench: one component that emits as many series as its setting says, a
 * hundred a family, every second one a float of 17 digits, and moves all of them with each
 * collection.
 */
#include <plugin_api.h>

static const struct tmon_option options[] = {
    {"series", TMON_INT, 0, "10000", 1, 1e6, NULL, "How many.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct series {
    int64_t count;
    uint64_t state;
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct series *series = (struct series *)self;

    series->count = tmon_config_int(call, config, "series");
    series->state = 88172645463325252u;
    return TMON_OK;
}

static uint64_t draw(struct series *series)
{
    series->state ^= series->state << 13;
    series->state ^= series->state >> 7;
    series->state ^= series->state << 17;
    return series->state;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    struct series *series = (struct series *)self;

    for (int64_t i = 0; i < series->count; i++) {
        char name[64];
        char shard[16];
        char item[24];
        const struct tmon_pair labels[] = {{"item", item}, {"shard", shard}};
        uint64_t random = draw(series);
        double value =
            i % 2 ? (double)(random >> 11) / 9007199254740992.0 * 1000 : (double)(random % 1000000);

        (void)snprintf(name, sizeof name, "bench_load_family_%03d_bytes", (int)(i / 100));
        (void)snprintf(shard, sizeof shard, "s%02d", (int)(i % 10));
        (void)snprintf(item, sizeof item, "item%06d", (int)i);
        tmon_gauge(call, name, "A family of the bench.", value, labels, 2);
    }
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = sizeof component,
    .name = "bench_series",
    .summary = "Series for the bench",
    .options = options,
    .state_size = sizeof(struct series),
    .create = create,
    .collect = collect,
};
static const struct tmon_component *const components[] = {&component, NULL};
TMON_PLUGIN("bench_series", "1", "Apache-2.0", components)
