/* tests/plugin/mock_host.c: what authors of plugins lean on has to hold itself. */
#include "kit.h"

static const struct tmon_option group[] = {
    {"url", TMON_URL, TMON_REQUIRED, NULL, 0, 0, NULL, "", NULL},
    {"weight", TMON_FLOAT, 0, "0.5", 0, 1, NULL, "", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static const struct tmon_option options[] = {
    {"word", TMON_STRING, TMON_REQUIRED, NULL, 0, 0, NULL, "", NULL},
    {"wait", TMON_DURATION, 0, "5m", 1, 1e9, NULL, "", NULL},
    {"room", TMON_BYTES, 0, "64KiB", 0, 0, NULL, "", NULL},
    {"side", TMON_CHOICE, 0, "left", 0, 0, "left|right", "", NULL},
    {"loud", TMON_BOOL, 0, NULL, 0, 0, NULL, "", NULL},
    {"names", TMON_LIST, 0, "a, b[0-9]*", 0, 0, NULL, "", NULL},
    {"headers", TMON_MAP, 0, NULL, 0, 0, NULL, "", NULL},
    {"targets", TMON_GROUPS, 0, NULL, 0, 0, NULL, "", group},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct seen {
    const struct tmon_config *config;
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct seen *seen = self;

    seen->config = config;
    return TMON_OK;
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    const struct seen *seen = self;
    const struct tmon_config *config = seen->config;

    tmon_detail_text(call, "word", tmon_config_string(call, config, "word"));
    tmon_detail(call, "wait", (double)tmon_config_int(call, config, "wait"));
    tmon_detail(call, "room", (double)tmon_config_int(call, config, "room"));
    tmon_detail_text(call, "side", tmon_config_string(call, config, "side"));
    tmon_detail(call, "loud", tmon_config_bool(call, config, "loud"));
    for (size_t i = 0; i < tmon_config_count(call, config, "names"); i++) {
        tmon_detail_item(call, "names", tmon_config_item(call, config, "names", i));
    }
    for (size_t i = 0; i < tmon_config_count(call, config, "headers"); i++) {
        const struct tmon_pair pair = tmon_config_pair(call, config, "headers", i);

        tmon_detail_text(call, pair.key, pair.value);
    }
    for (size_t i = 0; i < tmon_config_count(call, config, "targets"); i++) {
        const struct tmon_config *target = tmon_config_group(call, config, "targets", i);

        tmon_detail_item(call, "urls", tmon_config_string(call, target, "url"));
        tmon_detail(call, "weight", tmon_config_float(call, target, "weight"));
    }
    tmon_detail(call, "has_loud", tmon_config_has(call, config, "loud"));
    tmon_report(call, "one", TMON_WARN, "a little");
    return TMON_OK;
}

static tmon_rc collect_badly(struct tmon_call *call, void *self)
{
    tmon_gauge(call, "same", NULL, 1, NULL, 0);
    tmon_gauge(call, "same", NULL, 2, NULL, 0);
    return TMON_OK;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    const struct tmon_pair labels[] = {{"z", "last"}, {"a", "quo\"te"}, {"empty", ""}};

    tmon_counter(call, "things_total", "Things.", 42, labels, 3);
    return TMON_OK;
}

static tmon_rc fetch(struct tmon_call *call, void *self)
{
    const struct tmon_pair pairs[] = {{"text", "say \"hi\"\n"}};
    const struct tmon_response *response;
    struct tmon_request request;
    tmon_rc rc;

    memset(&request, 0, sizeof request);
    request.size = (uint32_t)sizeof request;
    (void)tmon_json_request(&request, "http://127.0.0.1:8080/in", tmon_json(call, pairs, 1));
    rc = tmon_http(call, &request, &response);
    tmon_log(call, TMON_INFO, "status %d: %.*s", (int)response->status, (int)response->body.len,
             (const char *)response->body.data);
    request.url = "http://127.0.0.2/elsewhere";
    assert_int_equal(tmon_http(call, &request, &response), TMON_REJECTED);
    assert_int_equal(response->error_phase, TMON_PHASE_REFUSED);
    return rc;
}

static const struct tmon_component good = {
    .size = sizeof good,
    .name = "good",
    .summary = "",
    .options = options,
    .state_size = sizeof(struct seen),
    .create = create,
    .check = check,
    .collect = collect,
};
static const struct tmon_component bad = {
    .size = sizeof bad,
    .name = "bad",
    .summary = "",
    .collect = collect_badly,
};
static const struct tmon_component http = {
    .size = sizeof http,
    .name = "http",
    .summary = "",
    .options = options,
    .state_size = sizeof(struct seen),
    .create = create,
    .check = fetch,
};
static const struct tmon_component *const components[] = {&good, &bad, &http, NULL};

TMON_PLUGIN("test", "1", "Apache-2.0", components)

static void settings_of_all_types_arrive(void **state)
{
    struct mock_host *mock =
        mock_of(toiletmon_plugin(), "good",
                "word: \"a # b\"  # comment\n"
                "\n# a comment\nwait: 30s\nroom: 10MB\nside: right\nloud: true\n"
                "names: [x, \"y, z\"]\nheaders: {X-One: 1, X-Two: two}\n"
                "targets[0].url: http://a/\ntargets[1].url: https://b/\n"
                "targets[1].weight: 0.25\n");

    assert_string_equal(mock_error(mock), "");
    assert_int_equal(mock_create(mock, 100), TMON_OK);
    assert_int_equal(mock_check(mock, 100), TMON_OK);
    assert_string_equal(mock_detail_text(mock, "word"), "a # b");
    kit_near(mock_detail(mock, "wait"), 30000);
    kit_near(mock_detail(mock, "room"), 10e6);
    assert_string_equal(mock_detail_text(mock, "side"), "right");
    kit_near(mock_detail(mock, "loud"), 1);
    assert_string_equal(mock_detail_text(mock, "names"), "x,y, z");
    assert_string_equal(mock_detail_text(mock, "X-Two"), "two");
    assert_string_equal(mock_detail_text(mock, "urls"), "http://a/,https://b/");
    kit_near(mock_detail(mock, "weight"), 0.25);
    assert_int_equal(mock_verdict(mock), TMON_WARN);
    assert_string_equal(mock_report_on(mock, "one")->text, "a little");
    assert_null(mock_report_on(mock, NULL));
    kit_stop(mock);
}

static void defaults_are_filled_in(void **state)
{
    struct mock_host *mock =
        mock_of(toiletmon_plugin(), "good", "word: x\ntargets[0].url: http://a/\n");

    assert_int_equal(mock_create(mock, 100), TMON_OK);
    assert_int_equal(mock_check(mock, 100), TMON_OK);
    kit_near(mock_detail(mock, "wait"), 300000);
    kit_near(mock_detail(mock, "room"), 65536);
    assert_string_equal(mock_detail_text(mock, "names"), "a,b[0-9]*");
    kit_near(mock_detail(mock, "weight"), 0.5);
    kit_near(mock_detail(mock, "has_loud"), 0);
    kit_stop(mock);
}

static void wrong_settings_are_refused(void **state)
{
    static const char *const wrong[][2] = {
        {"", "word: is required"},
        {"word: x\nwrod: y\n", "\"wrod\" is not a setting"},
        {"word: x\nwait: soon\n", "not a number"},
        {"word: x\nwait: 5\n", "unit"},
        {"word: x\nwait: 0s\n", "not between"},
        {"word: x\nside: up\n", "not one of left|right"},
        {"word: x\nloud: yes\n", "neither true nor false"},
        {"word: x\nword: y\n", "given twice"},
        {"word: x\ntargets[0].url: ftp://a\n", "does not begin with http"},
        {"word: x\ntargets[0].weight: 1\n", "url: is required"},
        {"word: x\ntargets[1].url: http://a/\n", "write targets[0]"},
        {"word: x\nnames: [a\n", "closing"},
        {"word: x\nheaders: {a}\n", "key: value"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct mock_host *mock = mock_of(toiletmon_plugin(), "good", wrong[i][0]);

        if (strstr(mock_error(mock), wrong[i][1]) == NULL) {
            fail_msg("\"%s\" gave \"%s\"", wrong[i][0], mock_error(mock));
        }
        assert_int_equal(mock_create(mock, 100), TMON_REJECTED);
        mock_close(mock);
    }
}

static void series_are_written_with_sorted_labels(void **state)
{
    struct mock_host *mock = mock_of(toiletmon_plugin(), "good", "word: x");

    assert_int_equal(mock_create(mock, 100), TMON_OK);
    assert_int_equal(mock_collect(mock, 100), TMON_OK);
    kit_near(mock_value(mock, "things_total{a=\"quo\\\"te\",z=\"last\"}"), 42);
    assert_true(isnan(mock_value(mock, "things_total")));
    assert_int_equal(mock_sample_count(mock), 1);
    kit_stop(mock);
}

static void a_series_emitted_twice_is_a_problem(void **state)
{
    struct mock_host *mock = mock_of(toiletmon_plugin(), "bad", "");

    assert_int_equal(mock_create(mock, 100), TMON_OK);
    assert_int_equal(mock_collect(mock, 100), TMON_OK);
    assert_non_null(strstr(mock_problem(mock), "emitted twice"));
    mock_close(mock);
}

static void http_is_answered_from_the_queue(void **state)
{
    struct mock_host *mock =
        mock_of(toiletmon_plugin(), "http", "word: x\ntargets[0].url: http://127.0.0.1:8080/any");

    assert_int_equal(mock_create(mock, 100), TMON_OK);
    mock_answer_simple(mock, 202, "taken");
    assert_int_equal(mock_check(mock, 100), TMON_OK);
    assert_true(mock_said(mock, "status 202: taken"));
    assert_string_equal(mock_request_at(mock, 0)->method, "POST");
    assert_string_equal(mock_request_at(mock, 0)->headers, "Content-Type: application/json\n");
    assert_string_equal(mock_request_at(mock, 0)->body, "{\"text\":\"say \\\"hi\\\"\\u000a\"}");
    assert_int_equal(mock_check(mock, 100), TMON_RETRY); // the queue is empty now
    kit_stop(mock);
}

static void what_cannot_be_loaded_is_told(void **state)
{
    struct mock_host *mock = mock_open("/nonexistent.so", "good", "");

    assert_non_null(strstr(mock_error(mock), "/nonexistent.so"));
    mock_close(mock);
    mock = mock_of(toiletmon_plugin(), "nothing", "");
    assert_non_null(strstr(mock_error(mock), "no component \"nothing\""));
    mock_close(mock);
    mock_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_all_types_arrive),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(series_are_written_with_sorted_labels),
        cmocka_unit_test(a_series_emitted_twice_is_a_problem),
        cmocka_unit_test(http_is_answered_from_the_queue),
        cmocka_unit_test(what_cannot_be_loaded_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
