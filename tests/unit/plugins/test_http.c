/* plugins/http: what it makes of answers, which the mock host gives. */
#include "kit.h"

#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define URL "url: http://target.example/\n"

static struct tmon_response answer(int32_t status, const char *body)
{
    return (struct tmon_response){
        .size = sizeof(struct tmon_response),
        .status = status,
        .retry_after_ms = -1,
        .body = {body, strlen(body)},
        .error = "",
        .http_version = 11,
        .resolve_us = 1000,
        .connect_us = 2000,
        .first_byte_us = 4000,
        .total_us = 10000,
    };
}

static tmon_verdict verdict_of(const char *settings, const struct tmon_response *response,
                               const char *said)
{
    struct mock_host *mock = kit_start("http", settings);
    tmon_verdict verdict;

    mock_answer(mock, response);
    assert_int_equal(mock_check(mock, 2000), TMON_OK);
    verdict = mock_verdict(mock);
    if (said != NULL && !mock_said(mock, said)) {
        fail_msg("%s: did not say \"%s\" but \"%s\"", settings, said,
                 mock_report_on(mock, NULL)->text);
    }
    kit_stop(mock);
    return verdict;
}

static void details_and_metrics(void **state)
{
    static const struct tmon_pair headers[] = {{"content-length", "5"}, {"x-thing", "one"}};
    struct mock_host *mock = kit_start("http", URL);
    struct tmon_response response = answer(200, "hello");

    response.headers = headers;
    response.nheaders = COUNT(headers);
    response.redirects = 1;
    mock_answer(mock, &response);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_near(mock_detail(mock, "responseTime"), 10);
    kit_near(mock_detail(mock, "statusCode"), 200);
    kit_near(mock_detail(mock, "phases.resolve"), 1);
    kit_near(mock_detail(mock, "phases.connect"), 2);
    kit_near(mock_detail(mock, "phases.firstByte"), 4);
    assert_true(isnan(mock_detail(mock, "phases.tls")));
    assert_string_equal(mock_request_at(mock, 0)->method, "GET");
    assert_string_equal(mock_request_at(mock, 0)->headers, "Connection: close\n");

    assert_int_equal(mock_collect(mock, 1000), TMON_OK); // shows what the check saw
    assert_null(mock_request_at(mock, 0));
    kit_near(mock_value(mock, "probe_success"), 1);
    kit_near(mock_value(mock, "probe_duration_seconds"), 0.010);
    kit_near(mock_value(mock, "probe_http_status_code"), 200);
    kit_near(mock_value(mock, "probe_http_duration_seconds{phase=\"connect\"}"), 0.002);
    kit_near(mock_value(mock, "probe_http_duration_seconds{phase=\"transfer\"}"), 0.003);
    kit_near(mock_value(mock, "probe_http_content_length"), 5);
    kit_near(mock_value(mock, "probe_http_version"), 1.1);
    kit_near(mock_value(mock, "probe_http_redirects"), 1);
    assert_true(isnan(mock_value(mock, "probe_ssl_earliest_cert_expiry")));
    kit_stop(mock);
}

static void one_request_serves_both(void **state)
{
    struct mock_host *mock = kit_start("http", URL);
    struct tmon_response response = answer(200, "");

    mock_answer(mock, &response);
    assert_int_equal(mock_collect(mock, 1000), TMON_OK); // nothing there: asks
    assert_non_null(mock_request_at(mock, 0));
    assert_int_equal(mock_check(mock, 1000), TMON_OK); // just asked
    assert_null(mock_request_at(mock, 0));
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    mock_answer(mock, &response);
    assert_int_equal(mock_check(mock, 1000), TMON_OK); // a check never shows the same twice
    assert_non_null(mock_request_at(mock, 0));
    assert_int_equal(mock_collect(mock, 1000), TMON_OK);
    assert_null(mock_request_at(mock, 0));
    mock_answer(mock, &response);
    assert_int_equal(mock_collect(mock, 1000), TMON_OK); // nor does a collection
    assert_non_null(mock_request_at(mock, 0));
    kit_stop(mock);
}

static void judges_the_status(void **state)
{
    static const struct {
        const char *setting;
        int status;
        tmon_verdict verdict;
    } cases[] = {
        {"", 200, TMON_PASS},
        {"", 299, TMON_PASS},
        {"", 301, TMON_FAIL},
        {"", 500, TMON_FAIL},
        {"expect_status: [404]\n", 404, TMON_PASS},
        {"expect_status: [404]\n", 200, TMON_FAIL},
        {"expect_status: [2xx, 301-303]\n", 302, TMON_PASS},
        {"expect_status: [2xx, 301-303]\n", 304, TMON_FAIL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tmon_response response = answer(cases[i].status, "");
        char settings[256];

        (void)snprintf(settings, sizeof settings, URL "%s", cases[i].setting);
        assert_int_equal(verdict_of(settings, &response, NULL), cases[i].verdict);
    }
}

static void judges_body_and_headers(void **state)
{
    static const struct tmon_pair headers[] = {{"set-cookie", "a=1"}, {"set-cookie", "b=2"}};
    static const struct {
        const char *setting, *said;
    } cases[] = {
        {"body_contains: healthy\n", NULL},
        {"body_contains: ill\n", "does not contain \"ill\""},
        {"body_pattern: \"status.*:.*healthy\"\n", NULL},
        {"body_pattern: \"^healthy\"\n", "does not match body_pattern"},
        {"header: {Set-Cookie: \"^b=\"}\n", NULL},
        {"header: {set-cookie: \"^c=\"}\n", "the header set-cookie does not match"},
        {"header: {x-frame: .}\n", "the header x-frame is missing"},
        {"body_contains: ill\nheader: {x-frame: .}\n", "\"ill\"; the header x-frame"},
    };
    struct tmon_response response = answer(200, "{\"status\": \"healthy\"}");

    response.headers = headers;
    response.nheaders = COUNT(headers);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char settings[256];

        (void)snprintf(settings, sizeof settings, URL "%s", cases[i].setting);
        assert_int_equal(verdict_of(settings, &response, cases[i].said),
                         cases[i].said ? TMON_FAIL : TMON_PASS);
    }
    response.truncated = true;
    assert_int_equal(verdict_of(URL "body_contains: ill\n", &response, "only its beginning"),
                     TMON_FAIL);
}

