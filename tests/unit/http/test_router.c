/* Which path is whose, and what the others are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/server.h"

static const char *found(const char *path)
{
    const struct route *route = route_find(http_routes, http_nroutes, path);

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

static void test_methods(void **state)
{
    const struct route *get = route_find(http_routes, http_nroutes, "/api/health");
    const struct route *post = route_find(http_routes, http_nroutes, "/api/v1/reload");
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
    assert_true(http_nroutes < 31);
    for (size_t i = 0; i < http_nroutes; i++) {
        size_t len = strlen(http_routes[i].path);

        assert_int_equal(http_routes[i].path[0], '/');
        assert_true(len == 1 || http_routes[i].path[len - 1] != '/');
        assert_non_null(http_routes[i].handle);
        assert_ptr_equal(route_find(http_routes, http_nroutes, http_routes[i].path),
                         &http_routes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
