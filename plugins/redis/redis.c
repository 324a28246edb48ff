/*
 * redis.c: the component `redis`: does the server answer, how fast, and what does it say of itself.
 *
 * Runs in a worker.  One connection an instance, kept between calls; every wait has the call's
 * deadline, and ends a little before it, so that a frozen server is told of by us and not by the
 * agent.
 */
#include "redis.h"

#include <stdlib.h>
#include <time.h>

#define RESERVE_MS_MAX 100 /* kept back from the deadline for the report; a tenth of short ones */

static const struct tmon_option options[] = {
    {"url", TMON_STRING, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "redis://[user:password@]host[:port][/database], rediss:// for TLS, or unix:///path[?db=1].",
     NULL},
    {"user", TMON_STRING, 0, NULL, 0, 0, NULL, "Instead of the user in `url`.", NULL},
    {"password", TMON_STRING, TMON_SECRET, NULL, 0, 0, NULL, "Instead of the password in `url`.",
     NULL},
    {"database", TMON_INT, 0, NULL, 0, 65535, NULL, "Instead of the database in `url`.", NULL},
    {"tls_ca", TMON_STRING, 0, NULL, 0, 0, NULL,
     "PEM file of the authorities to trust; the system's when it is not set.", NULL},
    {"tls_cert", TMON_STRING, 0, NULL, 0, 0, NULL, "PEM file of our certificate and its chain.",
     NULL},
    {"tls_key", TMON_STRING, 0, NULL, 0, 0, NULL, "PEM file of our key.", NULL},
    {"insecure", TMON_BOOL, 0, "false", 0, 0, NULL, "Do not verify the server's certificate.",
     NULL},
    {"slow", TMON_DURATION, 0, "1s", 0, 0, NULL, "Warn when PING takes longer; 0: never.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct redis {
    struct redis_target target;
    struct redis_link link;
    int64_t slow_ms;
};

static tmon_rc reject(struct tmon_call *call, const char *setting, const char *why)
{
    tmon_log(call, TMON_ERROR, "%s: %s", setting, why);
    return TMON_REJECTED;
}

static bool replace(struct tmon_call *call, const struct tmon_config *config, const char *setting,
                    char **text)
{
    const char *own = tmon_config_string(call, config, setting);

    if (*own == '\0') {
        return true;
    }
    free(*text);
    *text = strdup(own);
    return *text != NULL;
}

static tmon_rc create_tls(struct tmon_call *call, struct redis *redis,
                          const struct tmon_config *config)
{
    const char *ca = tmon_config_string(call, config, "tls_ca");
    const char *cert = tmon_config_string(call, config, "tls_cert");
    const char *key = tmon_config_string(call, config, "tls_key");

    redis->link.insecure = tmon_config_bool(call, config, "insecure");
    if (!redis->target.tls) {
        return *ca || *cert || *key || redis->link.insecure
                   ? reject(call, "url",
                            "must start with rediss:// for the TLS settings to mean anything")
                   : TMON_OK;
    }
    if ((*cert != '\0') != (*key != '\0')) {
        return reject(call, "tls_cert", "goes with tls_key, and tls_key with tls_cert");
    }
    redis->link.ca = ca; // the files are read before the first connection: they may come later
    redis->link.cert = cert;
    redis->link.key = key;
    return TMON_OK;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct redis *redis = self;
    char why[256];

    redis->link.fd = -1;
    redis->link.target = &redis->target;
    redis->slow_ms = tmon_config_int(call, config, "slow");
    if (redis_target_init(&redis->target, tmon_config_string(call, config, "url"), why,
                          sizeof why) < 0) {
        return reject(call, "url", why);
    }
    if (!replace(call, config, "user", &redis->target.user) ||
        !replace(call, config, "password", &redis->target.password)) {
        return TMON_RETRY;
    }
    if (tmon_config_has(call, config, "database")) {
        redis->target.database = (long)tmon_config_int(call, config, "database");
    }
    if (redis->target.user != NULL && redis->target.password == NULL) {
        return reject(call, "url",
                      "has a user but no password (a password alone is written "
                      "redis://:password@host)");
    }
    return create_tls(call, redis, config);
}

static void destroy(struct tmon_call *call, void *self)
{
    struct redis *redis = self;

    redis_link_close(&redis->link);
    resolve_finish(&redis->link.resolve);
    SSL_CTX_free(redis->link.context);
    redis_target_finish(&redis->target);
}

static int64_t deadline(struct tmon_call *call)
{
    int64_t left = tmon_remaining_ms(call), tenth = left / 10;

    return redis_now_ms() + left - (tenth < RESERVE_MS_MAX ? tenth : RESERVE_MS_MAX);
}

/* One command on a connection that is logged in; once more when the kept connection turns out to be
 * dead. */
static int ask(struct redis *redis, const char *const *words, int n, int64_t until_ms,
               struct redis_reply **ret_reply, double *ret_ms, struct redis_failure *failure)
{
    for (int attempt = 0;; attempt++) {
        struct timespec from, to;
        int r = redis_ready(&redis->link, until_ms, failure);

        clock_gettime(CLOCK_MONOTONIC, &from);
        if (r == 0) {
            r = redis_command(&redis->link, REDIS_COMMAND, words, n, until_ms, ret_reply, failure);
        }
        if (r == 0) {
            clock_gettime(CLOCK_MONOTONIC, &to);
            *ret_ms =
                (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
            return 0;
        }
        if (!failure->stale || attempt > 0) {
            return -1;
        }
    }
}

static const char *step_name(enum redis_step step)
{
    static const char *const names[] = {"",    "name resolution", "connect",
                                        "TLS", "authentication",  "command"};

    return names[step];
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    static const char *const ping[] = {"PING"};
    struct redis *redis = self;
    struct redis_failure failure;
    struct redis_reply *reply = NULL;
    double ms;
    char text[64];

    if (ask(redis, ping, 1, deadline(call), &reply, &ms, &failure) < 0) {
        tmon_detail_text(call, "failed", step_name(failure.step));
        tmon_report(call, NULL, TMON_FAIL, failure.text);
        return failure.timeout ? TMON_TIMEOUT : TMON_RETRY;
    }
    tmon_detail(call, "responseTime", (double)(int64_t)(ms * 1000 + 0.5) / 1000);
    if (reply->type != REDIS_REPLY_STATUS || strcmp(reply->text, "PONG") != 0) {
        tmon_report(call, NULL, TMON_FAIL, "command PING: the answer is not PONG");
        redis_link_close(&redis->link);
    } else if (redis->slow_ms > 0 && ms > (double)redis->slow_ms) {
        (void)snprintf(text, sizeof text, "PING took %.0f ms", ms);
        tmon_report(call, NULL, TMON_WARN, text);
    }
    free(reply);
    return TMON_OK;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    static const char *const info[] = {"INFO", "ALL"};
    struct redis *redis = self;
    struct redis_failure failure;
    struct redis_reply *reply = NULL;
    double ms;
    bool up = ask(redis, info, 2, deadline(call), &reply, &ms, &failure) == 0;

    if (up && reply->type != REDIS_REPLY_STRING) {
        (void)snprintf(failure.text, sizeof failure.text, "command INFO: the answer is not a text");
        redis_link_close(&redis->link);
        free(reply);
        up = false;
    }
    tmon_gauge(call, "redis_up", "Whether the server answered INFO (1 yes, 0 no).", up, NULL, 0);
    if (!up) {
        tmon_log(call, TMON_DEBUG, "%s", failure.text); // the check says it aloud
        return TMON_OK;
    }
    redis_info(call, reply->text);
    free(reply);
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "redis",
    .summary = "Whether a Redis server answers, how fast, and what it says of itself",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct redis),
    .create = create,
    .destroy = destroy,
    .check = check,
    .collect = collect,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("redis", "0.1.0", "Apache-2.0", components)
