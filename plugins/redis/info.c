/*
 * info.c: the fields of INFO under redis_exporter's names, with its types and units.
 *
 * A field that this server does not have gives no sample; one that nobody here knows is left out.
 * Names in labels come from the server and are made printable.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "redis.h"

#define NAMES_MAX 1024 /* databases, commands, replicas that are shown: of each kind */

struct field {
    const char *key; /* in INFO */
    const char *name;
    tmon_metric_kind kind;
    double scale;
};

#define G(key, name)                                                                               \
    {                                                                                              \
        key, "redis_" name, TMON_GAUGE, 1                                                          \
    }
#define C(key, name)                                                                               \
    {                                                                                              \
        key, "redis_" name, TMON_COUNTER, 1                                                        \
    }

static const struct field fields[] = {
    // server
    G("uptime_in_seconds", "uptime_in_seconds"),
    G("process_id", "process_id"),
    G("io_threads_active", "io_threads_active"),
    // clients
    G("connected_clients", "connected_clients"),
    G("cluster_connections", "cluster_connections"),
    G("maxclients", "config_maxclients"),
    G("client_recent_max_input_buffer", "client_recent_max_input_buffer_bytes"),
    G("client_recent_max_output_buffer", "client_recent_max_output_buffer_bytes"),
    G("blocked_clients", "blocked_clients"),
    G("tracking_clients", "tracking_clients"),
    G("clients_in_timeout_table", "clients_in_timeout_table"),
    // memory
    G("used_memory", "memory_used_bytes"),
    G("used_memory_rss", "memory_used_rss_bytes"),
    G("used_memory_peak", "memory_used_peak_bytes"),
    G("used_memory_overhead", "memory_used_overhead_bytes"),
    G("used_memory_startup", "memory_used_startup_bytes"),
    G("used_memory_dataset", "memory_used_dataset_bytes"),
    G("used_memory_lua", "memory_used_lua_bytes"),
    G("used_memory_scripts", "memory_used_scripts_bytes"),
    G("number_of_cached_scripts", "number_of_cached_scripts"),
    G("maxmemory", "memory_max_bytes"),
    G("allocator_allocated", "allocator_allocated_bytes"),
    G("allocator_active", "allocator_active_bytes"),
    G("allocator_resident", "allocator_resident_bytes"),
    G("allocator_frag_ratio", "allocator_frag_ratio"),
    G("allocator_frag_bytes", "allocator_frag_bytes"),
    G("allocator_rss_ratio", "allocator_rss_ratio"),
    G("allocator_rss_bytes", "allocator_rss_bytes"),
    G("mem_fragmentation_ratio", "mem_fragmentation_ratio"),
    G("mem_fragmentation_bytes", "mem_fragmentation_bytes"),
    G("mem_not_counted_for_evict", "mem_not_counted_for_eviction_bytes"),
    G("mem_clients_slaves", "mem_clients_slaves"),
    G("mem_clients_normal", "mem_clients_normal"),
    G("active_defrag_running", "active_defrag_running"),
    G("lazyfree_pending_objects", "lazyfree_pending_objects"),
    // persistence
    G("loading", "loading_dump_file"),
    G("rdb_changes_since_last_save", "rdb_changes_since_last_save"),
    G("rdb_bgsave_in_progress", "rdb_bgsave_in_progress"),
    G("rdb_last_save_time", "rdb_last_save_timestamp_seconds"),
    G("rdb_last_bgsave_status", "rdb_last_bgsave_status"),
    G("rdb_last_bgsave_time_sec", "rdb_last_bgsave_duration_sec"),
    G("rdb_current_bgsave_time_sec", "rdb_current_bgsave_duration_sec"),
    G("rdb_last_cow_size", "rdb_last_cow_size_bytes"),
    G("aof_enabled", "aof_enabled"),
    G("aof_rewrite_in_progress", "aof_rewrite_in_progress"),
    G("aof_rewrite_scheduled", "aof_rewrite_scheduled"),
    G("aof_last_rewrite_time_sec", "aof_last_rewrite_duration_sec"),
    G("aof_current_rewrite_time_sec", "aof_current_rewrite_duration_sec"),
    G("aof_last_bgrewrite_status", "aof_last_bgrewrite_status"),
    G("aof_last_write_status", "aof_last_write_status"),
    G("aof_last_cow_size", "aof_last_cow_size_bytes"),
    G("aof_current_size", "aof_current_size_bytes"),
    G("aof_base_size", "aof_base_size_bytes"),
    G("aof_pending_rewrite", "aof_pending_rewrite"),
    G("aof_buffer_length", "aof_buffer_length"),
    G("aof_rewrite_buffer_length", "aof_rewrite_buffer_length"),
    G("aof_pending_bio_fsync", "aof_pending_bio_fsync"),
    G("aof_delayed_fsync", "aof_delayed_fsync"),
    G("module_fork_in_progress", "module_fork_in_progress"),
    G("module_fork_last_cow_size", "module_fork_last_cow_size"),
    // stats
    C("total_connections_received", "connections_received_total"),
    C("total_commands_processed", "commands_processed_total"),
    C("total_net_input_bytes", "net_input_bytes_total"),
    C("total_net_output_bytes", "net_output_bytes_total"),
    C("rejected_connections", "rejected_connections_total"),
    G("sync_full", "replica_resyncs_full"),
    G("sync_partial_ok", "replica_partial_resync_accepted"),
    G("sync_partial_err", "replica_partial_resync_denied"),
    C("expired_keys", "expired_keys_total"),
    G("expired_stale_perc", "expired_stale_percentage"),
    G("expired_time_cap_reached_count", "expired_time_cap_reached_total"),
    C("evicted_keys", "evicted_keys_total"),
    C("keyspace_hits", "keyspace_hits_total"),
    C("keyspace_misses", "keyspace_misses_total"),
    G("pubsub_channels", "pubsub_channels"),
    G("pubsub_patterns", "pubsub_patterns"),
    {"latest_fork_usec", "redis_latest_fork_seconds", TMON_GAUGE, 1e6},
    G("migrate_cached_sockets", "migrate_cached_sockets_total"),
    G("slave_expires_tracked_keys", "slave_expires_tracked_keys"),
    G("active_defrag_hits", "defrag_hits"),
    G("active_defrag_misses", "defrag_misses"),
    G("active_defrag_key_hits", "defrag_key_hits"),
    G("active_defrag_key_misses", "defrag_key_misses"),
    G("tracking_total_keys", "tracking_total_keys"),
    G("tracking_total_items", "tracking_total_items"),
    G("tracking_total_prefixes", "tracking_total_prefixes"),
    C("unexpected_error_replies", "unexpected_error_replies"),
    C("total_error_replies", "total_error_replies"),
    C("dump_payload_sanitizations", "dump_payload_sanitizations"),
    C("total_reads_processed", "total_reads_processed"),
    C("total_writes_processed", "total_writes_processed"),
    C("io_threaded_reads_processed", "io_threaded_reads_processed"),
    C("io_threaded_writes_processed", "io_threaded_writes_processed"),
    // replication
    G("connected_slaves", "connected_slaves"),
    G("master_repl_offset", "master_repl_offset"),
    G("second_repl_offset", "second_repl_offset"),
    G("repl_backlog_active", "repl_backlog_is_active"),
    G("repl_backlog_size", "replication_backlog_bytes"),
    G("repl_backlog_first_byte_offset", "repl_backlog_first_byte_offset"),
    G("repl_backlog_histlen", "repl_backlog_history_bytes"),
    // cpu
    C("used_cpu_sys", "cpu_sys_seconds_total"),
    C("used_cpu_user", "cpu_user_seconds_total"),
    C("used_cpu_sys_children", "cpu_sys_children_seconds_total"),
    C("used_cpu_user_children", "cpu_user_children_seconds_total"),
    C("used_cpu_sys_main_thread", "cpu_sys_main_thread_seconds_total"),
    C("used_cpu_user_main_thread", "cpu_user_main_thread_seconds_total"),
    // cluster
    G("cluster_enabled", "cluster_enabled"),
};

