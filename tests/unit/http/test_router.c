/* Which path is whose, and what the others are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/server.h"

static char parameter[ROUTE_PARAMETER_SIZE];

static const char *found(const char *path)
{
    const struct http_route *route = route_find(http_routes, http_nroutes, path, parameter);

    return route ? route->name : NULL;
}

static void test_find(void **state)
{
    assert_string_equal(found("/"), "index");
    assert_string_equal(found("/api/health"), "health");
    assert_string_equal(found("/api/health/"), "health");
    assert_string_equal(found("/api/health/ready"), "ready");
    assert_string_equal(found("/api/health/live/"), "live");
    assert_string_equal(found("/metrics"), "metrics");
    assert_null(found(""));
    assert_null(found("/api"));
    assert_null(found("/api/health//"));
    assert_null(found("/api/healthx"));
    assert_null(found("/api/healt"));
    assert_null(found("/API/HEALTH"));
    assert_null(found("/../api/health"));
}

static void test_parameters(void **state)
{
    char path[512];

    assert_string_equal(found("/api/v1/notifications"), "notifications");
    assert_string_equal(found("/api/v1/notifications/"), "notifications");
    assert_string_equal(parameter, "");
    assert_string_equal(found("/api/v1/notifications/17"), "notification");
    assert_string_equal(parameter, "17");
    assert_string_equal(found("/api/v1/notifications/17/"), "notification");
    assert_string_equal(parameter, "17");
    assert_string_equal(found("/api/v1/notifications/17/retry"), "notification_retry");
    assert_string_equal(parameter, "17");
    assert_string_equal(found("/api/v1/notifications/17/drop/"), "notification_drop");
    assert_null(found("/api/v1/notifications//retry"));
    assert_string_equal(found("/api/v1/notifications/retry"), "notifications_retry");
    assert_string_equal(found("/api/v1/notifications/retryx"), "notification"); /* a bad number */
    assert_null(found("/api/v1/notifications/1/2/retry"));
    assert_null(found("/api/v1/notifications/1/retryx"));
    assert_string_equal(found("/api/v1/sinks/a sink/test"), "sink_test");
    assert_string_equal(parameter, "a sink");
    (void)snprintf(path, sizeof path, "/api/v1/sinks/%0*d/test", LIMIT_NAME_BYTES, 7);
    assert_string_equal(found(path), "sink_test");
    assert_int_equal(strlen(parameter), LIMIT_NAME_BYTES);
    (void)snprintf(path, sizeof path, "/api/v1/sinks/%0*d/test", LIMIT_NAME_BYTES + 1, 7);
    assert_null(found(path));
    assert_string_equal(found("/metrics"), "metrics");
    assert_string_equal(parameter, "");
}

static void test_methods(void **state)
{
    const struct http_route *get = route_find(http_routes, http_nroutes, "/api/health", parameter);
    const struct http_route *post =
        route_find(http_routes, http_nroutes, "/api/v1/reload", parameter);
    char text[ROUTE_ALLOW_SIZE];

    assert_string_equal(route_allow(get, text), "GET, HEAD, OPTIONS");
    assert_string_equal(route_allow(post, text), "POST, OPTIONS");
    assert_true(route_methods(get) & METHOD_HEAD);
    assert_false(route_methods(get) & METHOD_POST);
    assert_false(route_methods(post) & METHOD_HEAD);
    assert_int_equal(method_parse("GET"), METHOD_GET);
    assert_int_equal(method_parse("get"), METHOD_OTHER);
    assert_int_equal(method_parse("TRACE"), METHOD_OTHER);
    assert_int_equal(method_parse(""), METHOD_OTHER);
}

/* A table that is longer than the counters have room for would be counted under the wrong name. */
static void test_table(void **state)
{
    assert_true(http_nroutes < 63);
    for (size_t i = 0; i < http_nroutes; i++) {
        size_t len = strlen(http_routes[i].path);

        assert_int_equal(http_routes[i].path[0], '/');
        assert_true(len == 1 || http_routes[i].path[len - 1] != '/');
        assert_non_null(http_routes[i].handle);
        assert_ptr_equal(route_find(http_routes, http_nroutes, http_routes[i].path, parameter),
                         &http_routes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
