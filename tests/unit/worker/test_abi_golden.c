/*
 * The layout of include/plugin_api.h on 64-bit machines, in golden numbers.
 *
 * When this fails, plugins that are built and installed out there break.  A struct that begins with
 * `size` may get members at its end: then add them here and raise TMON_API_MINOR.  Anything else
 * needs a new TMON_API_MAJOR (while that is 0: a new minor version, and a word in CHANGELOG.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin_api.h"

#define SIZE(struct_, bytes_) assert_int_equal(sizeof(struct struct_), bytes_)
#define OFFSET(struct_, member_, at_) assert_int_equal(offsetof(struct struct_, member_), at_)
#define VALUE(name_, value_) assert_int_equal(name_, value_)

static void test_version(void **state)
{
    VALUE(TMON_API_MAJOR, 0);
    VALUE(TMON_API_MINOR, 3);
}

static void test_values(void **state)
{
    VALUE(TMON_OK, 0);
    VALUE(TMON_RETRY, 1);
    VALUE(TMON_AMBIGUOUS, 2);
    VALUE(TMON_REJECTED, 3);
    VALUE(TMON_MISS, 4);
    VALUE(TMON_TIMEOUT, 5);
    VALUE(TMON_UNSUPPORTED, 6);
    VALUE(TMON_DEBUG, 0);
    VALUE(TMON_INFO, 1);
    VALUE(TMON_WARNING, 2);
    VALUE(TMON_ERROR, 3);
    VALUE(TMON_PASS, 0);
    VALUE(TMON_WARN, 1);
    VALUE(TMON_FAIL, 2);
    VALUE(TMON_SEVERITY_INFO, 0);
    VALUE(TMON_SEVERITY_WARNING, 1);
    VALUE(TMON_SEVERITY_CRITICAL, 2);
    VALUE(TMON_STRING, 1);
    VALUE(TMON_INT, 2);
    VALUE(TMON_FLOAT, 3);
    VALUE(TMON_BOOL, 4);
    VALUE(TMON_DURATION, 5);
    VALUE(TMON_BYTES, 6);
    VALUE(TMON_CHOICE, 7);
    VALUE(TMON_URL, 8);
    VALUE(TMON_LIST, 9);
    VALUE(TMON_MAP, 10);
    VALUE(TMON_GROUPS, 11);
    VALUE(TMON_REQUIRED, 1);
    VALUE(TMON_SECRET, 2);
    VALUE(TMON_UNTYPED, 0);
    VALUE(TMON_GAUGE, 1);
    VALUE(TMON_COUNTER, 2);
    VALUE(TMON_HISTOGRAM, 3);
    VALUE(TMON_SUMMARY, 4);
    VALUE(TMON_PHASE_NONE, 0);
    VALUE(TMON_PHASE_RESOLVE, 1);
    VALUE(TMON_PHASE_CONNECT, 2);
    VALUE(TMON_PHASE_TLS, 3);
    VALUE(TMON_PHASE_ANSWER, 4);
    VALUE(TMON_PHASE_REFUSED, 5);
    VALUE(TMON_WANTS_HTML, 1);
    VALUE(TMON_SPAWNS, 2);
    VALUE(TMON_CHANGES_DATA, 4);
    VALUE(TMON_CLUSTER_ONCE, 8);
    VALUE(TMON_ONE_ALERT, 16);
    VALUE(TMON_2XX_IS_YES, 32);
    VALUE(TMON_CREATE_CHECKS, 64);
    VALUE(TMON_WANTS_ACKS, 128);
}

static void test_call(void **state)
{
    SIZE(tmon_call, 8);
    OFFSET(tmon_call, host, 0);
}

static void test_bytes(void **state)
{
    SIZE(tmon_bytes, 16);
    OFFSET(tmon_bytes, data, 0);
    OFFSET(tmon_bytes, len, 8);
}

static void test_pair(void **state)
{
    SIZE(tmon_pair, 16);
    OFFSET(tmon_pair, key, 0);
    OFFSET(tmon_pair, value, 8);
}

static void test_option(void **state)
{
    SIZE(tmon_option, 64);
    OFFSET(tmon_option, name, 0);
    OFFSET(tmon_option, type, 8);
    OFFSET(tmon_option, flags, 12);
    OFFSET(tmon_option, fallback, 16);
    OFFSET(tmon_option, min, 24);
    OFFSET(tmon_option, max, 32);
    OFFSET(tmon_option, choices, 40);
    OFFSET(tmon_option, help, 48);
    OFFSET(tmon_option, group, 56);
}

static void test_metric(void **state)
{
    SIZE(tmon_metric, 88);
    OFFSET(tmon_metric, size, 0);
    OFFSET(tmon_metric, kind, 4);
    OFFSET(tmon_metric, name, 8);
    OFFSET(tmon_metric, help, 16);
    OFFSET(tmon_metric, value, 24);
    OFFSET(tmon_metric, labels, 32);
    OFFSET(tmon_metric, nlabels, 40);
    OFFSET(tmon_metric, bounds, 48);
    OFFSET(tmon_metric, points, 56);
    OFFSET(tmon_metric, npoints, 64);
    OFFSET(tmon_metric, count, 72);
    OFFSET(tmon_metric, time_ms, 80);
}

static void test_alert(void **state)
{
    SIZE(tmon_alert, 128);
    OFFSET(tmon_alert, size, 0);
    OFFSET(tmon_alert, severity, 4);
    OFFSET(tmon_alert, firing, 8);
    OFFSET(tmon_alert, key, 16);
    OFFSET(tmon_alert, name, 24);
    OFFSET(tmon_alert, summary, 32);
    OFFSET(tmon_alert, description, 40);
    OFFSET(tmon_alert, labels, 48);
    OFFSET(tmon_alert, nlabels, 56);
    OFFSET(tmon_alert, annotations, 64);
    OFFSET(tmon_alert, nannotations, 72);
    OFFSET(tmon_alert, starts_ms, 80);
    OFFSET(tmon_alert, ends_ms, 88);
    OFFSET(tmon_alert, fingerprint, 96);
    OFFSET(tmon_alert, generator_url, 104);
    OFFSET(tmon_alert, ack_url, 112);
    OFFSET(tmon_alert, acked_by, 120);
}

static void test_notification(void **state)
{
    SIZE(tmon_notification, 128);
    OFFSET(tmon_notification, size, 0);
    OFFSET(tmon_notification, attempt, 4);
    OFFSET(tmon_notification, id, 8);
    OFFSET(tmon_notification, resolved, 16);
    OFFSET(tmon_notification, alerts, 24);
    OFFSET(tmon_notification, nalerts, 32);
    OFFSET(tmon_notification, ntruncated, 40);
    OFFSET(tmon_notification, group, 48);
    OFFSET(tmon_notification, ngroup, 56);
    OFFSET(tmon_notification, group_key, 64);
    OFFSET(tmon_notification, receiver, 72);
    OFFSET(tmon_notification, external_url, 80);
    OFFSET(tmon_notification, title, 88);
    OFFSET(tmon_notification, text, 96);
    OFFSET(tmon_notification, html, 104);
    OFFSET(tmon_notification, headers, 112);
    OFFSET(tmon_notification, nheaders, 120);
}

static void test_request(void **state)
{
    SIZE(tmon_request, 64);
    OFFSET(tmon_request, size, 0);
    OFFSET(tmon_request, method, 8);
    OFFSET(tmon_request, url, 16);
    OFFSET(tmon_request, headers, 24);
    OFFSET(tmon_request, nheaders, 32);
    OFFSET(tmon_request, body, 40);
    OFFSET(tmon_request, max_redirects, 56);
    OFFSET(tmon_request, insecure, 60);
}

static void test_response(void **state)
{
    SIZE(tmon_response, 128);
    OFFSET(tmon_response, size, 0);
    OFFSET(tmon_response, status, 4);
    OFFSET(tmon_response, retry_after_ms, 8);
    OFFSET(tmon_response, body, 16);
    OFFSET(tmon_response, truncated, 32);
    OFFSET(tmon_response, headers, 40);
    OFFSET(tmon_response, nheaders, 48);
    OFFSET(tmon_response, error, 56);
    OFFSET(tmon_response, error_phase, 64);
    OFFSET(tmon_response, http_version, 68);
    OFFSET(tmon_response, redirects, 72);
    OFFSET(tmon_response, resolve_us, 80);
    OFFSET(tmon_response, connect_us, 88);
    OFFSET(tmon_response, tls_us, 96);
    OFFSET(tmon_response, first_byte_us, 104);
    OFFSET(tmon_response, total_us, 112);
    OFFSET(tmon_response, certificate_expires_ms, 120);
}

static void test_cache_ops(void **state)
{
    SIZE(tmon_cache_ops, 40);
    OFFSET(tmon_cache_ops, size, 0);
    OFFSET(tmon_cache_ops, get_many, 8);
    OFFSET(tmon_cache_ops, put, 16);
    OFFSET(tmon_cache_ops, remove, 24);
    OFFSET(tmon_cache_ops, invalidate, 32);
}

static void test_lease_ops(void **state)
{
    SIZE(tmon_lease_ops, 32);
    OFFSET(tmon_lease_ops, size, 0);
    OFFSET(tmon_lease_ops, acquire, 8);
    OFFSET(tmon_lease_ops, renew, 16);
    OFFSET(tmon_lease_ops, release, 24);
}

static void test_action(void **state)
{
    SIZE(tmon_action, 40);
    OFFSET(tmon_action, size, 0);
    OFFSET(tmon_action, flags, 4);
    OFFSET(tmon_action, name, 8);
    OFFSET(tmon_action, summary, 16);
    OFFSET(tmon_action, params, 24);
    OFFSET(tmon_action, run, 32);
}

static void test_component(void **state)
{
    SIZE(tmon_component, 128);
    OFFSET(tmon_component, size, 0);
    OFFSET(tmon_component, flags, 4);
    OFFSET(tmon_component, name, 8);
    OFFSET(tmon_component, summary, 16);
    OFFSET(tmon_component, options, 24);
    OFFSET(tmon_component, state_size, 32);
    OFFSET(tmon_component, create, 40);
    OFFSET(tmon_component, destroy, 48);
    OFFSET(tmon_component, check, 56);
    OFFSET(tmon_component, collect, 64);
    OFFSET(tmon_component, watch, 72);
    OFFSET(tmon_component, format, 80);
    OFFSET(tmon_component, judge, 88);
    OFFSET(tmon_component, deliver, 96);
    OFFSET(tmon_component, actions, 104);
    OFFSET(tmon_component, cache, 112);
    OFFSET(tmon_component, lease, 120);
}

static void test_plugin(void **state)
{
    SIZE(tmon_plugin, 40);
    OFFSET(tmon_plugin, size, 0);
    OFFSET(tmon_plugin, api_major, 4);
    OFFSET(tmon_plugin, api_minor, 6);
    OFFSET(tmon_plugin, name, 8);
    OFFSET(tmon_plugin, version, 16);
    OFFSET(tmon_plugin, license, 24);
    OFFSET(tmon_plugin, components, 32);
}

static void test_host(void **state)
{
    SIZE(tmon_host, 224);
    OFFSET(tmon_host, size, 0);
    OFFSET(tmon_host, api_major, 4);
    OFFSET(tmon_host, api_minor, 6);
    OFFSET(tmon_host, instance, 8);
    OFFSET(tmon_host, remaining_ms, 16);
    OFFSET(tmon_host, log, 24);
    OFFSET(tmon_host, report, 32);
    OFFSET(tmon_host, detail_number, 40);
    OFFSET(tmon_host, detail_text, 48);
    OFFSET(tmon_host, detail_item, 56);
    OFFSET(tmon_host, emit, 64);
    OFFSET(tmon_host, http, 72);
    OFFSET(tmon_host, json, 80);
    OFFSET(tmon_host, retry_after, 88);
    OFFSET(tmon_host, read, 96);
    OFFSET(tmon_host, write, 104);
    OFFSET(tmon_host, progress, 112);
    OFFSET(tmon_host, event, 120);
    OFFSET(tmon_host, message, 128);
    OFFSET(tmon_host, cache_get, 136);
    OFFSET(tmon_host, cache_put, 144);
    OFFSET(tmon_host, value, 152);
    OFFSET(tmon_host, config_has, 160);
    OFFSET(tmon_host, config_string, 168);
    OFFSET(tmon_host, config_int, 176);
    OFFSET(tmon_host, config_float, 184);
    OFFSET(tmon_host, config_count, 192);
    OFFSET(tmon_host, config_item, 200);
    OFFSET(tmon_host, config_pair, 208);
    OFFSET(tmon_host, config_group, 216);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_call),         cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_pair),         cmocka_unit_test(test_option),
        cmocka_unit_test(test_metric),       cmocka_unit_test(test_alert),
        cmocka_unit_test(test_notification), cmocka_unit_test(test_request),
        cmocka_unit_test(test_response),     cmocka_unit_test(test_cache_ops),
        cmocka_unit_test(test_lease_ops),    cmocka_unit_test(test_action),
        cmocka_unit_test(test_component),    cmocka_unit_test(test_plugin),
        cmocka_unit_test(test_host),
    };

    return sizeof(void *) == 8 ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