/* Of a replica, with the master's address as labels. */
static const struct field of_replicas[] = {
    G("master_link_status", "master_link_up"),
    G("master_last_io_seconds_ago", "master_last_io_seconds_ago"),
    G("master_sync_in_progress", "master_sync_in_progress"),
    G("slave_repl_offset", "slave_repl_offset"),
};

#undef G
#undef C

/* One line: key, a colon, a value; spans inside the text. */
struct line {
    const char *key, *value;
    size_t key_len, value_len;
};

static bool next_line(const char **at, struct line *line)
{
    while (**at != '\0') {
        size_t len = strcspn(*at, "\r\n");
        const char *start = *at, *colon = memchr(start, ':', len);

        *at += len + strspn(*at + len, "\r\n");
        if (colon != NULL && *start != '#') {
            line->key = start;
            line->key_len = (size_t)(colon - start);
            line->value = colon + 1;
            line->value_len = len - line->key_len - 1;
            return true;
        }
    }
    return false;
}

static bool find(const char *text, const char *key, struct line *line)
{
    while (next_line(&text, line)) {
        if (strlen(key) == line->key_len && memcmp(key, line->key, line->key_len) == 0) {
            return true;
        }
    }
    return false;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
    len = len < size ? len : size - 1;
    for (size_t i = 0; i < len; i++) {
        to[i] =
            (char)((unsigned char)from[i] < ' ' || (unsigned char)from[i] >= 0x7f ? '?' : from[i]);
    }
    to[len] = '\0';
}

