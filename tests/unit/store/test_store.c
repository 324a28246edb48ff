/* Commits: whose a series is, caps, what stops, what is refused and how that shows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit.h"

struct fixture {
    struct store *store;
    struct buf batch;
    struct store_commit_result result;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (!fixture || store_create(NULL, &fixture->store) < 0) {
        return -1;
    }
    buf_init(&fixture->batch, 1 << 20);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    store_destroy(fixture->store);
    buf_finish(&fixture->batch);
    free(fixture);
    return 0;
}

static struct store_owner *owner(struct fixture *fixture, struct store_owner_spec spec)
{
    struct store_owner *made = NULL;

    assert_int_equal(store_owner_add(fixture->store, &spec, &made), 0);
    return made;
}

static void gauge(struct fixture *fixture, const char *name, const char *value, double number)
{
    assert_true(kit_sample(&fixture->batch, TMON_GAUGE, name, "k", value, number));
}

static void commit(struct fixture *fixture, struct store_owner *who, int64_t now_ms)
{
    assert_int_equal(store_commit(fixture->store, who, fixture->batch.data, fixture->batch.len,
                                  now_ms, now_ms, &fixture->result),
                     0);
    buf_clear(&fixture->batch);
}

static void assert_shows(struct fixture *fixture, int64_t now_ms, const char *line, bool expected)
{
    char *text = kit_scrape(fixture->store, EXPOSITION_TEXT, false, 4096, now_ms, NULL);
    char error[256];
    unsigned samples;

    if (!kit_read(text, strlen(text), false, &samples, error)) {
        fail_msg("%s", error);
    }
    if ((strstr(text, line) != NULL) != expected) {
        fail_msg("%s: %s in\n%s", expected ? "missing" : "should not be there", line, text);
    }
    free(text);
}

static void a_commit_replaces_values(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});

    gauge(fixture, "m", "1", 1);
    gauge(fixture, "m", "2", 2);
    commit(fixture, a, 1000);
    assert_int_equal(fixture->result.created, 2);
    gauge(fixture, "m", "2", 20);
    gauge(fixture, "m", "3", 30);
    gauge(fixture, "m", "1", 10);
    commit(fixture, a, 2000);
    assert_int_equal(fixture->result.created, 1);
    assert_int_equal(fixture->result.accepted, 3);
    assert_shows(fixture, 2000, "m{k=\"1\"} 10\nm{k=\"2\"} 20\nm{k=\"3\"} 30\n", true);
    assert_shows(fixture, 2000, "toiletmon_store_instance_series{name=\"a\"} 3\n", true);
    assert_shows(fixture, 2000, "toiletmon_store_series 6\n", true);
}

static void labels_of_the_owner_are_merged(void **state)
{
    struct fixture *fixture = *state;
    const struct tmon_pair labels[] = {
        {"zone", "b\"\\\n"}, {"k", "mine"}, {"a", "0"}, {"empty", ""}};
    struct store_owner *a =
        owner(fixture, (struct store_owner_spec){.name = "a", .labels = labels, .nlabels = 4});

    gauge(fixture, "m", "theirs", 1);
    assert_true(kit_sample(&fixture->batch, TMON_GAUGE, "n", NULL, NULL, 2));
    commit(fixture, a, 1000);
    assert_shows(fixture, 1000, "m{a=\"0\",k=\"mine\",zone=\"b\\\"\\\\\\n\"} 1\n", true);
    assert_shows(fixture, 1000, "n{a=\"0\",k=\"mine\",zone=\"b\\\"\\\\\\n\"} 2\n", true);
}

static void labels_that_prometheus_refuses_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct tmon_pair bad[][2] = {
        {{"1a", "x"}, {"b", "x"}}, {{"a-b", "x"}, {"b", "x"}},      {{"", "x"}, {"b", "x"}},
        {{"le", "x"}, {"b", "x"}}, {{"quantile", "x"}, {"b", "x"}}, {{"__name__", "x"}, {"b", "x"}},
        {{"b", "x"}, {"b", "y"}},  {{"a", "\xff\xfe"}, {"b", "x"}},
    };
    struct store_owner *made = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct store_owner_spec spec = {.name = "a", .labels = bad[i], .nlabels = 2};

        assert_int_equal(store_owner_add(fixture->store, &spec, &made), -EINVAL);
    }
}

static void caps_refuse_new_series_only(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a", .series = 2});
    struct store_owner *b = owner(fixture, (struct store_owner_spec){.name = "b"});

    for (int round = 0; round < 2; round++) {
        gauge(fixture, "m", "1", round);
        gauge(fixture, "m", "2", round);
        gauge(fixture, "m", "3", round);
        commit(fixture, a, 1000 * round);
        assert_int_equal(fixture->result.accepted, 2);
        assert_int_equal(fixture->result.refused[STORE_REFUSED_OWNER_LIMIT], 1);
        assert_string_equal(fixture->result.example[STORE_REFUSED_OWNER_LIMIT], "m");
    }
    assert_shows(fixture, 1000, "m{k=\"2\"} 1\n", true);
    assert_shows(fixture, 1000, "m{k=\"3\"}", false);
    assert_shows(fixture, 1000,
                 "toiletmon_store_refused_samples_total{name=\"a\",reason=\"owner_limit\"} 2\n",
                 true);

    store_change(fixture->store, &(struct store_limits){.series = 7});
    gauge(fixture, "n", "1", 1); // the store has 2 of a's and 4 of its own
    gauge(fixture, "n", "2", 1);
    commit(fixture, b, 1000);
    assert_int_equal(fixture->result.accepted, 1);
    assert_int_equal(fixture->result.refused[STORE_REFUSED_TOTAL_LIMIT], 1);
    assert_shows(fixture, 1000,
                 "toiletmon_store_refused_samples_total{name=\"b\",reason=\"total_limit\"} 1\n",
                 true);
}

static void a_series_of_another_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});
    struct store_owner *b = owner(fixture, (struct store_owner_spec){.name = "b"});

    gauge(fixture, "m", "1", 1);
    commit(fixture, a, 1000);
    gauge(fixture, "m", "1", 2);
    gauge(fixture, "m", "2", 2);
    commit(fixture, b, 1000);
    assert_int_equal(fixture->result.accepted, 1);
    assert_int_equal(fixture->result.refused[STORE_REFUSED_COLLIDING], 1);
    assert_shows(fixture, 1000, "m{k=\"1\"} 1\nm{k=\"2\"} 2\n", true);
    // Of the agent's own too.
    assert_true(kit_sample(&fixture->batch, TMON_GAUGE, "toiletmon_store_series", NULL, NULL, 0));
    commit(fixture, b, 1000);
    assert_int_equal(fixture->result.refused[STORE_REFUSED_COLLIDING], 1);
    // Free again when its owner goes.
    store_owner_remove(fixture->store, a);
    gauge(fixture, "m", "1", 3);
    commit(fixture, b, 1000);
    assert_int_equal(fixture->result.accepted, 1);
    assert_shows(fixture, 1000, "m{k=\"1\"} 3\n", true);
}

static void the_first_type_stays(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});
    struct store_owner *b = owner(fixture, (struct store_owner_spec){.name = "b"});

    gauge(fixture, "m", "1", 1);
    assert_true(kit_sample(&fixture->batch, TMON_HISTOGRAM, "h", NULL, NULL, 1));
    commit(fixture, a, 1000);
    assert_true(kit_sample(&fixture->batch, TMON_COUNTER, "m", "k", "2", 1));
    assert_true(kit_sample(&fixture->batch, TMON_COUNTER, "m", "k", "1", 1));
    gauge(fixture, "h_count", "1", 1);
    gauge(fixture, "h_bucket", "1", 1);
    gauge(fixture, "h_total", "1", 1);
    commit(fixture, b, 1000);
    assert_int_equal(fixture->result.accepted, 1); // h_total
    assert_int_equal(fixture->result.refused[STORE_REFUSED_CONFLICT], 3);
    assert_int_equal(fixture->result.refused[STORE_REFUSED_COLLIDING], 1);
    assert_shows(fixture, 1000, "# TYPE m gauge\nm{k=\"1\"} 1\n# ", true);
    // The other way round: a histogram whose lines would be somebody's gauge.
    gauge(fixture, "s_count", "1", 1);
    assert_true(kit_sample(&fixture->batch, TMON_SUMMARY, "s", NULL, NULL, 1));
    commit(fixture, a, 1000);
    assert_int_equal(fixture->result.refused[STORE_REFUSED_CONFLICT], 1);
    // A type is free again when the last series is gone.
    store_owner_remove(fixture->store, a);
    assert_true(kit_sample(&fixture->batch, TMON_COUNTER, "m", "k", "2", 5));
    commit(fixture, b, 2000);
    assert_shows(fixture, 2000, "# TYPE m counter\nm{k=\"2\"} 5\n", true);
}

static void twice_in_a_collection_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});

    for (int round = 0; round < 3; round++) {
        gauge(fixture, "m", "1", 1);
        gauge(fixture, "m", "1", 2);
        commit(fixture, a, 1000);
        assert_int_equal(fixture->result.accepted, 1);
        assert_int_equal(fixture->result.refused[STORE_REFUSED_DUPLICATE], 1);
    }
    assert_shows(fixture, 1000, "m{k=\"1\"} 1\n", true);
}

static void too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});
    struct tmon_pair labels[8];
    char keys[8][8];
    char value[LIMIT_LABEL_VALUE_BYTES + 1];
    struct tmon_metric metric = {
        .size = sizeof metric, .kind = TMON_GAUGE, .name = "m", .labels = labels};
    const char *why;

    memset(value, '"', sizeof value);
    value[LIMIT_LABEL_VALUE_BYTES] = '\0';
    for (int i = 0; i < 8; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        labels[i] = (struct tmon_pair){keys[i], value};
    }
    for (metric.nlabels = 1; metric.nlabels <= 8; metric.nlabels++) {
        assert_int_equal(sample_encode(&fixture->batch, &metric, &why), 0);
    }
    commit(fixture, a, 1000);
    assert_int_equal(fixture->result.accepted, 1); // two would need 8,207 bytes with their escapes
    assert_int_equal(fixture->result.refused[STORE_REFUSED_TOO_LONG], 7);
    assert_shows(fixture, 1000, "m{k0=\"\\\"", true);
}

static void what_stops_is_dropped_in_time(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a =
        owner(fixture, (struct store_owner_spec){.name = "a", .keep_ms = 60000});
    struct store_owner *b = owner(fixture, (struct store_owner_spec){.name = "b"});

    gauge(fixture, "m", "1", 1);
    gauge(fixture, "m", "2", 2);
    commit(fixture, a, 10000);
    gauge(fixture, "n", "1", 1);
    commit(fixture, b, 10000);
    gauge(fixture, "m", "1", 3);
    commit(fixture, a, 40000);
    assert_shows(fixture, 70000, "m{k=\"2\"} 2\n", true);
    gauge(fixture, "m", "1", 4);
    commit(fixture, a, 71000);
    assert_int_equal(fixture->result.dropped, 1);
    assert_shows(fixture, 71000, "m{k=\"1\"} 4\n", true);
    assert_shows(fixture, 71000, "m{k=\"2\"}", false);
    // Who does not commit at all any more is noticed by the scrape; the other keeps for five
    // minutes.
    assert_shows(fixture, 140000, "m{k=\"1\"}", false);
    assert_shows(fixture, 140000, "n{k=\"1\"} 1\n", true);
    assert_shows(fixture, 310000, "n{k=\"1\"} 1\n", true);
    assert_shows(fixture, 311000, "n{k=\"1\"}", false);
    assert_int_equal(store_owner_series(a), 0);
    assert_int_equal(store_owner_series(b), 0);
    // And may come back.
    gauge(fixture, "m", "2", 5);
    commit(fixture, a, 400000);
    assert_int_equal(fixture->result.created, 1);
    assert_shows(fixture, 400000, "m{k=\"2\"} 5\n", true);
}

static void a_time_may_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});
    struct tmon_metric metric = {
        .size = sizeof metric, .kind = TMON_GAUGE, .name = "m", .value = 1};
    const char *why;

    for (int round = 0; round < 4; round++) {
        metric.time_ms = round % 2 ? 1795453643007 : 0;
        assert_int_equal(sample_encode(&fixture->batch, &metric, &why), 0);
        gauge(fixture, "n", "1", 1);
        commit(fixture, a, 1000 * round);
        assert_int_equal(fixture->result.accepted, 2);
        assert_int_equal(fixture->result.created, round == 0 ? 2 : 0);
        assert_shows(fixture, 1000 * round, round % 2 ? "\nm 1 1795453643007\n" : "\nm 1\n", true);
    }
    assert_int_equal(store_owner_series(a), 2);
}

static void buckets_may_change(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});
    const double bounds[] = {1, 2, 3};
    const double points[] = {1, 2, 3};
    struct tmon_metric metric = {.size = sizeof metric,
                                 .kind = TMON_HISTOGRAM,
                                 .name = "h",
                                 .bounds = bounds,
                                 .points = points,
                                 .count = 3};
    const char *why;

    for (metric.npoints = 1; metric.npoints <= 3; metric.npoints++) {
        assert_int_equal(sample_encode(&fixture->batch, &metric, &why), 0);
        commit(fixture, a, 1000);
        assert_int_equal(fixture->result.accepted, 1);
    }
    assert_shows(fixture, 1000,
                 "h_bucket{le=\"2\"} 2\nh_bucket{le=\"3\"} 3\nh_bucket{le=\"+Inf\"} 3\n", true);
}

static void a_malformed_batch_stops_there(void **state)
{
    struct fixture *fixture = *state;
    struct store_owner *a = owner(fixture, (struct store_owner_spec){.name = "a"});

    gauge(fixture, "m", "1", 1);
    gauge(fixture, "m", "2", 2);
    assert_int_equal(store_commit(fixture->store, a, fixture->batch.data, fixture->batch.len - 1,
                                  1000, 1000, &fixture->result),
                     -EPROTO);
    assert_int_equal(fixture->result.accepted, 1);
    assert_shows(fixture, 1000, "m{k=\"1\"} 1\n", true);
}

static void own_metrics_count(void **state)
{
    struct fixture *fixture = *state;
    static const double bounds[] = {0.1, 1};
    const struct tmon_pair labels[] = {{"name", "x"}, {"also", "y"}};
    const struct store_metric_spec runs = {.kind = TMON_COUNTER,
                                           .name = "t_runs_total",
                                           .help = "Runs.",
                                           .labels = labels,
                                           .nlabels = 2};
    const struct store_metric_spec seconds = {.kind = TMON_HISTOGRAM,
                                              .name = "t_seconds",
                                              .help = "Seconds.",
                                              .bounds = bounds,
                                              .nbounds = 2};
    struct store_metric *counter = NULL;
    struct store_metric *histogram = NULL;
    struct store_metric *again = NULL;

    assert_int_equal(store_metric_add(fixture->store, &runs, &counter), 0);
    assert_int_equal(store_metric_add(fixture->store, &seconds, &histogram), 0);
    assert_int_equal(store_metric_add(fixture->store, &runs, &again), -EEXIST);
    store_metric_inc(counter);
    store_metric_add_value(counter, 1.5);
    store_metric_observe(histogram, 0.1);
    store_metric_observe(histogram, 0.5);
    store_metric_observe(histogram, 7);
    store_metric_inc(NULL);
    assert_int_equal(store_metric_count(histogram), 3);
    assert_shows(fixture, 0,
                 "# HELP t_runs_total Runs.\n# TYPE t_runs_total counter\n"
                 "t_runs_total{also=\"y\",name=\"x\"} 2.5\n",
                 true);
    assert_shows(fixture, 0,
                 "t_seconds_bucket{le=\"0.1\"} 1\nt_seconds_bucket{le=\"1\"} 2\n"
                 "t_seconds_bucket{le=\"+Inf\"} 3\nt_seconds_sum 7.6\nt_seconds_count 3\n",
                 true);
    store_metric_remove(fixture->store, counter);
    assert_shows(fixture, 0, "t_runs_total", false);
    assert_int_equal(store_metric_add(fixture->store, &runs, &counter), 0);
    assert_shows(fixture, 0, "t_runs_total{also=\"y\",name=\"x\"} 0\n", true);
}

static void set_uptime(void *arg, int64_t now_ms)
{
    store_metric_set(*(struct store_metric **)arg, (double)now_ms / 1000);
}

static void refreshes_run_with_the_scrape(void **state)
{
    struct fixture *fixture = *state;
    const struct store_metric_spec spec = {
        .kind = TMON_GAUGE, .name = "up_seconds", .help = "Uptime."};
    struct store_metric *metric = NULL;
    struct store_refresh refresh = {.fn = set_uptime, .arg = &metric};

    assert_int_equal(store_metric_add(fixture->store, &spec, &metric), 0);
    store_refresh_add(fixture->store, &refresh);
    assert_shows(fixture, 2500, "up_seconds 2.5\n", true);
    store_refresh_remove(fixture->store, &refresh);
    assert_shows(fixture, 5000, "up_seconds 2.5\n", true);
}

#define CASE(fn_) cmocka_unit_test_setup_teardown(fn_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_commit_replaces_values),
        CASE(labels_of_the_owner_are_merged),
        CASE(labels_that_prometheus_refuses_are_refused),
        CASE(caps_refuse_new_series_only),
        CASE(a_series_of_another_is_refused),
        CASE(the_first_type_stays),
        CASE(twice_in_a_collection_is_refused),
        CASE(too_long_is_refused),
        CASE(what_stops_is_dropped_in_time),
        CASE(a_time_may_come_and_go),
        CASE(buckets_may_change),
        CASE(a_malformed_batch_stops_there),
        CASE(own_metrics_count),
        CASE(refreshes_run_with_the_scrape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
