/* What POST /api/v1/alerts takes: every member, every mistake, every limit, and JSON that means
 * ill. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "http/alerts_in.h"
#include "model/labels.h"

#define NOW_MS INT64_C(1767323045678) /* 2026-01-02T03:04:05.678Z */

static struct json_items_error error;

static struct alerts_in *parse_bytes(const char *body, size_t len)
{
    struct alerts_in *alerts = NULL;
    char *exact = malloc(len ? len : 1); /* without a NUL behind it, so that a sanitizer sees */
    int r;

    memcpy(exact, body, len);
    r = alerts_in_parse(exact, len, NOW_MS, &alerts, &error);
    free(exact);
    if (r < 0) {
        assert_null(alerts);
        assert_int_equal(r, r == -E2BIG ? -E2BIG : -EINVAL);
        assert_true(error.text[0]);
    }
    return alerts;
}

static struct alerts_in *parse(const char *body)
{
    return parse_bytes(body, strlen(body));
}

/* The one item of it. */
static const struct alerts_in_item *only(const struct alerts_in *alerts)
{
    assert_non_null(alerts);
    assert_int_equal(alerts->n, 1);
    return &alerts->items[0];
}

static const char *label(const struct alerts_in_item *item, const char *name)
{
    return labels_get(item->input.labels, item->input.nlabels, name);
}

static const char *annotation(const struct alerts_in_item *item, const char *name)
{
    return labels_get(item->input.annotations, item->input.nannotations, name);
}

/* ---- what is right ---- */

static void test_seed(void **state)
{
    struct alerts_in *alerts =
        parse(" {\"severity\": \"critical\", \"title\": \"Database connection failed\",\n"
              "\"message\": \"Unable to connect to primary database\",\n"
              "\"metadata\": {\"endpoint\": \"supabase\", \"retries\": 3}} \n");
    const struct alerts_in_item *item = only(alerts);

    assert_int_equal(item->status, ALERTS_IN_GOOD);
    assert_int_equal(alerts->good, 1);
    assert_true(alerts->firing);
    assert_int_equal(item->input.nlabels, 2);
    assert_string_equal(label(item, "alertname"), "Database connection failed");
    assert_string_equal(label(item, "severity"), "critical");
    assert_int_equal(item->input.nannotations, 3);
    assert_string_equal(annotation(item, "message"), "Unable to connect to primary database");
    assert_string_equal(annotation(item, "endpoint"), "supabase");
    assert_string_equal(annotation(item, "retries"), "3");
    assert_int_equal(item->input.source, ALERTS_API);
    assert_false(item->input.resolved);
    assert_int_equal(item->input.ttl_ms, 3600000);
    assert_int_equal(item->input.starts_ms, 0);
    assert_null(item->input.generator_url);
    assert_null(item->key);
    assert_null(item->note);
    assert_true(item->fingerprint == labels_fingerprint(item->input.labels, item->input.nlabels));
    alerts_in_destroy(alerts);
}

static void test_every_member(void **state)
{
    struct alerts_in *alerts =
        parse("{\"starts_at\":\"2026-01-02T03:00:00Z\",\"ttl\":\"5m\",\"status\":\"resolved\","
              "\"labels\":{\"zone\":\"b\",\"app\":\"shop\",\"empty\":\"\",\"severity\":\"info\"},"
              "\"key\":\"k-1\",\"metadata\":{\"a-b\":true,\"a_b\":null,\"message\":[1,2.5,\"x\"],"
              "\"9\":{\"q\":{}},\"\xc3\xa4\":-0.001,\"\":\"e\",\"none\":\"\"},"
              "\"message\":\"m\",\"title\":\"T\",\"severity\":\"info\"}");
    const struct alerts_in_item *item = only(alerts);

    assert_int_equal(item->status, ALERTS_IN_GOOD);
    assert_false(alerts->firing);
    assert_true(item->input.resolved);
    assert_int_equal(item->input.ttl_ms, 300000);
    assert_int_equal(item->input.starts_ms, INT64_C(1767322800000));
    assert_string_equal(item->key, "k-1");
    assert_int_equal(item->input.nlabels, 5);
    assert_string_equal(label(item, "key"), "k-1");
    assert_string_equal(label(item, "zone"), "b");
    assert_string_equal(label(item, "empty"), "");
    assert_string_equal(item->input.labels[0].key, "alertname");
    assert_string_equal(item->input.labels[1].key, "app");
    assert_string_equal(annotation(item, "message"), "m");
    assert_string_equal(annotation(item, "a_b"), "true");
    assert_string_equal(annotation(item, "a_b_2"), "null");
    assert_string_equal(annotation(item, "message_2"), "[1,2.5,\"x\"]");
    assert_string_equal(annotation(item, "_9"), "{\"q\":{}}");
    assert_string_equal(annotation(item, "_"), "-0.001");
    assert_string_equal(annotation(item, "__2"), "e");
    assert_int_equal(item->input.nannotations, 7);
    alerts_in_destroy(alerts);
}

