/*
 * sink_harness.c: a sink under the mock host, spoken to over pipes by tests/system/sinks.py: what a
 * sink makes of texts that no agent would let through, and of answers, without an agent.
 *
 *     sink_harness FILE.so COMPONENT "setting: value
 *     ..."
 *
 * Both ways go netstrings ("5:hello,"), numbers as decimal ones.  A question is F (format), D
 * (deliver) or J (judge) and its arguments in the order of the functions below; the answer to each
 * is
 *
 *     rc, retry_after_ms, logs (count, then level and text each), problem of the mock,
 *     after F with TMON_OK also: method, url, headers (count, then name and value each), body
 */
#include <inttypes.h>
#include <stdlib.h>

#include "mock_host.h"

#define TEXTS_MAX 65536

struct texts { /* what the notification at hand is made of */
    char *owned[TEXTS_MAX];
    size_t count;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "sink_harness: out of memory, or the question is not one\n");
        exit(2);
    }
    return memory;
}

static void *keep(struct texts *texts, void *memory)
{
    if (texts->count == TEXTS_MAX) {
        memory = NULL;
    }
    texts->owned[texts->count++] = must(memory);
    return memory;
}

/* The next netstring, with a NUL behind it; NULL at the end of the input. */
static char *read_text(struct texts *texts, size_t *ret_len)
{
    size_t len;
    char *text;

    if (scanf("%zu:", &len) != 1) {
        return NULL;
    }
    text = keep(texts, malloc(len + 1));
    if (fread(text, 1, len, stdin) != len || getchar() != ',') {
        (void)must(NULL);
    }
    text[len] = '\0';
    if (ret_len != NULL) {
        *ret_len = len;
    }
    return text;
}

static const char *text(struct texts *texts)
{
    return must(read_text(texts, NULL));
}

static int64_t number(struct texts *texts)
{
    return strtoll(text(texts), NULL, 10);
}

static struct tmon_pair *pairs(struct texts *texts, size_t *ret_count)
{
    const size_t count = (size_t)number(texts);
    struct tmon_pair *made = keep(texts, calloc(count + 1, sizeof *made));

    for (size_t i = 0; i < count; i++) {
        made[i].key = text(texts);
        made[i].value = text(texts);
    }
    *ret_count = count;
    return made;
}

static struct tmon_alert *alert(struct texts *texts)
{
    struct tmon_alert *made = keep(texts, calloc(1, sizeof *made));

    made->size = (uint32_t)sizeof *made;
    made->severity = (tmon_severity)number(texts);
    made->firing = number(texts) != 0;
    made->key = text(texts);
    made->name = text(texts);
    made->summary = text(texts);
    made->description = text(texts);
    made->starts_ms = number(texts);
    made->ends_ms = number(texts);
    made->fingerprint = text(texts);
    made->generator_url = text(texts);
    made->ack_url = text(texts);
    made->ack_url = *made->ack_url != '\0' ? made->ack_url : NULL;
    made->labels = pairs(texts, &made->nlabels);
    made->annotations = pairs(texts, &made->nannotations);
    return made;
}

static void notification(struct texts *texts, struct tmon_notification *made)
{
    const struct tmon_alert **alerts;

    memset(made, 0, sizeof *made);
    made->size = (uint32_t)sizeof *made;
    made->attempt = (uint32_t)number(texts);
    made->id = text(texts);
    made->resolved = number(texts) != 0;
    made->ntruncated = (size_t)number(texts);
    made->group_key = text(texts);
    made->receiver = text(texts);
    made->external_url = text(texts);
    made->title = text(texts);
    made->text = text(texts);
    made->group = pairs(texts, &made->ngroup);
    made->nalerts = (size_t)number(texts);
    alerts = keep(texts, calloc(made->nalerts + 1, sizeof *alerts));
    for (size_t i = 0; i < made->nalerts; i++) {
        alerts[i] = alert(texts);
    }
    made->alerts = alerts;
}

static void response(struct texts *texts, struct tmon_response *made)
{
    memset(made, 0, sizeof *made);
    made->size = (uint32_t)sizeof *made;
    made->status = (int32_t)number(texts);
    made->retry_after_ms = number(texts);
    made->body.data = must(read_text(texts, &made->body.len));
    made->error = text(texts);
    made->error_phase = (int32_t)number(texts);
    made->headers = pairs(texts, &made->nheaders);
}

static void say_bytes(const void *data, size_t len)
{
    printf("%zu:", len);
    (void)fwrite(data, 1, len, stdout);
    putchar(',');
}

static void say(const char *words)
{
    say_bytes(words, strlen(words));
}

static void say_number(int64_t value)
{
    char digits[32];

    (void)snprintf(digits, sizeof digits, "%" PRId64, value);
    say(digits);
}

static void say_outcome(const struct mock_host *mock, tmon_rc rc)
{
    size_t logs = 0;

    while (mock_log_at(mock, logs) != NULL) {
        logs++;
    }
    say_number(rc);
    say_number(mock_retry_after(mock));
    say_number((int64_t)logs);
    for (size_t i = 0; i < logs; i++) {
        say_number(mock_log_at(mock, i)->level);
        say(mock_log_at(mock, i)->text);
    }
    say(mock_problem(mock));
}

static void say_request(const struct tmon_request *request)
{
    say(request->method);
    say(request->url);
    say_number((int64_t)request->nheaders);
    for (size_t i = 0; i < request->nheaders; i++) {
        say(request->headers[i].key);
        say(request->headers[i].value);
    }
    say_bytes(request->body.data, request->body.len);
}

static void answer(struct mock_host *mock, char question, struct texts *texts)
{
    struct tmon_notification given;
    struct tmon_response answered;
    const struct tmon_request *request;
    tmon_rc rc;

    switch (question) {
    case 'F':
        notification(texts, &given);
        rc = mock_format(mock, &given, &request);
        say_outcome(mock, rc);
        if (rc == TMON_OK) {
            say_request(request);
        }
        break;
    case 'D':
        notification(texts, &given);
        say_outcome(mock, mock_deliver(mock, &given, 1000));
        break;
    case 'J':
        response(texts, &answered);
        say_outcome(mock, mock_judge(mock, &answered));
        break;
    default:
        (void)must(NULL);
    }
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct texts *texts = must(calloc(1, sizeof *texts));
    struct mock_host *mock;
    const char *question;

    if (argc != 4) {
        fprintf(stderr, "usage: sink_harness FILE.so COMPONENT SETTINGS\n");
        return 2;
    }
    mock = mock_open(argv[1], argv[2], argv[3]);
    if (mock_error(mock)[0] != '\0') {
        fprintf(stderr, "sink_harness: %s\n", mock_error(mock));
        return 1;
    }
    say_outcome(mock, mock_create(mock, 5000));
    (void)fflush(stdout);
    while ((question = read_text(texts, NULL)) != NULL) {
        answer(mock, question[0], texts);
        for (size_t i = 0; i < texts->count; i++) {
            free(texts->owned[i]);
        }
        texts->count = 0;
    }
    mock_close(mock);
    free(texts);
    return 0;
}
