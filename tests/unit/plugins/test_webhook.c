/* plugins/webhook: what it posts, and what it makes of answers. */
#include "sink_kit.h"

#include <nettle/hmac.h>
#include <time.h>

#define URL "url: http://hooks.example:8080/in/secret-token-123?key=abcd\n"

static const char *header(const struct tmon_request *request, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < request->nheaders; i++) {
        if (strcmp(request->headers[i].key, name) == 0) {
            assert_null(value);
            value = request->headers[i].value;
        }
    }
    return value;
}

/* Formats, lets the checker look, and returns the body, parsed. */
static json_t *format(struct mock_host *mock, const struct tmon_notification *notification,
                      const struct tmon_request **ret_request)
{
    json_t *root;
    const char *why;

    assert_int_equal(mock_format(mock, notification, ret_request), TMON_OK);
    why = check_webhook((*ret_request)->body.data, (*ret_request)->body.len, &root);
    if (why != NULL) {
        fail_msg("%s: %.2000s", why, (const char *)(*ret_request)->body.data);
    }
    return root;
}

static const char *text_at(const json_t *root, const char *key, const char *inner)
{
    const json_t *value = json_object_get(root, key);

    return json_string_value(inner == NULL ? value : json_object_get(value, inner));
}

/* A capture of Alertmanager's, byte by byte, but for the three digits of its times. */
static void writes_what_alertmanager_writes(void **state)
{
    static const char expected[] =
        "{\"receiver\":\"hook\",\"status\":\"resolved\",\"alerts\":[{\"status\":\"resolved\","
        "\"labels\":{\"alertname\":\"A\",\"severity\":\"critical\"},\"annotations\":{},"
        "\"startsAt\":\"2026-11-23T17:01:49.719Z\",\"endsAt\":\"2026-11-23T17:01:53.61Z\","
        "\"generatorURL\":\"http://p/?a=1\\u0026b=\\u003c2\\u003e\",\"fingerprint\":"
        "\"b807e636403824b5\"}],\"groupLabels\":{\"alertname\":\"A\"},\"commonLabels\":"
        "{\"alertname\":\"A\",\"severity\":\"critical\"},\"commonAnnotations\":{},\"externalURL\":"
        "\"http://prom-host:19083\",\"version\":\"4\",\"groupKey\":"
        "\"{}/{severity=\\\"critical\\\"}:{alertname=\\\"A\\\"}\",\"truncatedAlerts\":3}\n";
    static const struct tmon_pair labels[] = {{"severity", "critical"}, {"alertname", "A"}};
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;

    c->alerts[0].labels = labels;
    c->alerts[0].nlabels = 2;
    c->alerts[0].nannotations = 0;
    c->alerts[0].firing = false;
    c->alerts[0].ends_ms = START_MS + 3891;
    c->alerts[0].generator_url = "http://p/?a=1&b=<2>";
    c->notification.resolved = true;
    c->notification.group = &labels[1];
    c->notification.group_key = "{}/{severity=\"critical\"}:{alertname=\"A\"}";
    c->notification.external_url = "http://prom-host:19083";
    c->notification.ntruncated = 3;
    json_decref(format(mock, &c->notification, &request));
    assert_int_equal(request->body.len, sizeof expected - 1);
    assert_memory_equal(request->body.data, expected, sizeof expected - 1);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "http://hooks.example:8080/in/secret-token-123?key=abcd");
    assert_int_equal(request->max_redirects, 0);
    free(c);
    kit_stop(mock);
}

static void times_lose_their_trailing_zeros(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {1577836800000, "2020-01-01T00:00:00Z"},    {1577836800100, "2020-01-01T00:00:00.1Z"},
        {1577836800010, "2020-01-01T00:00:00.01Z"}, {1582934399999, "2020-02-28T23:59:59.999Z"},
        {-1, "1969-12-31T23:59:59.999Z"},           {INT64_MIN, "0001-01-01T00:00:00Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;

    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *root;
        const json_t *alert;

        c->alerts[0].starts_ms = cases[i].ms;
        root = format(mock, &c->notification, &request);
        alert = json_array_get(json_object_get(root, "alerts"), 0);
        assert_string_equal(text_at(alert, "startsAt", NULL), cases[i].text);
        assert_string_equal(text_at(alert, "endsAt", NULL), "0001-01-01T00:00:00Z");
        json_decref(root);
    }
    free(c);
    kit_stop(mock);
}