/* A number, or a word that means one. */
static bool read_value(const char *text, size_t len, double *ret_value)
{
    char space[64], *end;

    copy(space, sizeof space, text, len);
    if (strcmp(space, "ok") == 0 || strcmp(space, "up") == 0) {
        *ret_value = 1;
        return true;
    }
    if (strcmp(space, "err") == 0 || strcmp(space, "fail") == 0 || strcmp(space, "down") == 0) {
        *ret_value = 0;
        return true;
    }
    *ret_value = strtod(space, &end);
    return end != space && (*end == '\0' || *end == '%') && isfinite(*ret_value);
}

/* The member `name` of "a=1,b=2". */
static bool member(const struct line *line, const char *name, const char **ret_text,
                   size_t *ret_len)
{
    const char *at = line->value, *end = at + line->value_len;
    size_t len = strlen(name);

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;

        if ((size_t)(stop - at) > len && memcmp(at, name, len) == 0 && at[len] == '=') {
            *ret_text = at + len + 1;
            *ret_len = (size_t)(stop - at) - len - 1;
            return true;
        }
        at = stop + 1;
    }
    return false;
}

static bool member_value(const struct line *line, const char *name, double *ret_value)
{
    const char *text;
    size_t len;

    return member(line, name, &text, &len) && read_value(text, len, ret_value);
}

static void emit_member(struct tmon_call *call, const struct line *line, const char *name,
                        const struct field *as, const struct tmon_pair *labels, size_t nlabels)
{
    double value;
    char help[128];

    if (member_value(line, name, &value)) {
        (void)snprintf(help, sizeof help, "%s of %s in INFO.", name, as->key);
        tmon_emit_simple(call, as->kind, as->name, help, value / as->scale, labels, nlabels);
    }
}

static void emit_field(struct tmon_call *call, const struct line *line, const struct field *field,
                       const struct tmon_pair *labels, size_t nlabels)
{
    char help[128];
    double value;

    if (read_value(line->value, line->value_len, &value)) {
        (void)snprintf(help, sizeof help, "%s of INFO.", field->key);
        tmon_emit_simple(call, field->kind, field->name, help, value / field->scale, labels,
                         nlabels);
    }
}