static void test_null_is_not_given(void **state)
{
    struct alerts_in *alerts =
        parse("{\"title\":\"T\",\"severity\":\"info\",\"message\":null,\"metadata\":null,"
              "\"key\":null,\"labels\":null,\"status\":null,\"ttl\":null,\"starts_at\":null}");
    const struct alerts_in_item *item = only(alerts);

    assert_int_equal(item->status, ALERTS_IN_GOOD);
    assert_int_equal(item->input.nannotations, 0);
    assert_int_equal(item->input.nlabels, 2);
    alerts_in_destroy(alerts);
    alerts = parse("{\"title\":null,\"severity\":\"info\"}");
    assert_string_equal(only(alerts)->field, "title");
    alerts_in_destroy(alerts);
}

static int64_t ttl_of(const char *text)
{
    char body[256];
    struct alerts_in *alerts;
    const struct alerts_in_item *item;
    int64_t ms;

    (void)snprintf(body, sizeof body, "{\"title\":\"T\",\"severity\":\"info\",\"ttl\":%s}", text);
    alerts = parse(body);
    item = only(alerts);
    if (item->status == ALERTS_IN_REJECTED) {
        assert_string_equal(item->field, "ttl");
    }
    ms = item->status == ALERTS_IN_GOOD ? item->input.ttl_ms : -1;
    alerts_in_destroy(alerts);
    return ms;
}

static void test_ttl(void **state)
{
    static const char *const bad[] = {
        "0",         "-1",     "0.5",   "604801", "\"0\"",
        "\"999ms\"", "\"8d\"", "\"\"",  "\"1\"",  "\"1h \"",
        "true",      "[]",     "1e300", "-1e300", "99999999999999999999"};

    assert_int_equal(ttl_of("1"), 1000);
    assert_int_equal(ttl_of("1.5"), 1500);
    assert_int_equal(ttl_of("604800"), 604800000);
    assert_int_equal(ttl_of("\"1s\""), 1000);
    assert_int_equal(ttl_of("\"1h30m\""), 5400000);
    assert_int_equal(ttl_of("\"7d\""), 604800000);
    assert_int_equal(ttl_of("\"1w\""), 604800000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ttl_of(bad[i]), -1);
    }
}

static void test_starts_at(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"2026-01-02T03:04:05.678Z", NOW_MS},
        {"2026-01-02T03:08:00Z", NOW_MS}, /* a clock that is a little fast */
        {"2026-01-02T04:08:00+01:00", NOW_MS},
        {"1999-01-01T00:00:00Z", INT64_C(915148800000)},
        {"2026-01-02T03:10:00Z", -1},
        {"1970-01-01T00:00:00Z", -1},
        {"1960-01-01T00:00:00Z", -1},
        {"today", -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        struct alerts_in *alerts;

        (void)snprintf(body, sizeof body,
                       "{\"title\":\"T\",\"severity\":\"info\",\"starts_at\":\"%s\"}",
                       cases[i].text);
        alerts = parse(body);
        if (cases[i].ms < 0) {
            assert_int_equal(only(alerts)->status, ALERTS_IN_REJECTED);
            assert_string_equal(only(alerts)->field, "starts_at");
        } else {
            assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
            assert_int_equal(only(alerts)->input.starts_ms, cases[i].ms);
        }
        alerts_in_destroy(alerts);
    }
}

/* ---- mistakes in an item ---- */