static void tells_what_alerts_have_in_common(void **state)
{
    static const struct tmon_pair other[] = {{"alertname", "HighMemory"},
                                             {"a_new_one", "x"},
                                             {"instance", "web-2"},
                                             {"severity", "critical"}};
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(3);
    const struct tmon_request *request;
    json_t *root;

    c->alerts[1].labels = other; // not sorted
    c->alerts[1].nlabels = COUNT(other);
    c->alerts[2].nannotations = 0;
    sink_resolve(c, 0);
    root = format(mock, &c->notification, &request);
    assert_int_equal(json_object_size(json_object_get(root, "commonLabels")), 2);
    assert_string_equal(text_at(root, "commonLabels", "alertname"), "HighMemory");
    assert_string_equal(text_at(root, "commonLabels", "severity"), "critical");
    assert_int_equal(json_object_size(json_object_get(root, "commonAnnotations")), 0);
    assert_string_equal(text_at(root, "status", NULL), "firing");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void a_key_that_is_there_twice_counts_once(void **state)
{
    static const struct tmon_pair twice[] = {{"b", "1"}, {"a", "2"}, {"b", "3"}};
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;
    json_t *root;

    c->alerts[0].labels = twice;
    root = format(mock, &c->notification, &request);
    assert_int_equal(json_object_size(json_object_get(root, "commonLabels")), 2);
    assert_string_equal(text_at(root, "commonLabels", "b"), "3");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void a_message_goes_into_the_annotations(void **state)
{
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(0);
    const struct tmon_request *request;
    json_t *root;

    c->notification.title = "A digest";
    c->notification.text = "of 90 alerts";
    root = format(mock, &c->notification, &request);
    assert_int_equal(json_array_size(json_object_get(root, "alerts")), 0);
    assert_string_equal(text_at(root, "commonAnnotations", "summary"), "A digest");
    assert_string_equal(text_at(root, "commonAnnotations", "description"), "of 90 alerts");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void escapes_as_go_does(void **state)
{
    static const char expected[] = "\"summary\":\"\\u003ca\\u0026b\\u003e \\\"\\\\ \\n\\r\\t\\u0001"
                                   "\\u0008\x7f \\ufffd\\ufffd \xc3\xa9\xf0\x9f\x9a\xbd \\u2028 "
                                   "\xe2\x80\xae.\"";
    static const struct tmon_pair annotations[] = {
        {"summary", "<a&b> \"\\ \n\r\t\x01\b\x7f \xc0\xaf \xc3\xa9\xf0\x9f\x9a\xbd \xe2\x80\xa8 "
                    "\xe2\x80\xae."}};
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;

    c->alerts[0].annotations = annotations;
    json_decref(format(mock, &c->notification, &request));
    assert_non_null(memmem(request->body.data, request->body.len, expected, sizeof expected - 1));
    free(c);
    kit_stop(mock);
}

static void headers_say_which_delivery_it_is(void **state)
{
    struct mock_host *mock =
        kit_start("webhook", URL "headers: {Authorization: Bearer hush, X-Team: web}\n");
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;

    c->notification.id = "0d9f-17";
    c->notification.attempt = 3;
    json_decref(format(mock, &c->notification, &request));
    assert_string_equal(header(request, "Content-Type"), "application/json");
    assert_string_equal(header(request, "X-Toiletmon-Delivery"), "0d9f-17");
    assert_string_equal(header(request, "X-Toiletmon-Attempt"), "3");
    assert_string_equal(header(request, "Authorization"), "Bearer hush");
    assert_string_equal(header(request, "X-Team"), "web");
    assert_null(header(request, "X-Toiletmon-Signature"));
    c->notification.id = "a b\r\nX-Smuggled: yes%\xc3\xa9";
    json_decref(format(mock, &c->notification, &request));
    assert_string_equal(header(request, "X-Toiletmon-Delivery"),
                        "a%20b%0D%0AX-Smuggled:%20yes%25%C3%A9");
    free(c);
    kit_stop(mock);

    mock = kit_start("webhook", URL "headers: {content-type: application/json; charset=utf-8}\n");
    c = sink_case(1);
    json_decref(format(mock, &c->notification, &request));
    assert_null(header(request, "Content-Type"));
    free(c);
    kit_stop(mock);
}

static void a_secret_signs_time_and_body(void **state)
{
    struct mock_host *mock = kit_start("webhook", URL "secret: hush-hush\n");
    struct sink_case *c = sink_case(1);
    struct hmac_sha256_ctx hmac;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * sizeof digest + 1];
    const struct tmon_request *request;
    const char *signature;
    char *end;
    long long unix_s;

    json_decref(format(mock, &c->notification, &request));
    signature = header(request, "X-Toiletmon-Signature");
    assert_non_null(signature);
    assert_memory_equal(signature, "t=", 2);
    unix_s = strtoll(signature + 2, &end, 10);
    assert_true(llabs(unix_s - (long long)time(NULL)) < 30);
    assert_memory_equal(end, ",v1=", 4);
    hmac_sha256_set_key(&hmac, 9, (const uint8_t *)"hush-hush");
    hmac_sha256_update(&hmac, (size_t)(end - signature) - 2, (const uint8_t *)signature + 2);
    hmac_sha256_update(&hmac, 1, (const uint8_t *)".");
    hmac_sha256_update(&hmac, request->body.len, request->body.data);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(end + 4, hex);
    free(c);
    kit_stop(mock);
}

static void refuses_headers_that_cannot_be_sent(void **state)
{
    static const struct {
        const char *setting, *said;
    } cases[] = {
        {"headers: {\"a b\": x}\n", "no name of a header"},
        {"headers: {Content-Length: 3}\n", "set by the agent"},
        {"headers: {X-Toiletmon-Signature: 3}\n", "set by this component"},
        {"headers: {X-One: \"hush\thush\", X-Two: \"hush\x1fhush\"}\n", "control characters"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char settings[256];
        struct mock_host *mock;

        (void)snprintf(settings, sizeof settings, URL "%s", cases[i].setting);
        mock = mock_open(kit_plugin("webhook"), "webhook", settings);
        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, cases[i].said));
        assert_false(mock_said(mock, "hush"));
        mock_close(mock);
    }
}

static void judges_answers(void **state)
{
    static const struct {
        int32_t status;
        int64_t retry_after_ms;
        tmon_rc rc;
        int64_t retry;
    } cases[] = {
        {200, -1, TMON_OK, -1},          {204, -1, TMON_OK, -1},
        {299, 5000, TMON_OK, -1},        {301, -1, TMON_REJECTED, -1},
        {400, 5000, TMON_REJECTED, -1},  {401, -1, TMON_REJECTED, -1},
        {404, -1, TMON_REJECTED, -1},    {408, -1, TMON_RETRY, -1},
        {429, 30000, TMON_RETRY, 30000}, {429, -1, TMON_RETRY, -1},
        {500, -1, TMON_RETRY, -1},       {503, 0, TMON_RETRY, 0},
    };
    struct mock_host *mock = kit_start("webhook", URL);

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tmon_response response =
            sink_answer(cases[i].status, "because", cases[i].retry_after_ms);

        assert_int_equal(mock_judge(mock, &response), cases[i].rc);
        assert_int_equal(mock_retry_after(mock), cases[i].retry);
        assert_int_equal(mock_said(mock, "because"), cases[i].rc != TMON_OK);
    }
    kit_stop(mock);
}

