/*
 * order.c: the encoding of what fetch is told.  Written in the agent or the command line, read in
 * the fetch worker.
 */
#include "fetch/order.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/wire.h"
#include "fetch/place.h"
#include "model/exchange.h"

#define LISTENER_BYTES 128 /* "[address]:port" with room */

static void put_texts(struct buf *buf, const char *const *texts, size_t count, size_t most)
{
    count = count < most ? count : most;
    wire_put_u32(buf, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_str(buf, texts[i]);
    }
}

static size_t get_texts(struct wire_reader *reader, const char **texts, uint32_t most, size_t bytes)
{
    uint32_t count = wire_get_count(reader, most, 5);

    for (uint32_t i = 0; i < count; i++) {
        texts[i] = wire_get_str(reader, bytes);
    }
    return count;
}

int fetch_order_encode(struct buf *buf, const struct fetch_order *order, const char **ret_why)
{
    wire_put_i64(buf, order->remaining_ms);
    wire_put_u32(buf, order->body_bytes);
    wire_put_u8(buf, order->any_host);
    wire_put_str(buf, order->unix_path);
    wire_put_str(buf, order->ca_file);
    put_texts(buf, order->hosts, order->nhosts, LIMIT_HTTP_HOSTS);
    put_texts(buf, order->refused, order->nrefused, LIMIT_HTTP_REFUSED);
    return exchange_encode_request(buf, &order->request, ret_why);
}

int fetch_order_decode(const void *data, size_t len, struct fetch_order *ret_order)
{
    struct fetch_order order = {0};
    struct wire_reader reader;

    wire_reader_init(&reader, data, len);
    order.remaining_ms = wire_get_i64(&reader);
    order.body_bytes = wire_get_u32(&reader);
    order.any_host = wire_get_u8(&reader) != 0;
    order.unix_path = wire_get_str(&reader, PATH_MAX);
    order.ca_file = wire_get_str(&reader, PATH_MAX);
    order.nhosts = get_texts(&reader, order.hosts, LIMIT_HTTP_HOSTS, PLACE_HOST_SIZE);
    order.nrefused = get_texts(&reader, order.refused, LIMIT_HTTP_REFUSED, LISTENER_BYTES);
    if (reader.bad || exchange_decode_request(&reader, &order.request) < 0) {
        return -EPROTO;
    }
    if (!wire_done(&reader)) {
        exchange_finish_request(&order.request);
        return -EPROTO;
    }
    *ret_order = order;
    return 0;
}

void fetch_order_finish(struct fetch_order *order)
{
    if (order) {
        exchange_finish_request(&order->request);
    }
}
