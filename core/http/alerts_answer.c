/*
 * alerts_answer.c: what POST /api/v1/alerts answers: a verdict for each item, in their order.  Any
 * thread; it is written as text, since this is the path that is taken most.
 */
#include <microhttpd.h>

#include "base/json_text.h"
#include "http/alerts_in.h"
#include "http/v2_alerts_in.h"

static void put_fingerprint(struct buf *buf, uint64_t fingerprint)
{
    static const char digits[] = "0123456789abcdef";
    char text[17] = "";

    for (int i = 15; i >= 0; i--, fingerprint >>= 4) {
        text[i] = digits[fingerprint & 15];
    }
    json_text_key(buf, "fingerprint");
    buf_putc(buf, '"');
    buf_append(buf, text, 16);
    buf_putc(buf, '"');
}

static void put_item(struct buf *buf, const struct alerts_in_item *item)
{
    json_text_item(buf);
    if (item->status == ALERTS_IN_ACCEPTED) {
        buf_puts(buf, "{\"status\":\"accepted\"");
        json_text_put_string(buf, "alert", alerts_verdict_name(item->verdict));
        put_fingerprint(buf, item->fingerprint);
    } else if (item->status == ALERTS_IN_REJECTED) {
        buf_puts(buf, "{\"status\":\"rejected\"");
        json_text_put_string(buf, "error", item->error);
        json_text_put_string(buf, "field", item->field);
    } else {
        buf_puts(buf, "{\"status\":\"refused\"");
        json_text_put_string(buf, "error", "there is no room for more alerts now: try again later");
        put_fingerprint(buf, item->fingerprint);
    }
    if (item->key) {
        json_text_put_string(buf, "key", item->key);
    }
    if (item->note) {
        json_text_put_string(buf, "note", item->note);
    }
    buf_putc(buf, '}');
}

void alerts_in_answer(const struct alerts_in *alerts, struct buf *buf)
{
    if (alerts->v2) {
        v2_alerts_answer(alerts, buf);
        return;
    }
    buf_puts(buf, "{\"results\":[");
    for (size_t i = 0; i < alerts->n; i++) {
        put_item(buf, &alerts->items[i]);
    }
    buf_puts(buf, "]}\n");
}

unsigned alerts_in_status(const struct alerts_in *alerts)
{
    size_t accepted = 0;

    if (alerts->v2) {
        return v2_alerts_status(alerts);
    }
    for (size_t i = 0; i < alerts->n; i++) {
        if (alerts->items[i].status == ALERTS_IN_REFUSED) {
            return MHD_HTTP_TOO_MANY_REQUESTS;
        }
        accepted += alerts->items[i].status == ALERTS_IN_ACCEPTED;
    }
    return accepted == alerts->n ? MHD_HTTP_OK
           : accepted == 0       ? MHD_HTTP_BAD_REQUEST
                                 : MHD_HTTP_MULTI_STATUS;
}