static void judges_silence(void **state)
{
    static const struct {
        int32_t phase;
        tmon_rc rc;
    } cases[] = {
        {TMON_PHASE_RESOLVE, TMON_RETRY},    {TMON_PHASE_CONNECT, TMON_RETRY},
        {TMON_PHASE_TLS, TMON_RETRY},        {TMON_PHASE_ANSWER, TMON_AMBIGUOUS},
        {TMON_PHASE_REFUSED, TMON_REJECTED},
    };
    struct mock_host *mock = kit_start("webhook", URL);

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tmon_response response = sink_answer(0, "", -1);

        response.error = "it is not there";
        response.error_phase = cases[i].phase;
        assert_int_equal(mock_judge(mock, &response), cases[i].rc);
        assert_true(mock_said(mock, "it is not there"));
    }
    kit_stop(mock);
}

static void secrets_stay_out_of_what_it_says(void **state)
{
    static const char *const answers[] = {
        "Cannot POST /in/secret-token-123?key=abcd",
        "no such token: secret-token-123",
        "bad key abcd",
        "you sent: Authorization: Bearer hush-hush",
        "you sent hush-hush with signing-key",
        "\x1b[31msecret-token-123\x01\n\xff abcd\xe2\x80\xae",
    };
    struct mock_host *mock = kit_start(
        "webhook", URL "secret: signing-key\nheaders: {Authorization: Bearer hush-hush}\n");

    for (size_t i = 0; i < COUNT(answers); i++) {
        const struct tmon_response response = sink_answer(404, answers[i], -1);
        const char *text;

        assert_int_equal(mock_judge(mock, &response), TMON_REJECTED);
        assert_false(mock_said(mock, "secret-token-123"));
        assert_false(mock_said(mock, "abcd"));
        assert_false(mock_said(mock, "hush-hush"));
        assert_false(mock_said(mock, "signing-key"));
        assert_false(mock_said(mock, "\x1b"));
        assert_false(mock_said(mock, "\xe2\x80\xae"));
        text = mock_log_at(mock, 0)->text;
        assert_non_null(strstr(text, "the receiver answered 404: "));
        assert_non_null(strstr(text, "***"));
        assert_null(strchr(text, '\n'));
    }
    kit_stop(mock);
}

