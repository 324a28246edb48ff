/*
 * tables.c: how many rows the tables have that the operator named.
 *
 * A small table is counted.  A large one is estimated from the planner's statistics, scaled to its
 * present size, which costs a look into the catalogue however many rows there are.  What cannot be
 * said is not said: a failed query, a table never analyzed, rows hidden by row-level security give
 * no sample, never a 0.
 */
#include "postgres.h"

#include <stdlib.h>
#include <string.h>

#define METRIC_BYTES 256 // the agent takes no longer name

const struct tmon_option postgres_table_options[] = {
    {.name = "metric",
     .type = TMON_STRING,
     .flags = TMON_REQUIRED,
     .help = "The metric's name, for instance db_inspections_total."},
    {.name = "table",
     .type = TMON_STRING,
     .flags = TMON_REQUIRED,
     .help = "The table, with its schema where it is not in the search path; upper case in double "
             "quotes."},
    {.name = "exact_below",
     .type = TMON_BYTES,
     .fallback = "16MiB",
     .help = "Count the rows while the table is smaller than this; estimate them above."},
    {.name = NULL},
};

struct table {
    const char *metric;
    const char *name;
    int64_t exact_below;
};

static struct table table_get(struct tmon_call *call, const struct postgres *postgres, size_t i)
{
    const struct tmon_config *group = tmon_config_group(call, postgres->config, "tables", i);

    return (struct table){
        .metric = tmon_config_string(call, group, "metric"),
        .name = tmon_config_string(call, group, "table"),
        .exact_below = tmon_config_int(call, group, "exact_below"),
    };
}

/* As Prometheus has it; letters as ASCII has them. */
static bool is_metric(const char *name)
{
    static const char good[] = "0123456789_:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return strcspn(name, "0123456789") > 0 && name[strspn(name, good)] == '\0' &&
           strlen(name) <= METRIC_BYTES;
}

bool postgres_tables_named(struct tmon_call *call, const struct postgres *postgres)
{
    const size_t n = tmon_config_count(call, postgres->config, "tables");

    for (size_t i = 0; i < n; i++) {
        const struct table table = table_get(call, postgres, i);

        if (!is_metric(table.metric)) {
            tmon_log(call, TMON_ERROR,
                     "tables: metric: \"%.100s\" is no name of a metric; write letters, digits and "
                     "_, as in db_orders_total",
                     table.metric);
            return false;
        }
    }
    return true;
}

/*
 * One row: its quoted name, bytes, the estimate (NULL: some part was never analyzed), whether
 * row-level security applies to us.  No row: there is no such table.  A partitioned table is the
 * sum of its leaves.  With $2 the size is measured, which waits for a lock on the table; without,
 * it is the catalogue's, which waits for nobody.
 */
static const char look_up[] =
    "WITH wanted AS (SELECT to_regclass($1)::oid AS oid),"
    " part AS (SELECT c.oid, c.reltuples::float8 AS tuples, c.relpages::float8 AS pages,"
    "                 CASE WHEN $2::bool THEN pg_relation_size(c.oid)::float8"
    "                 ELSE c.relpages::float8 * current_setting('block_size')::float8 END AS bytes"
    "          FROM pg_class c WHERE c.relkind IN ('r', 'm') AND (c.oid = (SELECT oid FROM wanted)"
    "               OR c.oid IN (SELECT relid FROM pg_partition_tree((SELECT oid FROM "
    "wanted)::regclass) WHERE isleaf)))"
    " SELECT w.oid::regclass::text,"
    "        (SELECT coalesce(sum(bytes), 0) FROM part)::int8,"
    "        (SELECT CASE WHEN count(*) = 0 OR bool_or(tuples < 0 AND bytes > 0) THEN NULL"
    "                ELSE round(sum(CASE WHEN pages > 0 THEN tuples / pages *"
    "                               (bytes / current_setting('block_size')::float8) ELSE 0 END)) "
    "END FROM part)::int8,"
    "        row_security_active(w.oid), current_user, c.relkind"
    " FROM wanted w JOIN pg_class c ON c.oid = w.oid";

struct look {
    char quoted[320];
    double bytes;
    bool estimated;
    double estimate;
    bool hidden; /* row-level security applies */
    char user[64];
    bool plain; /* has a size of its own; else a view or foreign table, which can only be counted */
};