static void test_mistakes(void **state)
{
    static const struct {
        const char *item, *field, *error;
    } cases[] = {
        {"17", "", "must be an object"},
        {"\"text\"", "", "must be an object"},
        {"null", "", "must be an object"},
        {"[{}]", "", "must be an object"},
        {"{}", "title", "is missing"},
        {"{\"severity\":\"info\"}", "title", "is missing"},
        {"{\"severity\":\"info\",\"title\":\"\"}", "title", "is missing"},
        {"{\"severity\":\"info\",\"title\":5}", "title", "must be a string"},
        {"{\"title\":\"T\"}", "severity", "is missing"},
        {"{\"title\":\"T\",\"labels\":{\"severity\":\"info\"}}", "severity", "is missing"},
        {"{\"title\":\"T\",\"severity\":\"crtical\"}", "severity", "did you mean 'critical'?"},
        {"{\"title\":\"T\",\"severity\":\"Critical\"}", "severity", "info, warning or critical"},
        {"{\"title\":\"T\",\"severity\":3}", "severity", "must be a string"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"message\":{}}", "message", "must be a string"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"metadata\":[]}", "metadata", "an object"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"metadata\":\"x\"}", "metadata", "an object"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"key\":1}", "key", "must be a string"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"status\":\"ok\"}", "status",
         "firing or resolved"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"status\":\"resolve\"}", "status",
         "did you mean 'resolved'?"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":[]}", "labels", "an object of strings"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"a\":1}}", "labels.a", "a string"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"a\":null}}", "labels.a", "a string"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"a-b\":\"c\"}}", "labels.a-b",
         "letters, digits and _"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"\":\"c\"}}", "labels.",
         "letters, digits and _"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"alertname\":\"U\"}}",
         "labels.alertname", "something else than title"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"severity\":\"warning\"}}",
         "labels.severity", "something else than severity"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"key\":\"a\",\"labels\":{\"key\":\"b\"}}",
         "labels.key", "something else than key"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"sevrity\":\"info\"}", "sevrity",
         "did you mean 'severity'?"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"annotations\":{}}", "annotations",
         "no such member"},
        {"{\"title\":\"a\\u0000b\",\"severity\":\"info\"}", "", "NUL"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"metadata\":{\"a\":[\"\\u0000\"]}}", "", "NUL"},
        {"{\"title\":\"T\",\"severity\":\"info\",\"metadata\":{\"\\u0000\":1}}", "", "NUL"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[512];
        struct alerts_in *alerts;

        (void)snprintf(body, sizeof body, "[{\"title\":\"good\",\"severity\":\"info\"},%s]",
                       cases[i].item);
        alerts = parse(body);
        assert_non_null(alerts);
        assert_int_equal(alerts->n, 2);
        assert_int_equal(alerts->good, 1);
        assert_int_equal(alerts->items[0].status, ALERTS_IN_GOOD);
        assert_int_equal(alerts->items[1].status, ALERTS_IN_REJECTED);
        assert_string_equal(alerts->items[1].field, cases[i].field);
        if (!strstr(alerts->items[1].error, cases[i].error)) {
            fail_msg("%s: %s", cases[i].item, alerts->items[1].error);
        }
        alerts_in_destroy(alerts);
    }
}

static void test_the_same_twice_is_no_contradiction(void **state)
{
    struct alerts_in *alerts =
        parse("{\"title\":\"T\",\"severity\":\"info\",\"key\":\"k\",\"labels\":"
              "{\"alertname\":\"T\",\"severity\":\"info\",\"key\":\"k\",\"x\":\"y\"}}");

    assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
    assert_int_equal(only(alerts)->input.nlabels, 4);
    alerts_in_destroy(alerts);
    /* a label called key is allowed without a key */
    alerts = parse("{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"key\":\"k\"}}");
    assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
    assert_string_equal(label(only(alerts), "key"), "k");
    alerts_in_destroy(alerts);
}

/* ---- limits ---- */

static char *repeat(const char *text, size_t n)
{
    size_t len = strlen(text);
    char *all = malloc(len * n + 1);

    for (size_t i = 0; i < n; i++) {
        memcpy(all + i * len, text, len);
    }
    all[len * n] = '\0';
    return all;
}

__attribute__((format(printf, 1, 2))) static struct alerts_in *parse_format(const char *format, ...)
{
    struct alerts_in *alerts;
    char *body = NULL;
    va_list args;

    va_start(args, format);
    assert_true(vasprintf(&body, format, args) > 0);
    va_end(args);
    alerts = parse(body);
    free(body);
    return alerts;
}

static void test_title_must_fit(void **state)
{
    char *fits = repeat("x", LIMIT_LABEL_VALUE_BYTES), *long_one = repeat("x", 2049);
    struct alerts_in *alerts = parse_format("{\"title\":\"%s\",\"severity\":\"info\"}", fits);

    assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
    alerts_in_destroy(alerts);
    alerts = parse_format("{\"title\":\"%s\",\"severity\":\"info\"}", long_one);
    assert_string_equal(only(alerts)->field, "title");
    assert_non_null(strstr(only(alerts)->error, "2049 bytes"));
    alerts_in_destroy(alerts);
    alerts = parse_format("{\"title\":\"T\",\"severity\":\"info\",\"key\":\"%s\"}", long_one);
    assert_string_equal(only(alerts)->field, "key");
    alerts_in_destroy(alerts);
    alerts =
        parse_format("{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"a\":\"%s\"}}", long_one);
    assert_string_equal(only(alerts)->field, "labels.a");
    alerts_in_destroy(alerts);
    alerts =
        parse_format("{\"title\":\"T\",\"severity\":\"info\",\"labels\":{\"%s\":\"a\"}}", long_one);
    assert_int_equal(only(alerts)->status, ALERTS_IN_REJECTED);
    assert_true(strlen(only(alerts)->field) < 200);
    alerts_in_destroy(alerts);
    free(fits);
    free(long_one);
}

static void test_labels_must_fit(void **state)
{
    char *value = repeat("v", 2000);
    struct buf body;

    for (size_t n = 60; n <= 70; n++) {
        struct alerts_in *alerts;

        buf_init(&body, SIZE_MAX / 2);
        buf_puts(&body, "{\"title\":\"T\",\"severity\":\"info\",\"labels\":{");
        for (size_t i = 0; i < n; i++) {
            buf_printf(&body, "%s\"l%zu\":\"v\"", i ? "," : "", i);
        }
        buf_puts(&body, "}}");
        alerts = parse(buf_str(&body));
        assert_int_equal(only(alerts)->status,
                         n + 2 <= LIMIT_PAIRS ? ALERTS_IN_GOOD : ALERTS_IN_REJECTED);
        alerts_in_destroy(alerts);
        buf_finish(&body);
    }
    buf_init(&body, SIZE_MAX / 2);
    buf_puts(&body, "{\"title\":\"T\",\"severity\":\"info\",\"labels\":{");
    for (size_t i = 0; i < 9; i++) {
        buf_printf(&body, "%s\"l%zu\":\"%s\"", i ? "," : "", i, value);
    }
    buf_puts(&body, "}}");
    {
        struct alerts_in *alerts = parse(buf_str(&body));

        assert_string_equal(only(alerts)->field, "labels");
        assert_non_null(strstr(only(alerts)->error, "16384"));
        alerts_in_destroy(alerts);
    }
    buf_finish(&body);
    free(value);
}

/* What only describes is cut, at a code point, and that is said. */
static void test_texts_are_cut(void **state)
{
    char *message = repeat("\xe2\x82\xac", 400000);
    struct alerts_in *alerts =
        parse_format("{\"title\":\"T\",\"severity\":\"info\",\"message\":\"%s\"}", message);
    const struct alerts_in_item *item = only(alerts);

    assert_int_equal(item->status, ALERTS_IN_GOOD);
    assert_int_equal(strlen(annotation(item, "message")), LIMIT_ALERT_TEXT_BYTES / 3 * 3);
    assert_string_equal(item->note, "long texts were cut");
    alerts_in_destroy(alerts);

    message[LIMIT_ALERT_TEXT_BYTES / 3 * 3] = '\0'; /* as much as fits */
    alerts = parse_format("{\"title\":\"T\",\"severity\":\"info\",\"message\":\"%s\",\"metadata\":"
                          "{\"a\":[\"%s\"],\"b\":\"%s\",\"c\":1}}",
                          message, message, message);
    item = only(alerts);
    assert_int_equal(item->status, ALERTS_IN_GOOD);
    assert_int_equal(strlen(annotation(item, "message")), LIMIT_ALERT_TEXT_BYTES / 3 * 3);
    assert_string_equal(annotation(item, "b"), "");
    assert_string_equal(annotation(item, "c"), "1");
    assert_non_null(strstr(item->note, "metadata was left out"));
    alerts_in_destroy(alerts);
    free(message);
}

static void test_much_metadata(void **state)
{
    struct buf body;
    struct alerts_in *alerts;

    buf_init(&body, SIZE_MAX / 2);
    buf_puts(&body, "{\"title\":\"T\",\"severity\":\"info\",\"message\":\"m\",\"metadata\":{");
    for (int i = 0; i < 500; i++) {
        buf_printf(&body, "%s\"a%d\":%d", i ? "," : "", i, i);
    }
    buf_puts(&body, "}}");
    alerts = parse(buf_str(&body));
    assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
    assert_int_equal(only(alerts)->input.nannotations, LIMIT_PAIRS);
    assert_string_equal(annotation(only(alerts), "a62"), "62");
    assert_string_equal(annotation(only(alerts), "a63"), "");
    assert_non_null(strstr(only(alerts)->note, "left out"));
    alerts_in_destroy(alerts);
    buf_finish(&body);

    /* names that all become the same one */
    buf_init(&body, SIZE_MAX / 2);
    buf_puts(&body, "{\"title\":\"T\",\"severity\":\"info\",\"metadata\":{");
    for (int i = 0; i < 500; i++) {
        buf_printf(&body, "%s\"%0*d\":%d", i ? "," : "", 300, i, i);
    }
    buf_puts(&body, "}}");
    alerts = parse(buf_str(&body));
    assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
    assert_int_equal(only(alerts)->input.nannotations, LIMIT_PAIRS);
    alerts_in_destroy(alerts);
    buf_finish(&body);
}

static void test_many_items(void **state)
{
    char *some = repeat("{\"title\":\"T\",\"severity\":\"info\"},", LIMIT_API_ALERTS - 1);
    struct alerts_in *alerts = parse_format("[%s{\"title\":\"U\",\"severity\":\"info\"}]", some);

    assert_non_null(alerts);
    assert_int_equal(alerts->n, LIMIT_API_ALERTS);
    assert_int_equal(alerts->good, LIMIT_API_ALERTS);
    assert_string_equal(label(&alerts->items[LIMIT_API_ALERTS - 1], "alertname"), "U");
    alerts_in_destroy(alerts);
    assert_null(parse_format("[%s{},{}]", some));
    assert_non_null(strstr(error.text, "there are 10001 alerts"));
    assert_int_equal(error.line, 0);
    free(some);
}

static void test_empty_list(void **state)
{
    struct alerts_in *alerts = parse(" [ ] ");

    assert_non_null(alerts);
    assert_int_equal(alerts->n, 0);
    assert_int_equal(alerts_in_status(alerts), 200);
    alerts_in_destroy(alerts);
}

/* ---- JSON that is none, or means ill ---- */

static void test_bad_json(void **state)
{
    static const struct {
        const char *body;
        size_t line, column; /* 0: not looked at */
    } cases[] = {
        {"", 1, 1},
        {"  \n ", 2, 2},
        {"17", 1, 1},
        {"\"text\"", 1, 1},
        {"null", 1, 1},
        {"\xef\xbb\xbf{}", 1, 1},
        {"{", 0, 0},
        {"{\"title\"", 0, 0},
        {"{\"title\":\"T}", 0, 0},
        {"{\"title\":\"T\",}", 1, 0},
        {"{'title':'T'}", 1, 0},
        {"{\"title\":T}", 1, 0},
        {"{}{}", 1, 0},
        {"{} x", 1, 0},
        {"{}]", 1, 3},
        {"[", 0, 0},
        {"[{}", 0, 0},
        {"[{},]", 1, 5},
        {"[,{}]", 1, 2},
        {"[{}{}]", 1, 0},
        {"[{}]]", 1, 5},
        {"[{}}", 0, 0},
        {"[{]}", 0, 0},
        {"[{},\n\n   {\"a\":}]", 3, 0},
        {"{\"a\":1,\"a\":2}", 1, 0},
        {"{\"metadata\":{\"a\":1,\"a\":2}}", 1, 0},
        {"{\"metadata\":{\"a\":1e400}}", 1, 0},
        {"{\"metadata\":{\"a\":01}}", 1, 0},
        {"{\"metadata\":{\"a\":NaN}}", 1, 0},
        {"{\"metadata\":{\"a\":+1}}", 1, 0},
        {"{\"title\":\"\xff\"}", 1, 0},
        {"{\"title\":\"\xc3\"}", 1, 0},
        {"{\"title\":\"\xed\xa0\x80\"}", 1, 0},
        {"{\"title\":\"\\ud800\"}", 1, 0},
        {"{\"title\":\"\\x41\"}", 1, 0},
        {"{\"title\":\"a\nb\"}", 0, 0},
        {"[{\"title\":\"T\",\"severity\":\"info\"} /* so */]", 1, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct alerts_in *alerts = parse(cases[i].body);

        if (alerts) {
            fail_msg("taken: %s", cases[i].body);
        }
        if (cases[i].line > 0) {
            assert_int_equal(error.line, cases[i].line);
        }
        if (cases[i].column > 0) {
            assert_int_equal(error.column, cases[i].column);
        }
    }
    assert_null(parse_bytes("{}\0", 3));
    assert_null(parse_bytes("\0", 1));
    assert_null(parse_bytes("{\"a\0b\":1}", 9));
}

static void test_position(void **state)
{
    assert_null(parse("[{\"title\":\"T\",\"severity\":\"info\"},\n {\"title\":\"\xc3\xa4\", x}]"));
    assert_int_equal(error.line, 2);
    assert_true(error.column >= 15 && error.column <= 17);
}

static void test_deep(void **state)
{
    for (size_t depth = 25; depth < 40; depth++) {
        char *open = repeat("[", depth), *close = repeat("]", depth);
        struct alerts_in *alerts =
            parse_format("{\"title\":\"T\",\"severity\":\"info\",\"metadata\":"
                         "{\"a\":%s%s}}",
                         open, close);

        assert_int_equal(only(alerts)->status,
                         depth + 2 <= LIMIT_API_DEPTH ? ALERTS_IN_GOOD : ALERTS_IN_REJECTED);
        alerts_in_destroy(alerts);
        free(open);
        free(close);
    }
    {
        char *open = repeat("[", 1000000);

        assert_null(parse(open));
        free(open);
        open = repeat("{\"a\":", 500000);
        alerts_in_destroy(parse(open));
        free(open);
    }
}

/* A tree takes much more memory than its text. */
static void test_bombs(void **state)
{
    char *many = repeat("{},", 100000);
    struct alerts_in *alerts = parse_format("{\"title\":\"T\",\"severity\":\"info\",\"metadata\":"
                                            "{\"a\":[%s{}]}}",
                                            many);

    assert_int_equal(only(alerts)->status, ALERTS_IN_REJECTED);
    assert_non_null(strstr(only(alerts)->error, "values"));
    alerts_in_destroy(alerts);
    free(many);
}

static void test_numbers(void **state)
{
    struct alerts_in *alerts = parse("{\"title\":\"T\",\"severity\":\"info\",\"metadata\":{"
                                     "\"a\":9223372036854775807,\"b\":0.1,\"c\":-5,\"d\":1e20,"
                                     "\"e\":[3.0,1e-7]}}");

    assert_string_equal(annotation(only(alerts), "a"), "9223372036854775807");
    assert_string_equal(annotation(only(alerts), "b"), "0.1");
    assert_string_equal(annotation(only(alerts), "c"), "-5");
    assert_string_equal(annotation(only(alerts), "d"), "100000000000000000000");
    assert_string_equal(annotation(only(alerts), "e"), "[3,1e-07]");
    alerts_in_destroy(alerts);
    /* an integer beyond 64 bits, as JavaScript writes large ones */
    alerts = parse("{\"title\":\"T\",\"severity\":\"info\",\"ttl\":60,\"metadata\":{"
                   "\"a\":18446744073709552000,\"b\":3}}");
    assert_int_equal(only(alerts)->status, ALERTS_IN_GOOD);
    assert_string_equal(annotation(only(alerts), "a"), "18446744073709552000");
    assert_string_equal(annotation(only(alerts), "b"), "3");
    assert_int_equal(only(alerts)->input.ttl_ms, 60000);
    alerts_in_destroy(alerts);
}

static void test_braces_in_strings(void **state)
{
    struct alerts_in *alerts = parse("[{\"title\":\"a]},\\\"[{\",\"severity\":\"info\"},"
                                     "{\"title\":\"\\\\\",\"severity\":\"info\"}]");

    assert_non_null(alerts);
    assert_int_equal(alerts->n, 2);
    assert_string_equal(label(&alerts->items[0], "alertname"), "a]},\"[{");
    assert_string_equal(label(&alerts->items[1], "alertname"), "\\");
    alerts_in_destroy(alerts);
}

/* ---- the answer ---- */

static json_t *answer_of(const struct alerts_in *alerts)
{
    struct buf buf;
    json_t *document;

    buf_init(&buf, SIZE_MAX / 2);
    alerts_in_answer(alerts, &buf);
    assert_false(buf.failed);
    document = json_loadb(buf.data, buf.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    buf_finish(&buf);
    return document;
}

static void test_answer(void **state)
{
    struct alerts_in *alerts = parse("[{\"title\":\"T\",\"severity\":\"info\",\"key\":\"a\\\"b\"},"
                                     "{\"title\":\"T\"},{\"title\":\"U\",\"severity\":\"info\"}]");
    json_t *document, *results;

    assert_int_equal(alerts->good, 2);
    alerts->items[0].status = ALERTS_IN_ACCEPTED;
    alerts->items[0].verdict = ALERTS_UPDATED;
    alerts->items[2].status = ALERTS_IN_REFUSED;
    document = answer_of(alerts);
    results = json_object_get(document, "results");
    assert_int_equal(json_array_size(results), 3);
    {
        const char *status, *alert, *fingerprint, *key, *field, *text;

        assert_int_equal(json_unpack(json_array_get(results, 0), "{s:s, s:s, s:s, s:s !}", "status",
                                     &status, "alert", &alert, "fingerprint", &fingerprint, "key",
                                     &key),
                         0);
        assert_string_equal(status, "accepted");
        assert_string_equal(alert, "updated");
        assert_int_equal(strlen(fingerprint), 16);
        assert_true(strtoull(fingerprint, NULL, 16) == alerts->items[0].fingerprint);
        assert_string_equal(key, "a\"b");
        assert_int_equal(json_unpack(json_array_get(results, 1), "{s:s, s:s, s:s !}", "status",
                                     &status, "error", &text, "field", &field),
                         0);
        assert_string_equal(status, "rejected");
        assert_string_equal(field, "severity");
        assert_int_equal(json_unpack(json_array_get(results, 2), "{s:s, s:s, s:s !}", "status",
                                     &status, "error", &text, "fingerprint", &fingerprint),
                         0);
        assert_string_equal(status, "refused");
    }
    json_decref(document);
    assert_int_equal(alerts_in_status(alerts), 429);
    alerts->items[2].status = ALERTS_IN_ACCEPTED;
    assert_int_equal(alerts_in_status(alerts), 207);
    alerts->items[0].status = alerts->items[2].status = ALERTS_IN_REJECTED;
    assert_int_equal(alerts_in_status(alerts), 400);
    alerts->items[0].status = alerts->items[1].status = alerts->items[2].status =
        ALERTS_IN_ACCEPTED;
    assert_int_equal(alerts_in_status(alerts), 200);
    alerts_in_destroy(alerts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_null_is_not_given),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_starts_at),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_the_same_twice_is_no_contradiction),
        cmocka_unit_test(test_title_must_fit),
        cmocka_unit_test(test_labels_must_fit),
        cmocka_unit_test(test_texts_are_cut),
        cmocka_unit_test(test_much_metadata),
        cmocka_unit_test(test_many_items),
        cmocka_unit_test(test_empty_list),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_braces_in_strings),
        cmocka_unit_test(test_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
