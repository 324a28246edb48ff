/* core/model/sample.c: what a plugin emits arrives the same, sorted and clean; what is malformed is
 * refused. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/sample.h"

static void test_round_trip(void **state)
{
    static const struct tmon_pair labels[] = {{"mode", "idle"}, {"empty", ""}, {"cpu", "0"}};
    static const double bounds[] = {0.1, 1};
    static const double points[] = {3, 5};
    struct tmon_metric gauge = {.size = sizeof gauge,
                                .kind = TMON_GAUGE,
                                .name = "a_b",
                                .help = "Help.",
                                .value = -1.5,
                                .labels = labels,
                                .nlabels = 3,
                                .time_ms = 12};
    struct tmon_metric histogram = {.size = sizeof histogram,
                                    .kind = TMON_HISTOGRAM,
                                    .name = "h",
                                    .value = 9,
                                    .bounds = bounds,
                                    .points = points,
                                    .npoints = 2,
                                    .count = 6};
    struct wire_reader reader;
    struct sample sample;
    struct buf buf;
    const char *why = NULL;

    buf_init(&buf, 4096);
    assert_int_equal(sample_encode(&buf, &gauge, &why), 0);
    assert_int_equal(sample_encode(&buf, &histogram, &why), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(sample_decode(&reader, &sample), 1);
    assert_string_equal(sample.name, "a_b");
    assert_string_equal(sample.help, "Help.");
    assert_true(sample.value == -1.5);
    assert_int_equal(sample.time_ms, 12);
    assert_int_equal(sample.nlabels, 2); /* the empty one is none */
    assert_string_equal(sample.labels[0].key, "cpu");
    assert_string_equal(sample.labels[1].value, "idle");
    assert_int_equal(sample_decode(&reader, &sample), 1);
    assert_int_equal(sample.kind, TMON_HISTOGRAM);
    assert_null(sample.help);
    assert_int_equal(sample.npoints, 2);
    assert_true(sample.points[1] == 5);
    assert_int_equal(sample.count, 6);
    assert_int_equal(sample_decode(&reader, &sample), 0);
    buf_finish(&buf);
}

static void expect_refused(struct tmon_metric metric)
{
    struct buf buf;
    const char *why = NULL;

    metric.size = sizeof metric;
    buf_init(&buf, 4096);
    assert_int_equal(sample_encode(&buf, &metric, &why), -EINVAL);
    assert_non_null(why);
    assert_int_equal(buf.len, 0);
    buf_finish(&buf);
}

#define LABELS(...)                                                                                \
    .labels = (const struct tmon_pair[]){__VA_ARGS__},                                             \
    .nlabels = sizeof((const struct tmon_pair[]){__VA_ARGS__}) / sizeof(struct tmon_pair)

static void test_refuses_what_prometheus_would(void **state)
{
    static const double down[] = {2, 1};
    static const double up[] = {1, 2};
    static const double inf[] = {1, INFINITY};
    static const double nan_bound[] = {NAN, 1};

    expect_refused((struct tmon_metric){.name = NULL});
    expect_refused((struct tmon_metric){.name = ""});
    expect_refused((struct tmon_metric){.name = "1a"});
    expect_refused((struct tmon_metric){.name = "a-b"});
    expect_refused((struct tmon_metric){.name = "a\n"});
    expect_refused((struct tmon_metric){.name = "a", .kind = 9});
    expect_refused((struct tmon_metric){.name = "a", .kind = -1});
    expect_refused((struct tmon_metric){.name = "a", LABELS({"__name__", "b"})});
    expect_refused((struct tmon_metric){.name = "a", LABELS({"x:y", "b"})});
    expect_refused((struct tmon_metric){.name = "a", LABELS({"x", "b"}, {"x", "c"})});
    expect_refused((struct tmon_metric){.name = "a", LABELS({"x", "\xff"})});
    expect_refused((struct tmon_metric){.name = "a", .kind = TMON_HISTOGRAM, LABELS({"le", "1"})});
    expect_refused((struct tmon_metric){
        .name = "a", .kind = TMON_GAUGE, .bounds = up, .points = up, .npoints = 2});
    expect_refused((struct tmon_metric){
        .name = "a", .kind = TMON_HISTOGRAM, .bounds = down, .points = up, .npoints = 2});
    expect_refused((struct tmon_metric){
        .name = "a", .kind = TMON_HISTOGRAM, .bounds = up, .points = down, .npoints = 2});
    expect_refused((struct tmon_metric){
        .name = "a", .kind = TMON_HISTOGRAM, .bounds = inf, .points = up, .npoints = 2});
    expect_refused((struct tmon_metric){
        .name = "a", .kind = TMON_SUMMARY, .bounds = up, .points = up, .npoints = 2});
    expect_refused((struct tmon_metric){
        .name = "a", .kind = TMON_SUMMARY, .bounds = nan_bound, .points = up, .npoints = 2});
}

static void test_full_buffer_keeps_whole_samples(void **state)
{
    struct tmon_metric metric = {.size = sizeof metric, .kind = TMON_GAUGE, .name = "name"};
    struct wire_reader reader;
    struct sample sample;
    struct buf buf;
    const char *why = NULL;
    int n = 0, decoded = 0;

    buf_init(&buf, 100);
    while (sample_encode(&buf, &metric, &why) == 0) {
        n++;
    }
    assert_true(n > 0);
    wire_reader_init(&reader, buf.data, buf.len);
    while (sample_decode(&reader, &sample) == 1) {
        decoded++;
    }
    assert_int_equal(decoded, n);
    assert_true(wire_done(&reader));
    buf_finish(&buf);
}

static void test_every_cut_is_malformed(void **state)
{
    static const struct tmon_pair labels[] = {{"a", "b"}};
    static const double bounds[] = {1};
    struct tmon_metric metric = {.size = sizeof metric,
                                 .kind = TMON_HISTOGRAM,
                                 .name = "m",
                                 .help = "h",
                                 .labels = labels,
                                 .nlabels = 1,
                                 .bounds = bounds,
                                 .points = bounds,
                                 .npoints = 1};
    struct wire_reader reader;
    struct sample sample;
    struct buf buf;
    const char *why = NULL;

    buf_init(&buf, 4096);
    assert_int_equal(sample_encode(&buf, &metric, &why), 0);
    for (size_t len = 1; len < buf.len; len++) {
        wire_reader_init(&reader, buf.data, len);
        assert_int_equal(sample_decode(&reader, &sample), -EPROTO);
    }
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refuses_what_prometheus_would),
        cmocka_unit_test(test_full_buffer_keeps_whole_samples),
        cmocka_unit_test(test_every_cut_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