static int look_at(struct postgres *postgres, const struct table *table, bool measure,
                   int64_t until_ms, struct look *ret_look, struct postgres_failure *ret_failure)
{
    const char *const params[] = {table->name, measure ? "true" : "false"};
    PGresult *result = NULL;
    char kind;

    if (postgres_connect(postgres, until_ms, ret_failure) < 0 ||
        postgres_query(postgres, look_up, params, 2, until_ms, &result, ret_failure) < 0) {
        return -1;
    }
    if (PQntuples(result) != 1) {
        PQclear(result);
        *ret_failure = (struct postgres_failure){.phase = PHASE_STATEMENT};
        (void)snprintf(
            ret_failure->text, sizeof ret_failure->text,
            "there is no table \"%s\" that this role can see: check `table` and the search path",
            table->name);
        return -1;
    }
    kind = PQgetvalue(result, 0, 5)[0];
    *ret_look = (struct look){
        .bytes = strtod(PQgetvalue(result, 0, 1), NULL),
        .estimated = !PQgetisnull(result, 0, 2),
        .estimate = strtod(PQgetvalue(result, 0, 2), NULL),
        .hidden = PQgetvalue(result, 0, 3)[0] == 't',
        .plain = kind == 'r' || kind == 'm' || kind == 'p',
    };
    (void)snprintf(ret_look->quoted, sizeof ret_look->quoted, "%s", PQgetvalue(result, 0, 0));
    (void)snprintf(ret_look->user, sizeof ret_look->user, "%s", PQgetvalue(result, 0, 4));
    PQclear(result);
    return 0;
}

static bool will_count(const struct look *look, const struct table *table)
{
    return !look->plain || look->bytes < (double)table->exact_below;
}

/* Why the rows cannot be told; NULL when they can. */
static const char *obstacle(const struct look *look, const struct table *table, char *space,
                            size_t size)
{
    if (will_count(look, table)) {
        if (!look->hidden) {
            return NULL;
        }
        (void)snprintf(space, size,
                       "row-level security may hide rows of %s from the role %s: give it "
                       "BYPASSRLS, or set `exact_below: 0` "
                       "for an estimate",
                       look->quoted, look->user);
        return space;
    }
    if (look->estimated) {
        return NULL;
    }
    (void)snprintf(
        space, size,
        "%s was never analyzed, so its rows cannot be estimated: run ANALYZE %s, or raise "
        "`exact_below`",
        look->quoted, look->quoted);
    return space;
}

static int count(struct postgres *postgres, const struct look *look, int64_t until_ms,
                 double *ret_rows, struct postgres_failure *ret_failure)
{
    char statement[352];
    PGresult *result = NULL;

    /* The name was quoted by the server itself. */
    (void)snprintf(statement, sizeof statement, "SELECT count(*) FROM %s", look->quoted);
    if (postgres_query(postgres, statement, NULL, 0, until_ms, &result, ret_failure) < 0) {
        return -1;
    }
    *ret_rows = strtod(PQgetvalue(result, 0, 0), NULL);
    PQclear(result);
    return 0;
}

static int rows_of(struct postgres *postgres, const struct table *table, int64_t until_ms,
                   double *ret_rows, char *why, size_t size)
{
    struct postgres_failure failure;
    struct look look;

    if (look_at(postgres, table, true, until_ms, &look, &failure) < 0) {
        postgres_failure_text(&failure, why, size);
        return -1;
    }
    if (obstacle(&look, table, why, size)) {
        return -1;
    }
    if (!will_count(&look, table)) {
        *ret_rows = look.estimate;
        return 0;
    }
    if (count(postgres, &look, until_ms, ret_rows, &failure) < 0) {
        postgres_failure_text(&failure, why, size);
        return -1;
    }
    return 0;
}

/* What is left for one of `n` tables, so that a locked one does not eat the time of those behind
 * it. */
static int64_t share_until(int64_t until_ms, size_t n)
{
    int64_t now = postgres_now_ms();

    return now + (until_ms - now) / (int64_t)n;
}

void postgres_collect_tables(struct tmon_call *call, struct postgres *postgres, int64_t until_ms)
{
    size_t n = tmon_config_count(call, postgres->config, "tables");

    for (size_t i = 0; i < n; i++) {
        struct table table = table_get(call, postgres, i);
        const struct tmon_pair label = {"collector", table.metric};
        char why[1024];
        double rows = 0;
        int r = rows_of(postgres, &table, share_until(until_ms, n - i), &rows, why, sizeof why);

        if (r == 0) {
            tmon_emit_simple(call, TMON_UNTYPED, table.metric,
                             "Rows of the table that the configuration names.", rows, NULL, 0);
        } else {
            tmon_log(call, TMON_WARNING, "%s: %s", table.metric, why);
        }
        tmon_gauge(call, "pg_scrape_collector_success",
                   "Whether this part of the collection went well (1 yes, 0 no).", r == 0, &label,
                   1);
    }
}

void postgres_check_tables(struct tmon_call *call, struct postgres *postgres, int64_t until_ms)
{
    size_t n = tmon_config_count(call, postgres->config, "tables");

    for (size_t i = 0; i < n; i++) {
        struct table table = table_get(call, postgres, i);
        struct postgres_failure failure;
        struct look look;
        char why[1024];

        if (look_at(postgres, &table, false, share_until(until_ms, n - i), &look, &failure) < 0) {
            postgres_failure_text(&failure, why, sizeof why);
            tmon_report(call, table.name, TMON_WARN, why);
        } else if (obstacle(&look, &table, why, sizeof why)) {
            tmon_report(call, table.name, TMON_WARN, why);
        }
    }
}
