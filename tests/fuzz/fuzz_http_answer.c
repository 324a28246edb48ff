/*
 * What strangers answer: header lines and a body, then the way of the answer to the agent and on to
 * a plugin; and the places that redirects name.  The input is an answer as it stands on the wire,
 * more or less.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/answer.h"
#include "fetch/date.h"
#include "fetch/flight.h"
#include "fetch/place.h"
#include "model/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_texts(const struct tmon_response *response)
{
    static const struct place from = {.tls = true, .port = 443, .host = "a.example"};
    struct place to;
    int64_t ms;

    for (size_t i = 0; i < response->nheaders; i++) {
        const char *value = response->headers[i].value;

        if (place_parse(value, &to) == 0) {
            assert(to.port > 0 && to.host[0] && memchr(to.host, 0, sizeof to.host));
            (void)place_redirect_problem(&from, &to);
        }
        (void)date_parse(value, &ms);
        ms = date_retry_after_ms(value, 1000);
        assert(ms >= -1 && ms <= LIMIT_HTTP_RETRY_AFTER_MS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tmon_response response = {0}, read;
    struct answer answer;
    struct wire_reader reader;
    struct buf buf;
    const char *text = (const char *)data, *end = text + size;
    tmon_rc rc;
    int32_t phase;

    (void)flight_read(data, size, &rc, &phase); // a fetch worker gone wrong

    answer_init(&answer, 4096);
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = stop ? (size_t)(stop - text) + 1 : (size_t)(end - text);

        if (answer_header(&answer, text, len) < 0) {
            break;
        }
        text += len;
        if (len <= 2) {
            break;
        }
    }
    answer_body(&answer, text, (size_t)(end - text));
    answer_response(&answer, 1000, &response);
    try_texts(&response);

    buf_init(&buf, 4u << 20);
    assert(exchange_encode_response(&buf, &response) == 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert(exchange_decode_response(&reader, &read) == 0 && wire_done(&reader));
    assert(read.body.len == response.body.len && read.nheaders <= response.nheaders);
    exchange_finish_response(&read);
    buf_finish(&buf);
    answer_finish(&answer);
    return 0;
}
