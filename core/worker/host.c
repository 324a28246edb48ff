/*
 * host.c: the host table, and its services that say something: log, verdicts, time.  See host.h.
 */
#include "worker/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "model/manifest.h"
#include "worker/channel.h"
#include "worker/term.h"

static const char *host_instance(struct tmon_call *api)
{
    return host_call(api)->worker->instance;
}

static int64_t host_remaining_ms(struct tmon_call *api)
{
    struct call *call = host_call(api);
    int64_t left_ns = call->deadline_ns - clock_mono_ns();

    channel_glance(call);
    if (call->cancelled || term_asked() || left_ns <= 0) {
        return 0;
    }
    return (left_ns + NS_PER_MS - 1) / NS_PER_MS;
}

static void send_line(struct call *call, tmon_level level, const char *text)
{
    struct worker *worker = call->worker;

    wire_put_u8(&worker->out, (uint8_t)level);
    wire_put_str(&worker->out, text);
    wire_put_u32(&worker->out, (uint32_t)log_limit_take_suppressed(&worker->log_limit));
    channel_send_out(worker, FRAME_LOG, call->id);
}

void host_say(struct call *call, tmon_level level, const char *text)
{
    char line[LIMIT_LOG_LINE_BYTES];

    if (level < TMON_DEBUG || level > TMON_ERROR) {
        level = TMON_ERROR;
    }
    utf8_copy(line, sizeof line, text ? text : "");
    if (level >= TMON_WARNING) {
        utf8_copy(call->why, sizeof call->why, line);
    }
    if (log_limit_allow(&call->worker->log_limit, clock_mono_ns())) {
        send_line(call, level, line);
    }
}

static void host_log(struct tmon_call *api, tmon_level level, const char *text)
{
    host_say(host_call(api), level, text);
}

void host_misuse(struct call *call, const char *what)
{
    if (!call->worker->said_misuse) {
        call->worker->said_misuse = true;
        host_say(call, TMON_WARNING, what);
    }
}

static struct verdict *verdict_of(struct tmon_call *api)
{
    struct call *call = host_call(api);

    if (!call->verdict) {
        host_misuse(call, "the plugin reports outside of check(): that is ignored");
    }
    return call->verdict;
}

static void host_report(struct tmon_call *api, const char *subject, tmon_verdict status,
                        const char *text)
{
    struct call *call = host_call(api);

    if (call->phase == CALL_CREATE && text) {
        utf8_copy(call->why, sizeof call->why, text); // why create() fails
    } else if (verdict_of(api)) {
        verdict_report(call->verdict, subject, status, text);
    }
}

static void host_detail_number(struct tmon_call *api, const char *key, double value)
{
    struct verdict *verdict = verdict_of(api);

    if (verdict && key) {
        verdict_detail_number(verdict, key, value);
    }
}

static void host_detail_text(struct tmon_call *api, const char *key, const char *text)
{
    struct verdict *verdict = verdict_of(api);

    if (verdict && key) {
        verdict_detail_text(verdict, key, text);
    }
}

static void host_detail_item(struct tmon_call *api, const char *key, const char *text)
{
    struct verdict *verdict = verdict_of(api);

    if (verdict && key) {
        verdict_detail_item(verdict, key, text);
    }
}

static void host_retry_after(struct tmon_call *api, int64_t ms)
{
    host_call(api)->retry_after_ms = ms > 0 ? ms : 0;
}

struct kept *host_keep(struct call *call, const void *data, size_t len)
{
    struct kept *kept = malloc(sizeof *kept + len + 1);

    if (!kept) {
        return NULL;
    }
    memset(kept, 0, sizeof *kept);
    if (len > 0) {
        memcpy(kept->data, data, len);
    }
    kept->data[len] = '\0';
    kept->next = call->kept;
    call->kept = kept;
    return kept;
}

void host_forget(struct call *call)
{
    while (call->kept) {
        struct kept *kept = call->kept;

        call->kept = kept->next;
        free((void *)kept->response.headers);
        free(kept);
    }
}

bool host_may_ask(struct call *call)
{
    /* Behind a format() or judge() the next call may lie in the socket, where the answer would
     * come.
     */
    if (call->ability & (ABILITY_FORMAT | ABILITY_JUDGE)) {
        host_misuse(call, "the plugin asks for something in format() or judge(), which only "
                          "compute: that is refused");
        return false;
    }
    return call->phase != CALL_DESTROY && !term_asked();
}

void host_flush(struct call *call)
{
    host_flush_samples(call);
    host_flush_stream(call);
    if (call->worker->log_limit.suppressed > 0) {
        send_line(call, TMON_INFO, "");
    }
}

const struct tmon_host *host_table(void)
{
    static const struct tmon_host table = {
        .size = sizeof table,
        .api_major = TMON_API_MAJOR,
        .api_minor = TMON_API_MINOR,
        .instance = host_instance,
        .remaining_ms = host_remaining_ms,
        .log = host_log,
        .report = host_report,
        .detail_number = host_detail_number,
        .detail_text = host_detail_text,
        .detail_item = host_detail_item,
        .emit = host_emit,
        .http = host_http,
        .json = host_json,
        .retry_after = host_retry_after,
        .read = host_read,
        .write = host_write,
        .progress = host_progress,
        .event = host_event,
        .message = host_message,
        .cache_get = host_cache_get,
        .cache_put = host_cache_put,
        .value = host_value,
        .config_has = host_config_has,
        .config_string = host_config_string,
        .config_int = host_config_int,
        .config_float = host_config_float,
        .config_count = host_config_count,
        .config_item = host_config_item,
        .config_pair = host_config_pair,
        .config_group = host_config_group,
    };

    return &table;
}
