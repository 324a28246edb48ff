/*
 * answer.c: collects an HTTP answer within its limits.
 *
 * Runs in the fetch worker.  Names and values lie in one growing buffer, so pairs of pointers are
 * made only when the answer is complete.
 */
#include "fetch/answer.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "fetch/date.h"

void answer_init(struct answer *answer, size_t body_bytes)
{
    memset(answer, 0, sizeof *answer);
    // A name and a value never take more than their line, and two NULs replace ": " and the line
    // end.
    buf_init(&answer->text, LIMIT_HTTP_HEADER_BYTES + 2 * LIMIT_HTTP_HEADERS);
    buf_init(&answer->body, body_bytes);
}

void answer_finish(struct answer *answer)
{
    if (answer) {
        buf_finish(&answer->text);
        buf_finish(&answer->body);
    }
}

void answer_restart(struct answer *answer)
{
    buf_clear(&answer->text);
    buf_clear(&answer->body);
    answer->count = 0;
    answer->truncated = false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Appends text and its NUL; what is not fit to be read becomes '?'. */
static size_t put_clean(struct answer *answer, const char *text, size_t len, bool lower)
{
    size_t start = answer->text.len;
    bool valid = utf8_valid(text, len);

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < ' ' && c != '\t') || c == 0x7f || (c >= 0x80 && !valid)) {
            c = '?';
        } else if (lower && c >= 'A' && c <= 'Z') {
            c = (unsigned char)(c - 'A' + 'a');
        }
        buf_putc(&answer->text, (char)c);
    }
    buf_putc(&answer->text, '\0');
    return start;
}

int answer_header(struct answer *answer, const char *line, size_t len)
{
    const char *colon;

    // Counted over all answers of one request, so that an endless run of 1xx ends too.
    answer->line_bytes += len;
    if (answer->line_bytes > LIMIT_HTTP_HEADER_BYTES) {
        return -EMSGSIZE;
    }
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || is_blank(line[len - 1]))) {
        len--;
    }
    if (len == 0) {
        return 0;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        answer_restart(answer);
        return 0;
    }
    colon = memchr(line, ':', len);
    if (!colon || colon == line || is_blank(*line)) {
        return 0; // a folded line, or no header at all: nobody may rely on either
    }
    if (answer->count == LIMIT_HTTP_HEADERS) {
        return -EMSGSIZE;
    }
    size_t name_len = (size_t)(colon - line);
    const char *value = colon + 1, *end = line + len;
    while (value < end && is_blank(*value)) {
        value++;
    }
    answer->names[answer->count] = put_clean(answer, line, name_len, true);
    answer->values[answer->count] = put_clean(answer, value, (size_t)(end - value), false);
    if (answer->text.failed) {
        return -ENOMEM;
    }
    answer->count++;
    return 0;
}

bool answer_body(struct answer *answer, const void *data, size_t len)
{
    size_t room = answer->body.cap - answer->body.len;

    if (len > room) {
        len = room;
        answer->truncated = true;
    }
    buf_append(&answer->body, data, len);
    if (answer->body.failed) { // no memory: what is here is here
        answer->truncated = true;
    }
    return !answer->truncated;
}

void answer_response(struct answer *answer, int64_t now_ms, struct tmon_response *ret_response)
{
    ret_response->size = (uint32_t)sizeof *ret_response;
    ret_response->retry_after_ms = -1;
    for (size_t i = 0; i < answer->count; i++) {
        answer->pairs[i].key = answer->text.data + answer->names[i];
        answer->pairs[i].value = answer->text.data + answer->values[i];
        if (strcmp(answer->pairs[i].key, "retry-after") == 0) {
            ret_response->retry_after_ms = date_retry_after_ms(answer->pairs[i].value, now_ms);
        }
    }
    ret_response->headers = answer->pairs;
    ret_response->nheaders = answer->count;
    ret_response->body.data = answer->body.len ? answer->body.data : "";
    ret_response->body.len = answer->body.len;
    ret_response->truncated = answer->truncated;
}
