/*
 * postgres.c: the component `postgres`: settings, the check, what is collected.
 *
 * Runs in a worker.  A check connects if need be and runs one statement; a connection that died
 * while nobody looked (the server restarted) is replaced once, within the same deadline, before the
 * check fails.
 */
#include "postgres.h"

static const struct tmon_option options[] = {
    {.name = "dsn",
     .type = TMON_STRING,
     .flags = TMON_REQUIRED | TMON_SECRET,
     .help = "Where the database is: "
             "postgres://user:password@host:port/database?sslmode=verify-full, or libpq's "
             "key=value pairs."},
    {.name = "statement",
     .type = TMON_STRING,
     .fallback = "SELECT 1",
     .help = "What the check runs, in a read-only transaction."},
    {.name = "slow",
     .type = TMON_DURATION,
     .fallback = "1s",
     .max = 3600000,
     .help = "Warn when the statement takes longer; 0 for never."},
    {.name = "tables",
     .type = TMON_GROUPS,
     .group = postgres_table_options,
     .help = "Tables whose rows are counted, each under a metric of its own."},
    {.name = NULL},
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct postgres *postgres = self;
    PQconninfoOption *parsed;
    int r;

    postgres->config = config;
    postgres->dsn = tmon_config_string(call, config, "dsn");
    postgres->statement = tmon_config_string(call, config, "statement");
    postgres->slow_ms = tmon_config_int(call, config, "slow");
    if (!postgres_tables_named(call, postgres)) {
        return TMON_REJECTED;
    }
    /* libpq's own message may repeat parts of the DSN, a password among them. */
    parsed = PQconninfoParse(postgres->dsn, NULL);
    if (!parsed) {
        tmon_log(call, TMON_ERROR,
                 "the setting dsn is no connection string: write "
                 "postgres://user:password@host:port/database, with "
                 "special characters of the password as %%XX, or key=value pairs");
        return TMON_REJECTED;
    }
    r = postgres_hosts_init(&postgres->hosts, parsed);
    PQconninfoFree(parsed);
    if (r < 0) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct postgres *postgres = self;

    postgres_disconnect(postgres);
    postgres_hosts_finish(&postgres->hosts);
}

/* Runs the statement, over a new connection if the old one turns out to be dead. */
static int ask(struct postgres *postgres, int64_t until_ms, PGresult **ret_result,
               double *ret_seconds, struct postgres_failure *ret_failure)
{
    bool reused = postgres->connection != NULL;

    for (;;) {
        double start;

        if (postgres_connect(postgres, until_ms, ret_failure) < 0) {
            return -1;
        }
        start = postgres_now();
        if (postgres_query(postgres, postgres->statement, NULL, 0, until_ms, ret_result,
                           ret_failure) == 0) {
            *ret_seconds = postgres_now() - start;
            return 0;
        }
        if (!reused || !ret_failure->lost || ret_failure->timeout) {
            return -1;
        }
        reused = false;
    }
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    struct postgres *postgres = self;
    struct postgres_failure failure;
    int64_t until = postgres_budget(call);
    double seconds = 0;
    char text[1024];
    PGresult *result = NULL;

    if (ask(postgres, until, &result, &seconds, &failure) < 0) {
        postgres_failure_text(&failure, text, sizeof text);
        tmon_report(call, NULL, TMON_FAIL, text);
        return failure.timeout ? TMON_TIMEOUT : TMON_RETRY;
    }
    PQclear(result);
    tmon_detail(call, "responseTime", (double)(int64_t)(seconds * 1e6 + 0.5) / 1e3);
    if (postgres->connection) {
        int version = PQserverVersion(postgres->connection);

        (void)snprintf(text, sizeof text, "%d.%d", version / 10000, version % 10000);
        tmon_detail_text(call, "serverVersion", text);
        tmon_detail_text(call, "tls", PQsslInUse(postgres->connection) ? "on" : "off");
    }
    if (postgres->slow_ms > 0 && seconds * 1e3 > (double)postgres->slow_ms) {
        (void)snprintf(text, sizeof text, "the statement took %.0f ms, more than %lld ms",
                       seconds * 1e3, (long long)postgres->slow_ms);
        tmon_report(call, NULL, TMON_WARN, text);
    } else {
        tmon_report(call, NULL, TMON_PASS, NULL);
    }
    postgres_check_tables(call, postgres, until);
    return TMON_OK;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    struct postgres *postgres = self;
    struct postgres_failure failure;
    int64_t until = postgres_budget(call);
    double seconds = 0;
    PGresult *result = NULL;
    bool up = ask(postgres, until, &result, &seconds, &failure) == 0;

    if (up) {
        PQclear(result);
    }
    tmon_gauge(call, "pg_up",
               "Whether the database answered the statement of the check (1 yes, 0 no).", up, NULL,
               0);
    if (up) {
        postgres_collect_tables(call, postgres, until);
    }
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = sizeof component,
    .name = "postgres",
    .summary =
        "A PostgreSQL database: does it answer, how fast, and how many rows do its tables have",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct postgres),
    .create = create,
    .destroy = destroy,
    .check = check,
    .collect = collect,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("postgres", "0.1.0", "Apache-2.0", components)
