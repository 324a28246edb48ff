/*
 * kit_sink.c: what a sink makes of notifications, and of answers.
 *
 * Nothing is sent: format() and judge() have no effects, so they are called as often as one likes,
 * with what an agent would give them, the worst included.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/kit.h"
#include "fetch/flight.h"
#include "fetch/place.h"
#include "model/exchange.h"
#include "model/notification.h"

#define STARTED_MS INT64_C(1767323045678)
#define GROUP 20 /* alerts of a large notification */
#define RUNS 500 /* at least: they take a tenth of a millisecond, and leaks are small */
#define PATIENCE_NS (10 * NS_PER_S) /* for all of them */
#ifdef TMON_SANITIZED
#define GROWTH_KIB (512 << 10) /* a sanitizer keeps what was freed */
#else
#define GROWTH_KIB 1024 /* nothing has to be kept from one to the next */
#endif

/* Quotes, markup, a line end, a bell, a text that runs backwards, one above 16 bits, a template. */
#define HOSTILE "a\"b\\c <b>&amp;</b> '\r\nBcc: x\a \u202egnp.exe \U0001F525 {{x}} %s *_`~|"

struct sample {
    const char *what;
    size_t alerts, resolved;
    bool hostile, acked;
    size_t text_bytes; /* of a summary; 0: a usual one */
};

static const struct sample samples[] = {
    {.what = "an alert that fires", .alerts = 1},
    {.what = "an alert that is resolved", .alerts = 1, .resolved = 1},
    {.what = "hostile texts", .alerts = 1, .hostile = true},
    {.what = "texts of 64 KiB", .alerts = 1, .text_bytes = LIMIT_ALERT_TEXT_BYTES},
    {.what = "a group of 20", .alerts = GROUP, .resolved = 3},
    {.what = "a group of 20 hostile ones", .alerts = GROUP, .hostile = true},
    {.what = "an alert that somebody acknowledged", .alerts = 1, .acked = true},
};
#define SAMPLES (sizeof samples / sizeof samples[0])

static bool is_for(const struct sample *sample, const struct manifest_component *component)
{
    return sample->acked        ? component->flags & TMON_WANTS_ACKS
           : sample->alerts > 1 ? !(component->flags & TMON_ONE_ALERT)
                                : true;
}

/* ---- a notification ---- */

struct content {
    char *text; /* of the long ones */
    struct tmon_pair labels[3], annotations[3];
    char keys[GROUP][16];
    struct tmon_alert alerts[GROUP];
    const struct tmon_alert *list[GROUP];
};

static void fill_alert(const struct sample *sample, struct content *content, size_t i)
{
    const char *text = sample->hostile ? HOSTILE : content->text ? content->text : "it is at 92 %";
    struct tmon_alert *alert = &content->alerts[i];
    bool firing = i >= sample->resolved;

    (void)snprintf(content->keys[i], sizeof content->keys[i], "1.2.%zx", i + 1);
    *alert = (struct tmon_alert){
        .size = sizeof *alert,
        .severity = (tmon_severity)(TMON_SEVERITY_CRITICAL - i % 3),
        .firing = firing,
        .key = content->keys[i],
        .name = sample->hostile ? HOSTILE : "MemoryHigh",
        .summary = text,
        .description = text,
        .labels = content->labels,
        .nlabels = 3,
        .annotations = content->annotations,
        .nannotations = 3,
        .starts_ms = STARTED_MS,
        .ends_ms = firing ? 0 : STARTED_MS + 60000,
        .fingerprint = "0123456789abcdef",
        .generator_url = "",
        .ack_url = firing ? "https://monitor.example.com/ack/token" : NULL,
        .acked_by = sample->acked ? "ada" : NULL,
    };
    content->list[i] = alert;
}

/* -ENOMEM; -ENOBUFS: the texts of all together are more than an agent hands over. */
static int encode(const struct sample *sample, struct buf *buf)
{
    static const struct tmon_pair group[] = {{"alertname", "MemoryHigh"}};
    struct content *content = calloc(1, sizeof *content);
    const char *word = sample->hostile ? HOSTILE : "web-1";
    int r;

    if (!content) {
        return -ENOMEM;
    }
    if (sample->text_bytes) {
        content->text = malloc(sample->text_bytes + 1);
        if (!content->text) {
            free(content);
            return -ENOMEM;
        }
        memset(content->text, 'x', sample->text_bytes);
        content->text[sample->text_bytes] = '\0';
    }
    content->labels[0] = (struct tmon_pair){"alertname", "MemoryHigh"};
    content->labels[1] = (struct tmon_pair){"host", word};
    content->labels[2] = (struct tmon_pair){"severity", "critical"};
    content->annotations[0] =
        (struct tmon_pair){"description", content->text ? content->text : word};
    content->annotations[1] = (struct tmon_pair){"runbook_url", "https://wiki.example.com/r?a&b"};
    content->annotations[2] = (struct tmon_pair){"used", word};
    for (size_t i = 0; i < sample->alerts; i++) {
        fill_alert(sample, content, i);
    }
    const struct tmon_notification notification = {
        .size = sizeof notification,
        .attempt = 1,
        .id = "b0a7c1de-0000-4000-8000-000000000001",
        .resolved = sample->resolved == sample->alerts,
        .alerts = content->list,
        .nalerts = sample->alerts,
        .ntruncated = sample->alerts > 1 ? 7 : 0,
        .group = group,
        .ngroup = 1,
        .group_key = "{}:{alertname=\"MemoryHigh\"}",
        .receiver = "team",
        .external_url = "https://monitor.example.com",
        .title = "[FIRING:1] MemoryHigh",
        .text = word,
    };
    buf_clear(buf);
    r = notification_encode(buf, &notification);
    free(content->text);
    free(content);
    return r;
}