/* At the end of what is looked at of an answer, too, wherever that falls. */
static void secrets_are_hidden_also_where_they_are_cut(void **state)
{
    struct mock_host *mock = kit_start("webhook", URL);
    char body[4200];

    for (size_t before = 0; before < 40; before++) {
        struct tmon_response response;
        size_t len = 0;

        memset(body, '.', before);
        for (len = before; len + 16 < sizeof body; len += 16) {
            memcpy(body + len, "secret-token-123", 16);
        }
        response = sink_answer(400, "", -1);
        response.body.data = body;
        for (response.body.len = len; response.body.len > len - 20; response.body.len--) {
            assert_int_equal(mock_judge(mock, &response), TMON_REJECTED);
            assert_false(mock_said(mock, "secr"));
        }
        response.body.len = before + 16 * 20 + 9; // the agent cut it
        response.truncated = true;
        assert_int_equal(mock_judge(mock, &response), TMON_REJECTED);
        assert_false(mock_said(mock, "secr"));
    }
    kit_stop(mock);
}

static void long_answers_and_pages_are_cut(void **state)
{
    char *body = sink_repeat("no \xc3\xa9 way ", 100000);
    struct tmon_response response = sink_answer(400, body, -1);
    struct mock_host *mock = kit_start("webhook", URL);

    assert_int_equal(mock_judge(mock, &response), TMON_REJECTED);
    assert_true(strlen(mock_log_at(mock, 0)->text) < 400);
    assert_true(mock_said(mock, "..."));
    response = sink_answer(502, "\n <html><body>Bad Gateway</body></html>", -1);
    assert_int_equal(mock_judge(mock, &response), TMON_RETRY);
    assert_string_equal(mock_log_at(mock, 0)->text, "the receiver answered 502");
    response = sink_answer(302, "", -1);
    assert_int_equal(mock_judge(mock, &response), TMON_REJECTED);
    assert_true(mock_said(mock, "a redirect"));
    free(body);
    kit_stop(mock);
}