static bool starts(const struct line *line, const char *prefix)
{
    size_t len = strlen(prefix);

    return line->key_len > len && memcmp(line->key, prefix, len) == 0;
}

/* db0:keys=1,expires=0,avg_ttl=0 */
static void emit_database(struct tmon_call *call, const struct line *line)
{
    static const struct field keys = {"db", "redis_db_keys", TMON_GAUGE, 1};
    static const struct field expiring = {"db", "redis_db_keys_expiring", TMON_GAUGE, 1};
    static const struct field ttl = {"db", "redis_db_avg_ttl_seconds", TMON_GAUGE, 1000};
    char name[32];
    const struct tmon_pair label = {"db", name};

    copy(name, sizeof name, line->key, line->key_len);
    emit_member(call, line, "keys", &keys, &label, 1);
    emit_member(call, line, "expires", &expiring, &label, 1);
    emit_member(call, line, "avg_ttl", &ttl, &label, 1);
}

/* cmdstat_get:calls=21,usec=175,usec_per_call=8.33,rejected_calls=0,failed_calls=0 */
static void emit_command(struct tmon_call *call, const struct line *line)
{
    static const struct field calls = {"cmdstat", "redis_commands_total", TMON_COUNTER, 1};
    static const struct field seconds = {"cmdstat", "redis_commands_duration_seconds_total",
                                         TMON_COUNTER, 1e6};
    static const struct field rejected = {"cmdstat", "redis_commands_rejected_calls_total",
                                          TMON_COUNTER, 1};
    static const struct field failed = {"cmdstat", "redis_commands_failed_calls_total",
                                        TMON_COUNTER, 1};
    char name[128];
    const struct tmon_pair label = {"cmd", name};

    copy(name, sizeof name, line->key + 8, line->key_len - 8);
    emit_member(call, line, "calls", &calls, &label, 1);
    emit_member(call, line, "usec", &seconds, &label, 1);
    emit_member(call, line, "rejected_calls", &rejected, &label, 1);
    emit_member(call, line, "failed_calls", &failed, &label, 1);
}

/* latency_percentiles_usec_get:p50=1.003,p99=1.003,p99.9=1.003; sum and count are those of
 * cmdstat_get. */
static void emit_latency(struct tmon_call *call, const char *text, const struct line *line)
{
    static const char prefix[] = "latency_percentiles_usec_";
    double quantiles[16], values[16], calls = 0, sum = 0;
    char name[128], key[160];
    const struct tmon_pair label = {"cmd", name};
    struct tmon_metric metric = {.size = sizeof metric, .kind = TMON_SUMMARY};
    const char *at = line->value, *end = at + line->value_len;
    struct line stats;

    copy(name, sizeof name, line->key + sizeof prefix - 1, line->key_len - (sizeof prefix - 1));
    while (at < end && metric.npoints < 16) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end, *equals;

        equals = memchr(at, '=', (size_t)(stop - at));
        if (*at == 'p' && equals != NULL &&
            read_value(at + 1, (size_t)(equals - at) - 1, &quantiles[metric.npoints]) &&
            read_value(equals + 1, (size_t)(stop - equals) - 1, &values[metric.npoints])) {
            quantiles[metric.npoints] /= 100;
            metric.npoints++;
        }
        at = stop + 1;
    }
    (void)snprintf(key, sizeof key, "cmdstat_%s", name);
    if (metric.npoints == 0 || !find(text, key, &stats) || !member_value(&stats, "calls", &calls) ||
        !member_value(&stats, "usec", &sum) || calls < 0 || calls > 1e18) {
        return;
    }
    metric.name = "redis_latency_percentiles_usec";
    metric.help = "Latency by command, microseconds.";
    metric.value = sum;
    metric.count = (uint64_t)calls;
    metric.labels = &label;
    metric.nlabels = 1;
    metric.bounds = quantiles;
    metric.points = values;
    tmon_emit(call, &metric);
}

/* slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=1 */
static void emit_replica(struct tmon_call *call, const struct line *line)
{
    static const struct field offset = {"slave", "redis_connected_slave_offset_bytes", TMON_GAUGE,
                                        1};
    static const struct field lag = {"slave", "redis_connected_slave_lag_seconds", TMON_GAUGE, 1};
    char ip[64] = "", port[16] = "", state[32] = "";
    const struct tmon_pair labels[] = {
        {"slave_ip", ip}, {"slave_port", port}, {"slave_state", state}};
    const char *text;
    size_t len;

    if (!member(line, "ip", &text, &len)) {
        return; // slave_expires_tracked_keys and its like
    }
    copy(ip, sizeof ip, text, len);
    if (member(line, "port", &text, &len)) {
        copy(port, sizeof port, text, len);
    }
    if (member(line, "state", &text, &len)) {
        copy(state, sizeof state, text, len);
    }
    emit_member(call, line, "offset", &offset, labels, 3);
    emit_member(call, line, "lag", &lag, labels, 3);
}

static void emit_instance(struct tmon_call *call, const char *text)
{
    static const char *const keys[] = {
        "role",     "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy",
        "tcp_port", "run_id",        "process_id"};
    char values[sizeof keys / sizeof keys[0]][128];
    struct tmon_pair labels[sizeof keys / sizeof keys[0]];
    struct line line;
    double uptime;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool there = find(text, keys[i], &line);

        copy(values[i], sizeof values[i], there ? line.value : "", there ? line.value_len : 0);
        labels[i].key = keys[i];
        labels[i].value = values[i];
    }
    tmon_gauge(call, "redis_instance_info", "What it is; always 1.", 1, labels,
               sizeof keys / sizeof keys[0]);
    if (find(text, "uptime_in_seconds", &line) && read_value(line.value, line.value_len, &uptime)) {
        tmon_gauge(call, "redis_start_time_seconds", "When it started, Unix time.",
                   (double)time(NULL) - uptime, NULL, 0);
    }
}

static void emit_as_replica(struct tmon_call *call, const char *text)
{
    char host[256], port[16];
    const struct tmon_pair labels[] = {{"master_host", host}, {"master_port", port}};
    struct line line;

    if (!find(text, "master_host", &line)) {
        return;
    }
    copy(host, sizeof host, line.value, line.value_len);
    *port = '\0';
    if (find(text, "master_port", &line)) {
        copy(port, sizeof port, line.value, line.value_len);
    }
    for (size_t i = 0; i < sizeof of_replicas / sizeof of_replicas[0]; i++) {
        if (find(text, of_replicas[i].key, &line)) {
            emit_field(call, &line, &of_replicas[i], labels, 2);
        }
    }
}

void redis_info(struct tmon_call *call, const char *text)
{
    const char *at = text;
    struct line line;
    int databases = 0, commands = 0, latencies = 0, replicas = 0;

    emit_instance(call, text);
    emit_as_replica(call, text);
    while (next_line(&at, &line)) {
        if (starts(&line, "cmdstat_") && commands++ < NAMES_MAX) {
            emit_command(call, &line);
        } else if (starts(&line, "latency_percentiles_usec_") && latencies++ < NAMES_MAX) {
            emit_latency(call, text, &line);
        } else if (starts(&line, "db") && line.key[2] >= '0' && line.key[2] <= '9' &&
                   databases++ < NAMES_MAX) {
            emit_database(call, &line);
        } else if (starts(&line, "slave") && line.key[5] >= '0' && line.key[5] <= '9' &&
                   replicas++ < NAMES_MAX) {
            emit_replica(call, &line);
        }
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (find(text, fields[i].key, &line)) {
            emit_field(call, &line, &fields[i], NULL, 0);
        }
    }
}