/* ---- what came of it ---- */

static const char *header(const struct tmon_request *request, const char *name)
{
    for (size_t i = 0; i < request->nheaders; i++) {
        if (strcasecmp(request->headers[i].key, name) == 0) {
            return request->headers[i].value;
        }
    }
    return NULL;
}

static void look_at_place(struct kit *kit, const struct tmon_request *request)
{
    struct flight_hosts hosts;
    struct place place;

    if (place_parse(request->url, &place) < 0) {
        kit_finding(kit, KIT_FAULT, "format: its URL is not a plain http or https one");
        return;
    }
    flight_hosts_init(&hosts, instance_settings(kit->instance));
    for (size_t i = 0; i < hosts.count; i++) {
        if (strcmp(hosts.names[i], place.host) == 0) {
            return;
        }
    }
    kit_finding(kit, KIT_FAULT,
                "format: an agent would not send to %s, which is in no URL setting: declare one "
                "(TMON_URL), with a default if need be",
                place.host);
}

static void look_at_body(struct kit *kit, const struct tmon_request *request, const char *what)
{
    const char *type = header(request, "content-type");
    const char *body = request->body.data;
    json_error_t error;
    json_t *document;

    if (request->body.len == 0) {
        return;
    }
    if (!type) {
        kit_finding(kit, KIT_NOTE, "format: a body without a Content-Type");
    } else if (strncasecmp(type, "application/json", 16) == 0) {
        document =
            json_loadb(body, request->body.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
        if (!document) {
            kit_finding(kit, KIT_FAULT, "format of %s: its body is no JSON: %s (byte %d)", what,
                        error.text, error.position);
        }
        json_decref(document);
    } else if (!utf8_valid(body, request->body.len)) {
        kit_finding(kit, KIT_NOTE, "format of %s: its body is not UTF-8", what);
    }
}

static void look_at_request(struct kit *kit, const char *what)
{
    struct tmon_request request;
    struct wire_reader reader;

    wire_reader_init(&reader, buf_str(&kit->request), kit->request.len);
    if (exchange_decode_request(&reader, &request) < 0) {
        kit_finding(kit, KIT_FAULT, "format of %s: an agent would not take its request", what);
        return;
    }
    look_at_place(kit, &request);
    look_at_body(kit, &request, what);
    exchange_finish_request(&request);
}

static void look_at_format(struct kit *kit, const struct sample *sample, struct buf *former)
{
    if (kit->overdue) {
        return;
    }
    if (kit->rc != TMON_OK) {
        kit_finding(kit, KIT_FAULT, "format of %s gives no request%s%s", sample->what,
                    *kit->message ? ": " : ": fill *ret_request, or log why not", kit->message);
        return;
    }
    look_at_request(kit, sample->what);
    if (former->len > 0 && (former->len != kit->request.len ||
                            memcmp(former->data, kit->request.data, former->len) != 0)) {
        kit_finding(kit, KIT_NOTE,
                    "format of %s gives another request when called again: can the far end see "
                    "that it is a repeat?",
                    sample->what);
    }
    buf_clear(former);
    buf_append(former, buf_str(&kit->request), kit->request.len);
}

/* Each sample twice in a row, and so on until all runs are done. */
static bool run_format(struct kit *kit, const struct manifest_component *component)
{
    uint32_t runs = kit->options.runs > RUNS ? kit->options.runs : RUNS, done = 0;
    int64_t end = clock_mono_ns() + PATIENCE_NS;
    size_t faults = kit->faults;
    int64_t *durations = calloc(runs, sizeof *durations);
    struct kit_holdings before = {-1, -1, -1}, after;
    bool alive = durations != NULL;
    struct buf args, former;
    size_t bytes = 0;
    char name[96];

    buf_init(&args, LIMIT_CALL_BYTES);
    buf_init(&former, LIMIT_CALL_RESULT_BYTES);
    for (size_t i = 0; alive && done < runs && clock_mono_ns() < end; i++) {
        const struct sample *sample = &samples[i / 2 % SAMPLES];

        if (!is_for(sample, component)) {
            continue;
        }
        if (i % 2 == 0) {
            buf_clear(&former);
        }
        if (encode(sample, &args) < 0) {
            kit_finding(kit, KIT_FAULT, "there is not enough memory to test it");
            break;
        }
        (void)snprintf(name, sizeof name, "format of %s", sample->what);
        alive = kit_call(kit, ABILITY_FORMAT, &args, name, kit->options.timeout_ms);
        if (!alive || kit->overdue) {
            break;
        }
        look_at_format(kit, sample, &former);
        bytes = kit->request.len > bytes ? kit->request.len : bytes;
        durations[done++] = kit->duration_ns;
        if (done == 2 * SAMPLES) { // all of them were there: from now on nothing is new
            before = kit_holdings(kit);
        }
    }
    if (alive && done > 2 * SAMPLES) {
        after = kit_holdings(kit);
        kit_compare(kit, "format", done - (uint32_t)(2 * SAMPLES), &before, &after, GROWTH_KIB);
    }
    if (alive && done > 0 && kit->faults == faults) {
        (void)snprintf(name, sizeof name, "requests of %zu bytes at most", bytes);
        kit_sum_up(kit, "format", durations, done, name);
    }
    buf_finish(&args);
    buf_finish(&former);
    free(durations);
    return alive;
}

/* ---- answers ---- */

static const struct {
    int32_t status;
    const char *body;
    size_t len;
} answers[] = {
    {200, "ok", 2},
    {202, "{}", 2},
    {204, "", 0},
    {400, "{\"error\": \"bad request\"}", 24},
    {401, "", 0},
    {403, "<html>", 6},
    {404, "{\"ok\": false", 12},
    {408, "", 0},
    {413, "{}", 2},
    {429, "{\"retry_after\": 1.5}", 20},
    {429, "\xff\0\xfe", 3},
    {500, "", 0},
    {503, "[[[[[[[[", 8},
};

static void look_at_judge(struct kit *kit, int32_t status)
{
    if (!kit_look_at_rc(kit, "judge")) {
        return;
    }
    if (status >= 400 && kit->rc == TMON_OK) {
        kit_finding(kit, KIT_FAULT,
                    "judge takes an answer of %d for delivered: the alert would be lost",
                    (int)status);
    } else if ((status == 408 || status == 429 || status >= 500) && kit->rc == TMON_REJECTED) {
        kit_finding(
            kit, KIT_FAULT,
            "judge rejects for good on a %d, which passes: the alert would be a dead letter; "
            "return TMON_RETRY",
            (int)status);
    } else if (kit->rc != TMON_OK && !*kit->message) {
        kit_finding(kit, KIT_NOTE, "judge logs nothing that says why a %d is no delivery",
                    (int)status);
    }
}

static bool run_judge(struct kit *kit, const struct manifest_component *component)
{
    static const struct tmon_pair headers[] = {{"content-type", "application/json"},
                                               {"retry-after", "7"}};
    struct buf args;
    bool alive = true;
    size_t n = 0, faults = kit->faults;

    buf_init(&args, LIMIT_CALL_BYTES);
    for (size_t i = 0; alive && i < sizeof answers / sizeof answers[0]; i++) {
        const struct tmon_response response = {
            .size = sizeof response,
            .status = answers[i].status,
            .retry_after_ms = answers[i].status == 429 ? 7000 : -1,
            .body = {answers[i].body, answers[i].len},
            .headers = headers,
            .nheaders = answers[i].status == 429 ? 2 : 1,
        };

        if (response.status < 300 && component->flags & TMON_2XX_IS_YES) {
            continue; // an agent does not ask
        }
        buf_clear(&args);
        if (exchange_encode_response(&args, &response) < 0) {
            kit_finding(kit, KIT_FAULT, "there is not enough memory to test it");
            break;
        }
        alive = kit_call(kit, ABILITY_JUDGE, &args, "judge", kit->options.timeout_ms);
        if (alive && !kit->overdue) {
            look_at_judge(kit, response.status);
            n++;
        }
    }
    if (alive && kit->faults == faults) {
        kit_finding(kit, KIT_GOOD, "judge: %zu answers", n);
    }
    buf_finish(&args);
    return alive;
}

bool kit_sink(struct kit *kit, const struct manifest_component *component)
{
    bool alive = run_format(kit, component);

    if (alive && component->abilities & ABILITY_JUDGE) {
        alive = run_judge(kit, component);
    }
    return alive;
}

bool kit_sink_in_a_hurry(struct kit *kit, int64_t timeout_ms)
{
    struct buf args;
    bool alive = false;

    buf_init(&args, LIMIT_CALL_BYTES);
    if (encode(&samples[0], &args) == 0) {
        alive = kit_call(kit, ABILITY_FORMAT, &args, "format", timeout_ms);
    }
    buf_finish(&args);
    return alive;
}
