/*
 * worker.c: the life of a worker: LOAD, CREATE, calls, the end.  See worker.h and plugin/frame.h.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "model/manifest.h"
#include "worker/ability.h"
#include "worker/channel.h"
#include "worker/confine.h"
#include "worker/host.h"
#include "worker/loader.h"
#include "worker/sandbox.h"

#define LOG_BURST 10               /* lines of one plugin at once */
#define LOG_PER_SECOND 0.2         /* then one every five seconds; the rest is counted */
#define LOAD_CPU_NS (5 * NS_PER_S) /* as long as the agent waits for the manifest */
#define DESTROY_MS 2000            /* as long as the agent waits after STOP */
#define OUT_BYTES (LIMIT_HTTP_REQUEST_BYTES + FRAME_PAYLOAD_BYTES)
#define KEPT_BYTES LIMIT_FRAME_BYTES /* of a request or an answer, for the next one */

int worker_init(struct worker *worker)
{
    *worker = (struct worker){0};
    frame_assembly_init(&worker->commands, LIMIT_CALL_BYTES);
    frame_assembly_init(&worker->answers, LIMIT_CALL_BYTES);
    buf_init(&worker->out, OUT_BYTES);
    buf_init(&worker->samples, FRAME_PAYLOAD_BYTES);
    buf_init(&worker->result, FRAME_PAYLOAD_BYTES - 5); // with wire_put_bytes() it fills a frame
    buf_init(&worker->request, LIMIT_HTTP_REQUEST_BYTES);
    log_limit_init(&worker->log_limit, LOG_BURST, LOG_PER_SECOND);
    worker->command = malloc(LIMIT_FRAME_BYTES);
    worker->answer = malloc(LIMIT_FRAME_BYTES);
    if (!worker->command || !worker->answer) {
        worker_finish(worker);
        return -ENOMEM;
    }
    return 0;
}

void worker_finish(struct worker *worker)
{
    if (!worker) {
        return;
    }
    settings_destroy(worker->settings);
    free(worker->self);
    free(worker->command);
    free(worker->answer);
    frame_assembly_finish(&worker->commands);
    frame_assembly_finish(&worker->answers);
    buf_finish(&worker->out);
    buf_finish(&worker->samples);
    buf_finish(&worker->result);
    buf_finish(&worker->request);
    *worker = (struct worker){0};
}

static int64_t cpu_us(void)
{
    struct timespec used;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0) {
        return 0;
    }
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

static void fail(const char *why)
{
    struct buf frame;

    buf_init(&frame, LIMIT_FRAME_BYTES);
    wire_put_str(&frame, why);
    channel_send(FRAME_FAILED, 0, buf_str(&frame), frame.len);
    buf_finish(&frame);
}

static bool send_manifest(struct worker *worker)
{
    const char *why = NULL;
    struct buf frame;
    bool ok;

    buf_init(&frame, LIMIT_MANIFEST_BYTES);
    ok = manifest_encode(worker->plugin, &frame, &why) == 0;
    if (ok) {
        channel_send(FRAME_MANIFEST, 0, frame.data, frame.len);
    } else {
        fail(why);
    }
    buf_finish(&frame);
    return ok;
}

/* Everything that confines comes before the .so, whose constructors are not to be trusted either.
 */
static bool load(struct worker *worker, struct wire_reader *args)
{
    const char *path = wire_get_str(args, LIMIT_SETTING_BYTES);
    struct confine_limits limits = {0};
    char why[LIMIT_HELP_BYTES];
    uint32_t layers = FRAME_LAYER_NO_NEW_PRIVS;
    bool probe, spawns;

    limits.memory_bytes = wire_get_u64(args);
    limits.descriptors = wire_get_u32(args);
    worker->cpu_percent = wire_get_u32(args);
    probe = wire_get_u8(args) != 0;
    spawns = wire_get_u8(args) != 0 && !probe;
    if (!wire_done(args)) {
        channel_broken();
    }
    limits.writes_files = spawns;
    if (confine_limit(&limits) == 0) {
        layers |= FRAME_LAYER_LIMITS;
    }
    confine_cpu(worker->cpu_percent, LOAD_CPU_NS, &worker->cpu_soft_s);
    layers |= sandbox_apply(spawns);
    wire_put_u32(&worker->out, layers);
    channel_send_out(worker, FRAME_SANDBOX, 0);
    if (loader_open(path, &worker->plugin, why, sizeof why) < 0) {
        fail(why);
        return false;
    }
    return send_manifest(worker);
}

static void begin(struct worker *worker, struct call *call, uint32_t id, uint64_t remaining_ms)
{
    const uint64_t year_ms = UINT64_C(366) * 86400 * 1000;
    int64_t left_ns = (int64_t)(remaining_ms < year_ms ? remaining_ms : year_ms) * NS_PER_MS;

    *call = (struct call){
        .api = {host_table()},
        .worker = worker,
        .id = id,
        .phase = CALL_ABILITY,
        .deadline_ns = clock_mono_ns() + left_ns,
        .retry_after_ms = -1,
    };
    confine_cpu(worker->cpu_percent, left_ns, &worker->cpu_soft_s);
}