static void hostile_texts_make_good_documents(void **state)
{
    struct mock_host *mock = kit_start("webhook", URL "secret: x\n");
    struct sink_case *c = sink_case(2);
    const struct tmon_request *request;

    for (size_t i = 0; i < COUNT(sink_hostile); i++) {
        const char *text = sink_hostile[i];
        const struct tmon_pair pairs[] = {{text, text}, {"summary", text}};

        c->alerts[1].labels = c->alerts[1].annotations = c->notification.group = pairs;
        c->alerts[1].nlabels = c->alerts[1].nannotations = 2;
        c->alerts[1].name = c->alerts[1].summary = c->alerts[1].description = text;
        c->alerts[1].generator_url = c->alerts[1].fingerprint = text;
        c->notification.title = c->notification.text = c->notification.group_key = text;
        c->notification.receiver = c->notification.external_url = c->notification.id = text;
        json_decref(format(mock, &c->notification, &request));
        c->notification.nalerts = 0;
        json_decref(format(mock, &c->notification, &request));
        c->notification.nalerts = 2;
    }
    free(c);
    kit_stop(mock);
}

static void storms_fit(void **state)
{
    char *big = sink_repeat("\x01", 1 << 20), *value = sink_repeat("\xc3\xa9", 1024);
    struct tmon_pair labels[64];
    char keys[64][16];
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(200);
    const struct tmon_pair annotation = {"description", big};
    const struct tmon_request *request;
    json_t *root;

    for (size_t i = 0; i < 64; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "key_%02zu", i);
        labels[i].key = keys[i];
        labels[i].value = value;
    }
    for (size_t i = 0; i < 200; i++) { // one text of 1 MiB of control characters each
        c->alerts[i].annotations = &annotation;
    }
    root = format(mock, &c->notification, &request);
    assert_int_equal(json_array_size(json_object_get(root, "alerts")), 200);
    assert_true(mock_said(mock, "its texts are cut at 2048 bytes, and 200 of 200"));
    json_decref(root);

    for (size_t i = 0; i < 200; i++) { // all labels as long as they may be
        c->alerts[i].labels = labels;
        c->alerts[i].nlabels = 64;
    }
    root = format(mock, &c->notification, &request);
    assert_int_equal(json_array_size(json_object_get(root, "alerts")), 200);
    json_decref(root);

    for (size_t i = 0; i < 200; i++) { // what is not cut is left out, and counted
        c->alerts[i].generator_url = big;
    }
    c->notification.ntruncated = 7;
    root = format(mock, &c->notification, &request);
    assert_int_equal(json_array_size(json_object_get(root, "alerts")), 1);
    assert_int_equal(json_integer_value(json_object_get(root, "truncatedAlerts")), 206);
    json_decref(root);

    c->notification.nalerts = 1; // the next one is whole again
    c->notification.ntruncated = 0;
    c->alerts[0] = c->alerts[300];
    root = format(mock, &c->notification, &request);
    assert_true(request->body.len < 1000);
    json_decref(root);
    free(big);
    free(value);
    free(c);
    kit_stop(mock);
}

static void what_never_fits_is_rejected(void **state)
{
    char *big = sink_repeat("\x01", 2 << 20);
    struct mock_host *mock = kit_start("webhook", URL);
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;

    c->notification.group_key = big;
    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_REJECTED);
    assert_true(mock_said(mock, "even without alerts"));
    free(big);
    free(c);
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_alertmanager_writes),
        cmocka_unit_test(times_lose_their_trailing_zeros),
        cmocka_unit_test(tells_what_alerts_have_in_common),
        cmocka_unit_test(a_key_that_is_there_twice_counts_once),
        cmocka_unit_test(a_message_goes_into_the_annotations),
        cmocka_unit_test(escapes_as_go_does),
        cmocka_unit_test(headers_say_which_delivery_it_is),
        cmocka_unit_test(a_secret_signs_time_and_body),
        cmocka_unit_test(refuses_headers_that_cannot_be_sent),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(judges_silence),
        cmocka_unit_test(secrets_stay_out_of_what_it_says),
        cmocka_unit_test(secrets_are_hidden_also_where_they_are_cut),
        cmocka_unit_test(long_answers_and_pages_are_cut),
        cmocka_unit_test(hostile_texts_make_good_documents),
        cmocka_unit_test(storms_fit),
        cmocka_unit_test(what_never_fits_is_rejected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