static void patterns_keep_the_deadline(void **state)
{
    struct mock_host *mock = kit_start("http", URL "body_pattern: \"a{0,500}a{0,500}[bc]\"\n");
    struct tmon_response response;
    struct timespec from, to;
    char *body = malloc(100001);

    memset(body, 'a', 100000);
    memcpy(body + 99999, "!", 2);
    response = answer(200, body);
    mock_answer(mock, &response);
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_int_equal(mock_check(mock, 300), TMON_OK);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "takes too long"));
    assert_true((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9 < 5);
    free(body);
    kit_stop(mock);
}

static void judges_the_certificate(void **state)
{
    static const struct {
        const char *setting;
        double days;
        tmon_verdict verdict;
    } cases[] = {
        {"", 15, TMON_PASS},
        {"", 13, TMON_WARN},
        {"", -1, TMON_WARN},
        {"tls_warn_days: 0\n", 1, TMON_PASS},
        {"tls_fail_days: 3\n", 2, TMON_FAIL},
        {"tls_fail_days: 3\n", 4, TMON_WARN},
        {"tls_fail_days: 3\ninsecure: true\n", -5, TMON_FAIL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tmon_response response = answer(200, "");
        char settings[256];

        response.tls_us = 100;
        response.certificate_expires_ms =
            ((int64_t)time(NULL) + (int64_t)(cases[i].days * 86400)) * 1000;
        (void)snprintf(settings, sizeof settings, URL "%s", cases[i].setting);
        assert_int_equal(
            verdict_of(settings, &response, cases[i].verdict ? "the certificate r" : NULL),
            cases[i].verdict);
    }
}

static void tells_where_it_failed(void **state)
{
    struct mock_host *mock = kit_start("http", URL);
    struct tmon_response response = answer(0, "");

    response.error = "cannot resolve the name target.example: it is not known";
    response.error_phase = TMON_PHASE_RESOLVE;
    mock_answer(mock, &response);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "cannot resolve"));
    assert_string_equal(mock_detail_text(mock, "failed"), "resolve");
    assert_true(isnan(mock_detail(mock, "responseTime")));
    assert_int_equal(mock_collect(mock, 1000), TMON_OK);
    kit_near(mock_value(mock, "probe_success"), 0);
    kit_near(mock_value(mock, "probe_http_status_code"), 0);
    assert_true(isnan(mock_value(mock, "probe_http_version")));
    kit_stop(mock);
}

static void warns_when_slow(void **state)
{
    struct tmon_response response = answer(200, "");

    assert_int_equal(verdict_of(URL "slow_warn: 9ms\n", &response, "it took 10 ms"), TMON_WARN);
    assert_int_equal(verdict_of(URL "slow_warn: 11ms\n", &response, NULL), TMON_PASS);
}

static void sends_what_it_is_told(void **state)
{
    struct mock_host *mock =
        kit_start("http", URL "method: POST\nrequest_body: ping\n"
                              "request_headers: {Authorization: Bearer hush}\n");
    struct tmon_response response = answer(401, "");

    mock_answer(mock, &response);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_string_equal(mock_request_at(mock, 0)->method, "POST");
    assert_string_equal(mock_request_at(mock, 0)->body, "ping");
    assert_string_equal(mock_request_at(mock, 0)->headers,
                        "Connection: close\nAuthorization: Bearer hush\n");
    assert_false(mock_said(mock, "hush"));
    kit_stop(mock);
}

static void refuses_bad_settings(void **state)
{
    static const struct {
        const char *setting, *said;
    } cases[] = {
        {"expect_status: [ok]\n", "expect_status: \"ok\" is no status"},
        {"expect_status: [299-200]\n", "is no status"},
        {"body_pattern: \"(a\"\n", "body_pattern: the regular expression"},
        {"header: {x: \"[\"}\n", "header: the regular expression"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char settings[256];
        struct mock_host *mock;

        (void)snprintf(settings, sizeof settings, URL "%s", cases[i].setting);
        mock = mock_open(kit_plugin("http"), "http", settings);
        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, cases[i].said));
        mock_close(mock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(details_and_metrics),    cmocka_unit_test(one_request_serves_both),
        cmocka_unit_test(judges_the_status),      cmocka_unit_test(judges_body_and_headers),
        cmocka_unit_test(judges_the_certificate), cmocka_unit_test(patterns_keep_the_deadline),
        cmocka_unit_test(tells_where_it_failed),  cmocka_unit_test(warns_when_slow),
        cmocka_unit_test(sends_what_it_is_told),  cmocka_unit_test(refuses_bad_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