/* Large ones are rare: no room is kept for them. */
static void forget_request(struct worker *worker)
{
    size_t size = worker->request.size;

    buf_clear(&worker->request);
    if (size > KEPT_BYTES) {
        buf_finish(&worker->request);
        buf_init(&worker->request, LIMIT_HTTP_REQUEST_BYTES);
        buf_finish(&worker->out);
        buf_init(&worker->out, OUT_BYTES);
    }
}

/* The CPU that is told is what was used since the last answer: so threads that go on by themselves
 * are seen, and a call reads that clock once. */
static void send_done(struct call *call, tmon_rc rc)
{
    struct worker *worker = call->worker;
    struct buf *out = &worker->out;
    int64_t now_us = cpu_us();

    if (rc < TMON_OK || rc > TMON_UNSUPPORTED) {
        host_misuse(call, "the plugin returned a code that is none of tmon_rc: taken as rejected");
        rc = TMON_REJECTED;
    }
    host_flush(call);
    wire_put_u32(out, (uint32_t)rc);
    wire_put_i64(out, call->retry_after_ms);
    wire_put_str(out, rc == TMON_OK && call->refused == 0 ? "" : call->why);
    wire_put_u64(out, (uint64_t)(now_us - worker->cpu_us));
    wire_put_u64(out, call->fence);
    wire_put_u32(out, call->refused);
    if (call->ability == ABILITY_CHECK) {
        ability_put_verdict(call, out);
    } else if (call->ability == ABILITY_FORMAT && rc == TMON_OK) {
        buf_append(out, buf_str(&worker->request), worker->request.len);
    }
    worker->cpu_us = now_us;
    channel_send_out(worker, FRAME_DONE, call->id);
    forget_request(worker);
    host_forget(call);
}

/* Our copy of the component.  False when the plugin declares none of that name. */
static bool find_component(struct worker *worker, const char *name)
{
    const struct tmon_component *const *components = worker->plugin->components;

    for (size_t i = 0; components && components[i]; i++) {
        const struct tmon_component *found = components[i];
        size_t size = found->size < sizeof *found ? found->size : sizeof *found;

        memset(&worker->component, 0, sizeof worker->component);
        memcpy(&worker->component, found, size);
        if (worker->component.name && strcmp(worker->component.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void create(struct worker *worker, uint32_t id, struct wire_reader *args)
{
    const char *component = wire_get_str(args, LIMIT_NAME_BYTES);
    const char *instance = wire_get_str(args, LIMIT_NAME_BYTES);
    uint64_t remaining_ms = wire_get_u64(args);
    struct call call;
    tmon_rc rc = TMON_OK;

    if (args->bad || settings_decode(args, &worker->settings) < 0 || !wire_done(args) ||
        !find_component(worker, component)) {
        channel_broken();
    }
    utf8_copy(worker->instance, sizeof worker->instance, instance);
    confine_name(worker->instance);
    begin(worker, &call, id, remaining_ms);
    call.phase = CALL_CREATE;
    if (worker->component.state_size > 0) {
        worker->self = calloc(1, worker->component.state_size);
    }
    if (worker->component.state_size > 0 && !worker->self) {
        rc = TMON_RETRY;
        utf8_copy(call.why, sizeof call.why, "no memory for the component's state");
    } else if (worker->component.create) {
        worker->created = true;
        rc =
            worker->component.create(&call.api, worker->self, settings_as_config(worker->settings));
    } else {
        worker->created = true;
    }
    send_done(&call, rc);
}

static void serve(struct worker *worker, uint32_t id, struct wire_reader *args)
{
    uint32_t ability = wire_get_u32(args);
    const char *operation = wire_get_str(args, LIMIT_NAME_BYTES);
    uint64_t remaining_ms = wire_get_u64(args);
    struct call call;
    tmon_rc rc;

    begin(worker, &call, id, remaining_ms);
    call.ability = ability;
    rc = ability_run(&call, operation, args);
    send_done(&call, rc);
}

static void destroy(struct worker *worker)
{
    struct call call;

    if (!worker->created || !worker->component.destroy) {
        return;
    }
    begin(worker, &call, 0, DESTROY_MS);
    call.phase = CALL_DESTROY;
    worker->component.destroy(&call.api, worker->self);
    host_forget(&call);
}

void worker_run(struct worker *worker)
{
    enum { FRESH, LOADED, CREATED } state = FRESH;
    struct wire_reader args;
    struct frame frame;
    const void *data;
    size_t len;

    while (channel_command(worker, &frame, &data, &len) && frame.type != FRAME_STOP) {
        wire_reader_init(&args, data, len);
        if (state == FRESH && frame.type == FRAME_LOAD) {
            if (!load(worker, &args)) {
                return;
            }
            state = LOADED;
        } else if (state == LOADED && frame.type == FRAME_CREATE) {
            create(worker, frame.call, &args);
            state = CREATED;
        } else if (state == CREATED && frame.type == FRAME_CALL) {
            serve(worker, frame.call, &args);
        } else {
            channel_broken();
        }
    }
    destroy(worker);
}
