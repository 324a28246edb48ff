/*
 * ability_store.c: the operations of caches and leases.  See ability.h.
 */
#include "worker/ability.h"

#include <string.h>

#include "worker/channel.h"

#define COPY_SIZED(dest_, src_)                                                                    \
    do {                                                                                           \
        memset((dest_), 0, sizeof *(dest_));                                                       \
        memcpy((dest_), (src_), (src_)->size < sizeof *(dest_) ? (src_)->size : sizeof *(dest_));  \
    } while (0)

static tmon_rc get_many(struct call *call, const struct tmon_cache_ops *ops,
                        struct wire_reader *args)
{
    const char *keys[LIMIT_CACHE_KEYS];
    uint32_t n = wire_get_count(args, LIMIT_CACHE_KEYS, 5);

    for (uint32_t i = 0; i < n; i++) {
        keys[i] = wire_get_str(args, LIMIT_CACHE_KEY_BYTES);
    }
    if (!wire_done(args) || !ops->get_many) {
        channel_broken();
    }
    call->values = n;
    return ops->get_many(&call->api, call->worker->self, keys, n);
}

static tmon_rc put(struct call *call, const struct tmon_cache_ops *ops, struct wire_reader *args)
{
    const char *key = wire_get_str(args, LIMIT_CACHE_KEY_BYTES);
    struct tmon_bytes value;
    int64_t ttl_ms;

    value.data = wire_get_bytes(args, LIMIT_CACHE_VALUE_BYTES, &value.len);
    ttl_ms = wire_get_i64(args);
    if (!wire_done(args) || !ops->put) {
        channel_broken();
    }
    return ops->put(&call->api, call->worker->self, key, value, ttl_ms);
}

tmon_rc ability_run_cache(struct call *call, const char *operation, struct wire_reader *args)
{
    void *self = call->worker->self;
    struct tmon_cache_ops ops;
    const char *text;

    if (!call->worker->component.cache) {
        channel_broken();
    }
    COPY_SIZED(&ops, call->worker->component.cache);
    if (strcmp(operation, "get_many") == 0) {
        return get_many(call, &ops, args);
    }
    if (strcmp(operation, "put") == 0) {
        return put(call, &ops, args);
    }
    text = wire_get_str(args, LIMIT_CACHE_KEY_BYTES);
    if (wire_done(args) && strcmp(operation, "remove") == 0 && ops.remove) {
        return ops.remove(&call->api, self, text);
    }
    if (wire_done(args) && strcmp(operation, "invalidate") == 0 && ops.invalidate) {
        return ops.invalidate(&call->api, self, text);
    }
    channel_broken();
}

tmon_rc ability_run_lease(struct call *call, const char *operation, struct wire_reader *args)
{
    const char *name = wire_get_str(args, LIMIT_NAME_BYTES);
    void *self = call->worker->self;
    bool acquire = strcmp(operation, "acquire") == 0;
    bool release = strcmp(operation, "release") == 0;
    uint64_t fence = acquire ? 0 : wire_get_u64(args);
    int64_t ttl_ms = release ? 0 : wire_get_i64(args);
    struct tmon_lease_ops ops;

    if (!call->worker->component.lease || !wire_done(args)) {
        channel_broken();
    }
    COPY_SIZED(&ops, call->worker->component.lease);
    if (acquire && ops.acquire) {
        return ops.acquire(&call->api, self, name, ttl_ms, &call->fence);
    }
    if (strcmp(operation, "renew") == 0 && ops.renew) {
        return ops.renew(&call->api, self, name, fence, ttl_ms);
    }
    if (release && ops.release) {
        return ops.release(&call->api, self, name, fence);
    }
    channel_broken();
}
