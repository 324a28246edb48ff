/* Which format a scraper gets: the headers of real versions, and headers that are odd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/exposition.h"

static void prometheus_gets_openmetrics(void **unused)
{
    static const char *const headers[] = {
        // 2.42
        "application/openmetrics-text;version=1.0.0,application/"
        "openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        // 2.42 with native histograms: protobuf first, which we do not have
        "application/"
        "vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
        "application/openmetrics-text;version=1.0.0;q=0.8,application/"
        "openmetrics-text;version=0.0.1;"
        "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        // 3.0
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,text/"
        "plain;version=1.0.0;"
        "escaping=allow-utf-8;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/openmetrics-text",
        " Application/OpenMetrics-Text ; version=\"1.0.0\" ; Q=1.000 , text/plain ; q=0.999 ",
    };

    (void)unused;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        assert_int_equal(exposition_negotiate(headers[i]), EXPOSITION_OPENMETRICS);
    }
    assert_int_equal(
        exposition_negotiate("application/openmetrics-text;version=0.0.1,text/plain;q=0.5"),
        EXPOSITION_OPENMETRICS_0_0_1);
}

static void all_others_get_text(void **unused)
{
    static const char *const headers[] = {
        NULL,
        "",
        ",,;;,q=,",
        "*/*",
        "text/*",
        "text/plain",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "application/json",
        "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;version=1.0.0;q=0",
        "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.5",
        "application/openmetrics-text;q=abc,text/plain;q=0.1",
        "application/openmetrics-text;q=9,text/plain;q=0.1",
        "application/openmetrics-text;x=\"a,b",
    };

    (void)unused;
    for (size_t i = 0; i + 1 < sizeof headers / sizeof *headers; i++) {
        assert_int_equal(exposition_negotiate(headers[i]), EXPOSITION_TEXT);
    }
    assert_string_equal(exposition_content_type(EXPOSITION_TEXT),
                        "text/plain; version=0.0.4; charset=utf-8");
}

static void gzip_only_where_it_is_wanted(void **unused)
{
    (void)unused;
    assert_true(exposition_accepts_gzip("gzip"));
    assert_true(exposition_accepts_gzip("deflate, gzip;q=0.5"));
    assert_true(exposition_accepts_gzip("*"));
    assert_true(exposition_accepts_gzip("GZIP ; q=1.0, identity"));
    assert_false(exposition_accepts_gzip(NULL));
    assert_false(exposition_accepts_gzip(""));
    assert_false(exposition_accepts_gzip("identity"));
    assert_false(exposition_accepts_gzip("gzip;q=0"));
    assert_false(exposition_accepts_gzip("gzip; q=0.000, *;q=1"));
    assert_false(exposition_accepts_gzip("*;q=0"));
    assert_false(exposition_accepts_gzip("br, zstd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_gets_openmetrics),
        cmocka_unit_test(all_others_get_text),
        cmocka_unit_test(gzip_only_where_it_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
