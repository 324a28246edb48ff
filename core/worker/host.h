/*
 * host.h: the services of struct tmon_host as a worker offers them.
 *
 * All run on the thread that is in the callback.  A service asked for where it makes no sense
 * (samples in a check, a verdict in a collection) does nothing, and the author is told once.
 */
#ifndef WORKER_HOST_H
#define WORKER_HOST_H

#include "worker/worker.h"

/* The table; constant. */
const struct tmon_host *host_table(void);

static inline struct call *host_call(struct tmon_call *api)
{
    return (struct call *)(void *)api; // `api` is its first member
}

/* A line that the worker itself has to say about its plugin. */
void host_say(struct call *call, tmon_level level, const char *text);
/* Once in the life of an instance. */
void host_misuse(struct call *call, const char *what);
/* Keeps `len` bytes and a NUL until the callback has returned.  NULL: no memory. */
struct kept *host_keep(struct call *call, const void *data, size_t len);
void host_forget(struct call *call);
/* Whether the agent will answer this call: not in destroy(), not in format() and judge(), and not
 * to one that was told to end. */
bool host_may_ask(struct call *call);

/* Sends what waits: samples, result, progress, lines held back. */
void host_flush(struct call *call);
void host_flush_samples(struct call *call); /* host_metrics.c */
void host_flush_stream(struct call *call);  /* host_stream.c */

/* host_metrics.c */
void host_emit(struct tmon_call *api, const struct tmon_metric *metric);

/* host_http.c */
tmon_rc host_http(struct tmon_call *api, const struct tmon_request *request,
                  const struct tmon_response **ret_response);
const char *host_json(struct tmon_call *api, const struct tmon_pair *pairs, size_t npairs);

/* host_stream.c */
int64_t host_read(struct tmon_call *api, void *buffer, size_t size);
tmon_rc host_write(struct tmon_call *api, struct tmon_bytes bytes);
void host_progress(struct tmon_call *api, uint64_t done, uint64_t total);

/* host_ask.c */
tmon_rc host_event(struct tmon_call *api, const char *id, struct tmon_bytes payload,
                   const char *cursor);
tmon_rc host_message(struct tmon_call *api, const char *mail_template, const char *key,
                     const struct tmon_pair *values, size_t nvalues);
tmon_rc host_cache_get(struct tmon_call *api, const char *key, struct tmon_bytes *ret_value);
tmon_rc host_cache_put(struct tmon_call *api, const char *key, struct tmon_bytes value,
                       int64_t ttl_ms);
void host_value(struct tmon_call *api, bool found, struct tmon_bytes value);

/* host_config.c */
bool host_config_has(const struct tmon_config *config, const char *name);
const char *host_config_string(const struct tmon_config *config, const char *name);
int64_t host_config_int(const struct tmon_config *config, const char *name);
double host_config_float(const struct tmon_config *config, const char *name);
size_t host_config_count(const struct tmon_config *config, const char *name);
const char *host_config_item(const struct tmon_config *config, const char *name, size_t i);
struct tmon_pair host_config_pair(const struct tmon_config *config, const char *name, size_t i);
const struct tmon_config *host_config_group(const struct tmon_config *config, const char *name,
                                            size_t i);

#endif
