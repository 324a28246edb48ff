/*
 * flight.c: judges a plugin's request by its instance's settings.
 *
 * Runs in the agent, on the main thread, on hostile input.  Fetch judges the same again for every
 * hop; here the operator gets told which setting to change, which only the agent knows.
 */
#include "fetch/flight.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "fetch/place.h"
#include "model/exchange.h"
#include "model/settings.h"

#define SETTINGS_NAMED 8  /* in an error */
#define MARGIN_MS_MAX 100 /* a plugin needs no longer to make a report of an answer */

static void add_host(void *owner, const char *url)
{
    struct flight_hosts *hosts = owner;
    struct place place;

    if (hosts->count < LIMIT_HTTP_HOSTS && place_parse(url, &place) == 0) {
        memcpy(hosts->names[hosts->count++], place.host, sizeof place.host);
    }
}

void flight_hosts_init(struct flight_hosts *hosts, const struct settings *settings)
{
    hosts->count = 0;
    if (settings) {
        settings_each_url(settings, add_host, hosts);
    }
}

static void name_url_settings(const struct settings *settings, struct buf *names, size_t *n)
{
    for (size_t i = 0; settings && i < settings->count && *n < SETTINGS_NAMED; i++) {
        const struct setting *setting = &settings->settings[i];

        if (setting->type == TMON_URL) {
            buf_puts(names, (*n)++ ? ", " : "");
            buf_puts(names, setting->name);
        } else if (setting->type == TMON_GROUPS && setting->count > 0) {
            name_url_settings(setting->groups[0], names, n);
        }
    }
}

static int refuse_host(const struct settings *settings, const char *host, char *ret_why,
                       size_t size)
{
    struct buf names;
    size_t n = 0;

    buf_init(&names, 1024);
    name_url_settings(settings, &names, &n);
    if (n == 0) {
        snprintf(
            ret_why, size,
            "the host %s is refused: the component has no URL setting, so it may not speak HTTP",
            host);
    } else {
        snprintf(ret_why, size,
                 "the host %s is refused: it is in no URL setting of the instance (change %s to "
                 "allow it)",
                 host, buf_str(&names));
    }
    buf_finish(&names);
    return -EACCES;
}

static int judge(const struct tmon_request *request, const struct flight_hosts *hosts,
                 const struct settings *settings, char *ret_why, size_t size)
{
    struct place place;

    if (place_parse(request->url, &place) < 0) {
        snprintf(ret_why, size, "the request is refused: its URL is not a plain http or https one");
        return -EACCES;
    }
    for (size_t i = 0; i < hosts->count; i++) {
        if (strcmp(hosts->names[i], place.host) == 0) {
            return 0;
        }
    }
    return refuse_host(settings, place.host, ret_why, size);
}

/* So much earlier fetch gives up, so that the plugin can still say at which phase it hung. */
static int64_t margin_ms(int64_t remaining_ms)
{
    int64_t tenth = remaining_ms / 10;

    return tenth < MARGIN_MS_MAX ? tenth : MARGIN_MS_MAX;
}

int flight_order(const void *data, size_t len, const struct settings *settings,
                 const char *const *refused, size_t nrefused, struct buf *buf,
                 int64_t *ret_remaining_ms, char *ret_why, size_t size)
{
    struct fetch_order order = {.body_bytes = LIMIT_HTTP_BODY_BYTES};
    struct wire_reader reader;
    struct flight_hosts hosts;
    const char *why;
    uint64_t remaining;
    int r;

    wire_reader_init(&reader, data, len);
    remaining = wire_get_u64(&reader);
    if (reader.bad || exchange_decode_request(&reader, &order.request) < 0) {
        return -EPROTO;
    }
    if (!wire_done(&reader)) {
        r = -EPROTO;
        goto out;
    }
    flight_hosts_init(&hosts, settings);
    r = judge(&order.request, &hosts, settings, ret_why, size);
    if (r < 0) {
        goto out;
    }
    order.remaining_ms = remaining < INT32_MAX ? (int64_t)remaining : INT32_MAX;
    order.remaining_ms -= margin_ms(order.remaining_ms);
    for (order.nhosts = 0; order.nhosts < hosts.count; order.nhosts++) {
        order.hosts[order.nhosts] = hosts.names[order.nhosts];
    }
    for (; order.nrefused < nrefused && order.nrefused < LIMIT_HTTP_REFUSED; order.nrefused++) {
        order.refused[order.nrefused] = refused[order.nrefused];
    }
    r = fetch_order_encode(buf, &order, &why);
    if (r == 0) {
        *ret_remaining_ms = order.remaining_ms;
    }
out:
    fetch_order_finish(&order);
    return r == -EINVAL ? -EPROTO : r;
}

void flight_answer(struct buf *buf, tmon_rc rc, int32_t phase, const char *why)
{
    const struct tmon_response response = {
        .size = sizeof response,
        .retry_after_ms = -1,
        .error = why,
        .error_phase = phase,
    };

    wire_put_u32(buf, (uint32_t)rc);
    exchange_encode_response(buf, &response);
}

int flight_read(const void *data, size_t len, tmon_rc *ret_rc, int32_t *ret_phase)
{
    struct tmon_response response;
    struct wire_reader reader;
    uint32_t rc;

    wire_reader_init(&reader, data, len);
    rc = wire_get_u32(&reader);
    if (reader.bad || rc > TMON_REJECTED || exchange_decode_response(&reader, &response) < 0) {
        return -EPROTO;
    }
    *ret_rc = (tmon_rc)rc;
    *ret_phase = response.error_phase;
    exchange_finish_response(&response);
    return wire_done(&reader) ? 0 : -EPROTO;
}
