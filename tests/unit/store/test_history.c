/* What is kept of which series, where it ends, and what is said where something is missing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "history_kit.h"

#define STEP 15000

struct fixture {
    struct store *store;
    struct history *history;
    struct store_owner *owner;
    struct buf batch;
    struct buf text;
    int64_t time_ms; /* from KIT_T0 */
};

static int set_up_with(void **state, size_t limit)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct history_limits limits = {.bytes = limit};
    const struct store_owner_spec spec = {.name = "a"};

    if (!f || store_create(NULL, &f->store) < 0 ||
        history_create(f->store, &limits, &f->history) < 0 ||
        store_owner_add(f->store, &spec, &f->owner) < 0) {
        return -1;
    }
    buf_init(&f->batch, 1 << 22);
    buf_init(&f->text, 1 << 22);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, 0);
}

static int set_up_small(void **state)
{
    return set_up_with(state, 100000);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    store_destroy(f->store);
    buf_finish(&f->batch);
    buf_finish(&f->text);
    free(f);
    return 0;
}

static void put(struct fixture *f, const struct tmon_metric *metric)
{
    const char *why = "";

    if (sample_encode(&f->batch, metric, &why) < 0) {
        fail_msg("%s", why);
    }
}

static void gauge(struct fixture *f, const char *name, const char *k, double value)
{
    assert_true(kit_sample(&f->batch, TMON_GAUGE, name, k ? "k" : NULL, k, value));
}

static void commit_of(struct fixture *f, struct store_owner *owner)
{
    struct store_commit_result result;

    assert_int_equal(store_commit(f->store, owner, f->batch.data, f->batch.len,
                                  1000000 + f->time_ms, KIT_T0 + f->time_ms, &result),
                     0);
    buf_clear(&f->batch);
}

/* At the fixture's time, which goes on. */
static void commit(struct fixture *f)
{
    commit_of(f, f->owner);
    f->time_ms += STEP;
}

static void assert_shows(struct fixture *f, const struct history_selector *selector,
                         int64_t from_ms, int64_t to_ms, const char *expected)
{
    buf_clear(&f->text);
    assert_int_equal(kit_show(f->history, selector, from_ms, to_ms, false, &f->text), 0);
    assert_string_equal(buf_str(&f->text), expected);
}

static void assert_last(struct fixture *f, const struct history_selector *selector, int64_t from_ms,
                        int64_t to_ms, const char *expected)
{
    buf_clear(&f->text);
    assert_int_equal(kit_show(f->history, selector, from_ms, to_ms, true, &f->text), 0);
    assert_string_equal(buf_str(&f->text), expected);
}

static struct history_stats stats(struct fixture *f, const struct history_selector *selector)
{
    struct history_stats all;

    history_stats(f->history, selector, &all);
    return all;
}

/* ---- which series ---- */

static void only_what_is_selected_is_kept(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector;

    gauge(f, "early", "1", 1);
    gauge(f, "other", "1", 2);
    commit(f);
    selector = kit_select(f->history, "__name__=\"early\"", KIT_HOUR_MS);
    assert_int_equal(stats(f, NULL).samples, 0); // nobody knows when it was sampled
    gauge(f, "early", "1", 3);
    gauge(f, "other", "1", 4);
    gauge(f, "early", "2", 5);
    commit(f);
    gauge(f, "early", "1", 6);
    commit(f);
    assert_shows(f, selector, -1, f->time_ms,
                 "{__name__=early,k=1} 15000:3 30000:6;"
                 "{__name__=early,k=2} 15000:5 30000:stale;");
    assert_int_equal(stats(f, selector).series, 2);
    assert_int_equal(stats(f, selector).samples, 4);
    assert_int_equal(stats(f, NULL).samples, 4);
}

static void selectors_match_as_their_matchers_say(void **state)
{
    struct fixture *f = *state;
    struct history_selector *regex = kit_select(f->history, "__name__=~\"a.*\"", KIT_HOUR_MS);
    struct history_selector *not_k = kit_select(f->history, "k!=\"1\"", KIT_HOUR_MS);
    struct history_selector *both =
        kit_select(f->history, "__name__=\"ab\" k=~\"1|2\"", KIT_HOUR_MS);
    struct history_selector *none =
        kit_select(f->history, "__name__=\"ab\" __name__=\"b\"", KIT_HOUR_MS);

    gauge(f, "ab", "1", 1);
    gauge(f, "b", "2", 2);
    gauge(f, "b", NULL, 3);
    commit(f);
    assert_shows(f, regex, -1, 0, "{__name__=ab,k=1} 0:1;");
    assert_shows(f, not_k, -1, 0, "{__name__=b,k=2} 0:2;{__name__=b} 0:3;");
    assert_shows(f, both, -1, 0, "{__name__=ab,k=1} 0:1;");
    assert_shows(f, none, -1, 0, "");
    assert_true(stats(f, NULL).series > 3); // the agent's own have no k
    history_unselect(f->history, not_k);
    assert_int_equal(stats(f, NULL).series, 1);
    history_unselect(f->history, both);
    assert_int_equal(stats(f, NULL).series, 1);
    history_unselect(f->history, regex);
    assert_int_equal(stats(f, NULL).series, 0);
    assert_int_equal(stats(f, NULL).samples, 0);
    gauge(f, "ab", "1", 1);
    commit(f);
}

static void labels_are_the_values_not_their_text(void **state)
{
    struct fixture *f = *state;
    const struct tmon_pair own[] = {{"k", "owner's \"\\\n"}, {"A", "first"}};
    const struct store_owner_spec spec = {.name = "b", .labels = own, .nlabels = 2};
    struct store_owner *owner = NULL;
    struct history_selector *selector = kit_select(f->history, "A=\"first\"", KIT_HOUR_MS);

    assert_int_equal(store_owner_add(f->store, &spec, &owner), 0);
    gauge(f, "x", "the sample's", 1);
    commit_of(f, owner);
    assert_shows(f, selector, -1, 0, "{A=first,__name__=x,k=owner's \"\\\n} 0:1;");
    store_owner_remove(f->store, owner);
}

static void histogram(struct fixture *f, const double *bounds, const double *points, size_t n,
                      uint64_t count)
{
    const struct tmon_pair label = {"m", "v"};

    put(f, &(struct tmon_metric){.size = sizeof(struct tmon_metric),
                                 .kind = TMON_HISTOGRAM,
                                 .name = "h",
                                 .value = 2.5,
                                 .labels = &label,
                                 .nlabels = 1,
                                 .bounds = bounds,
                                 .points = points,
                                 .npoints = n,
                                 .count = count});
}

static void histograms_are_what_prometheus_has_of_them(void **state)
{
    static const double bounds[] = {0.5, 1, 1e6}, others[] = {0.5, 2, 1e6};
    static const double points[] = {1, 2, 3};
    struct fixture *f = *state;
    struct history_selector *buckets = kit_select(f->history, "__name__=\"h_bucket\"", KIT_HOUR_MS);
    struct history_selector *rest =
        kit_select(f->history, "__name__=~\"h|h_sum|h_count\"", KIT_HOUR_MS);
    struct history_selector *two = kit_select(f->history, "le=\"2.0\"", KIT_HOUR_MS);

    histogram(f, bounds, points, 3, 4);
    commit(f);
    assert_shows(f, buckets, -1, 0,
                 "{__name__=h_bucket,le=0.5,m=v} 0:1;{__name__=h_bucket,le=1.0,m=v} 0:2;"
                 "{__name__=h_bucket,le=1e+06,m=v} 0:3;{__name__=h_bucket,le=+Inf,m=v} 0:4;");
    assert_shows(f, rest, -1, 0, "{__name__=h_sum,m=v} 0:2.5;{__name__=h_count,m=v} 0:4;");
    assert_shows(f, two, -1, 0, "");
    histogram(f, others, points, 3, 5);
    commit(f);
    assert_shows(
        f, buckets, 0, STEP,
        "{__name__=h_bucket,le=0.5,m=v} 15000:1;{__name__=h_bucket,le=1.0,m=v} 15000:stale;"
        "{__name__=h_bucket,le=1e+06,m=v} 15000:3;{__name__=h_bucket,le=+Inf,m=v} 15000:5;"
        "{__name__=h_bucket,le=2.0,m=v} 15000:2;");
    assert_shows(f, two, 0, STEP, "{__name__=h_bucket,le=2.0,m=v} 15000:2;");
    histogram(f, others, points, 2, 5); // one bucket fewer
    commit(f);
    assert_shows(f, buckets, STEP, 2 * STEP,
                 "{__name__=h_bucket,le=0.5,m=v} 30000:1;"
                 "{__name__=h_bucket,le=1e+06,m=v} 30000:stale;"
                 "{__name__=h_bucket,le=+Inf,m=v} 30000:5;{__name__=h_bucket,le=2.0,m=v} 30000:2;");
    history_unselect(f->history, buckets);
    assert_shows(f, two, STEP, 2 * STEP, "{__name__=h_bucket,le=2.0,m=v} 30000:2;");
    commit(f);
    assert_shows(f, rest, 2 * STEP, 3 * STEP,
                 "{__name__=h_sum,m=v} 45000:stale;{__name__=h_count,m=v} 45000:stale;");
}

static void negative_bounds_have_no_sum(void **state)
{
    static const double bounds[] = {-1, 1}, points[] = {1, 2};
    struct fixture *f = *state;
    struct history_selector *all = kit_select(f->history, "m=\"v\"", KIT_HOUR_MS);

    histogram(f, bounds, points, 2, 2);
    commit(f);
    assert_shows(f, all, -1, 0,
                 "{__name__=h_bucket,le=-1.0,m=v} 0:1;{__name__=h_bucket,le=1.0,m=v} 0:2;"
                 "{__name__=h_bucket,le=+Inf,m=v} 0:2;{__name__=h_count,m=v} 0:2;");
}

static void summaries_too(void **state)
{
    static const double quantiles[] = {0.5, 1}, values[] = {10, 20};
    struct fixture *f = *state;
    struct history_selector *all = kit_select(f->history, "__name__=~\"s.*\"", KIT_HOUR_MS);

    put(f, &(struct tmon_metric){.size = sizeof(struct tmon_metric),
                                 .kind = TMON_SUMMARY,
                                 .name = "s",
                                 .value = 30,
                                 .bounds = quantiles,
                                 .points = values,
                                 .npoints = 2,
                                 .count = 7});
    commit(f);
    assert_shows(f, all, -1, 0,
                 "{__name__=s,quantile=0.5} 0:10;{__name__=s,quantile=1.0} 0:20;"
                 "{__name__=s_sum} 0:30;{__name__=s_count} 0:7;");
}

static void the_agents_own_are_sampled(void **state)
{
    static const double bounds[] = {0.1, 1};
    const struct store_metric_spec counter = {.kind = TMON_COUNTER, .name = "own_total"};
    const struct store_metric_spec histogram_spec = {
        .kind = TMON_HISTOGRAM, .name = "own_seconds", .bounds = bounds, .nbounds = 2};
    struct fixture *f = *state;
    struct store_metric *metric = NULL, *seconds = NULL;
    struct history_selector *selector;

    assert_int_equal(store_metric_add(f->store, &counter, &metric), 0);
    selector = kit_select(f->history, "__name__=~\"own.*\"", KIT_HOUR_MS);
    assert_int_equal(store_metric_add(f->store, &histogram_spec, &seconds), 0); // born later
    store_metric_observe(seconds, 0.5);
    history_sample_own(f->history, KIT_T0);
    store_metric_inc(metric);
    store_metric_observe(seconds, 5);
    history_sample_own(f->history, KIT_T0 + STEP);
    store_metric_remove(f->store, metric);
    history_sample_own(f->history, KIT_T0 + 2 * STEP);
    assert_shows(f, selector, -1, 2 * STEP,
                 "{__name__=own_total} 0:0 15000:1 30000:stale;"
                 "{__name__=own_seconds_bucket,le=0.1} 0:0 15000:0 30000:0;"
                 "{__name__=own_seconds_bucket,le=1.0} 0:1 15000:1 30000:1;"
                 "{__name__=own_seconds_bucket,le=+Inf} 0:1 15000:2 30000:2;"
                 "{__name__=own_seconds_sum} 0:0.5 15000:5.5 30000:5.5;"
                 "{__name__=own_seconds_count} 0:1 15000:2 30000:2;");
    store_metric_remove(f->store, seconds);
}

static void count_refresh(void *arg, int64_t now_ms)
{
    (void)now_ms;
    store_metric_inc(arg);
}

static void own_metrics_are_refreshed_before(void **state)
{
    const struct store_metric_spec spec = {.kind = TMON_GAUGE, .name = "fresh"};
    struct fixture *f = *state;
    struct store_metric *metric = NULL;
    struct store_refresh refresh = {.fn = count_refresh};
    struct history_selector *selector;

    assert_int_equal(store_metric_add(f->store, &spec, &metric), 0);
    refresh.arg = metric;
    store_refresh_add(f->store, &refresh);
    history_sample_own(f->history, KIT_T0); // nobody looks
    selector = kit_select(f->history, "__name__=\"fresh\"", KIT_HOUR_MS);
    history_sample_own(f->history, KIT_T0 + STEP);
    assert_shows(f, selector, -1, STEP, "{__name__=fresh} 15000:1;");
    store_refresh_remove(f->store, &refresh);
}

static void samples_come_from_elsewhere(void **state)
{
    const struct tmon_pair labels[] = {{"__name__", "job:x"}, {"job", "a"}};
    struct tmon_pair many[100];
    struct fixture *f = *state;
    struct history_selector *selector;

    for (int i = 0; i < 100; i++) {
        many[i] = labels[1];
    }
    assert_int_equal(history_append(f->history, labels, 2, KIT_T0, 1), 0);
    assert_int_equal(stats(f, NULL).series, 0);
    assert_int_equal(history_append(f->history, many, 100, KIT_T0, 1), -EINVAL);
    selector = kit_select(f->history, "__name__=\"job:x\"", KIT_HOUR_MS);
    assert_int_equal(history_append(f->history, labels, 2, KIT_T0 + STEP, 2), 0);
    assert_int_equal(history_append(f->history, labels, 2, KIT_T0 + STEP, 3), 0); // the first stays
    assert_int_equal(history_append(f->history, labels, 2, KIT_T0 + 2 * STEP, 4), 0);
    assert_shows(f, selector, -1, 2 * STEP, "{__name__=job:x,job=a} 15000:2 30000:4;");
}

/* ---- where a series ends ---- */

static void a_series_that_stops_gets_a_mark(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);

    for (int i = 0; i < 5; i++) {
        gauge(f, "x", "1", i);
        if (i != 1 && i != 2) {
            gauge(f, "x", "2", i);
        }
        commit(f);
    }
    assert_shows(f, selector, -1, f->time_ms,
                 "{__name__=x,k=1} 0:0 15000:1 30000:2 45000:3 60000:4;"
                 "{__name__=x,k=2} 0:0 15000:stale 45000:3 60000:4;");
}

static void a_collection_that_fails_ends_all_series(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "k=~\".+\"", KIT_HOUR_MS);

    gauge(f, "x", "1", 1);
    gauge(f, "y", "2", 2);
    commit(f);
    store_collection_failed(f->store, f->owner, KIT_T0 + f->time_ms);
    store_collection_failed(f->store, f->owner, KIT_T0 + f->time_ms + STEP); // is told once
    f->time_ms += 2 * STEP;
    gauge(f, "x", "1", 3);
    commit(f);
    store_collection_failed(f->store, f->owner, KIT_T0 + f->time_ms - STEP); // it was half in
    assert_shows(f, selector, -1, f->time_ms,
                 "{__name__=x,k=1} 0:1 15000:stale 45000:3 45001:stale;"
                 "{__name__=y,k=2} 0:2 15000:stale;");
}

static void a_sample_with_its_own_time_ends_by_itself(void **state)
{
    const struct tmon_pair label = {"k", "1"};
    struct tmon_metric metric = {
        .size = sizeof metric, .kind = TMON_GAUGE, .name = "x", .labels = &label, .nlabels = 1};
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);
    static const int64_t times[] = {-7000, -7000, -8000, -1, 3600000, 500000};

    f->time_ms = 0;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        metric.time_ms = KIT_T0 + times[i]; // again, older, newer, from the far future, near
        metric.value = (double)i;
        put(f, &metric);
        commit(f);
    }
    commit(f); // without it
    assert_shows(f, selector, -KIT_HOUR_MS, KIT_HOUR_MS, "{__name__=x,k=1} -7000:0 -1:3 500000:5;");
    metric.time_ms = 0; // from now on without: another layout in the store, the same series
    put(f, &metric);
    f->time_ms = 600000;
    commit(f);
    commit(f);
    assert_shows(f, selector, 0, KIT_HOUR_MS, "{__name__=x,k=1} 500000:5 600000:5 615000:stale;");
}

static void a_reload_does_not_end_a_series(void **state)
{
    const struct store_owner_spec spec = {.name = "a"};
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);

    for (int i = 0; i < 3; i++) {
        gauge(f, "x", "stays", i);
        gauge(f, "x", "goes", i);
        commit(f);
    }
    store_owner_remove(f->store, f->owner);
    assert_int_equal(store_owner_add(f->store, &spec, &f->owner), 0);
    history_sample_own(f->history, KIT_T0 + 45000);
    gauge(f, "x", "stays", 3);
    f->time_ms = 50000;
    commit(f);
    history_sample_own(f->history, KIT_T0 + 61000); // another interval, and a tenth
    assert_shows(f, selector, STEP, KIT_HOUR_MS,
                 "{__name__=x,k=stays} 30000:2 50000:3;{__name__=x,k=goes} 30000:2;");
    history_sample_own(f->history, KIT_T0 + 62000);
    assert_shows(f, selector, STEP, KIT_HOUR_MS,
                 "{__name__=x,k=stays} 30000:2 50000:3;{__name__=x,k=goes} 30000:2 45000:stale;");
}

static void the_past_outlives_the_series(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);
    struct history_stats before;

    gauge(f, "x", "1", 1);
    commit(f);
    commit(f);
    f->time_ms += 600000;
    commit(f);
    f->time_ms += 600000;
    commit(f); // the store has dropped it
    before = stats(f, NULL);
    assert_int_equal(before.series, 1);
    gauge(f, "x", "1", 2);
    commit(f); // born again
    assert_shows(f, selector, -1, f->time_ms, "{__name__=x,k=1} 0:1 15000:stale 1260000:2;");
    store_owner_remove(f->store, f->owner);
    f->owner = NULL;
    history_sample_own(f->history, KIT_T0 + f->time_ms + KIT_HOUR_MS);
    assert_int_equal(stats(f, NULL).series, 1);
    history_sample_own(f->history, KIT_T0 + f->time_ms + 2 * KIT_HOUR_MS);
    assert_int_equal(stats(f, NULL).series, 0);
    assert_int_equal(stats(f, selector).series, 0);
}

/* ---- how far back ---- */

static void instant_selectors_keep_what_the_lookback_needs(void **state)
{
    struct fixture *f = *state;
    struct history_selector *instant = kit_select(f->history, "__name__=\"x\"", 300000);
    struct history_selector *range;
    size_t of_instant;

    for (int i = 0; i < 1000; i++) {
        gauge(f, "x", "1", i);
        commit(f);
    }
    of_instant = stats(f, instant).samples;
    assert_true(of_instant >= 20 && of_instant < 80);
    assert_last(f, instant, f->time_ms - 300000, f->time_ms,
                "{__name__=x,k=1} 14985000:999;"); // the last
    assert_last(f, instant, f->time_ms - 300000, 14984999,
                "{__name__=x,k=1} 14970000:998;"); // and the one before, without decoding
    assert_last(f, instant, 0, 14955001, "{__name__=x,k=1} 14955000:997;");
    assert_last(f, instant, 14955000, 14955001, "");
    // A range comes: what was dropped before is not held against it, as if the series were new.
    range = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);
    for (int i = 0; i < 1000; i++) {
        gauge(f, "x", "1", i % 7);
        commit(f);
    }
    assert_true(stats(f, range).samples >= 242 && stats(f, range).samples < 700);
    history_unselect(f->history, range);
    history_sample_own(f->history, KIT_T0 + f->time_ms);
    assert_true(stats(f, instant).samples < of_instant * 3);
    f->time_ms += 10 * KIT_HOUR_MS;
    history_sample_own(f->history, KIT_T0 + f->time_ms); // the series is in the store still
    assert_last(f, instant, 0, f->time_ms, "{__name__=x,k=1} 29985000:5;");
}

static void what_was_dropped_is_told(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);
    int cut = 0;

    for (int i = 0; i < 2000; i++) {
        gauge(f, "x", "1", sin(i));
        commit(f);
    }
    // The range that was asked for is there, even a little late; the whole is not.
    for (int64_t late_ms = 0; late_ms <= 30000; late_ms += 1000) {
        buf_clear(&f->text);
        assert_int_equal(kit_show(f->history, selector, f->time_ms - STEP - late_ms - KIT_HOUR_MS,
                                  f->time_ms, false, &f->text),
                         0);
        assert_null(strstr(buf_str(&f->text), "cut"));
    }
    buf_clear(&f->text);
    assert_int_equal(kit_show(f->history, selector, 0, f->time_ms, false, &f->text), 0);
    cut = strstr(buf_str(&f->text), "cut") != NULL;
    assert_true(cut);
    assert_int_equal(stats(f, NULL).cut, 0); // it is as it should be
}

struct count {
    int64_t next;
    size_t n;
};

static int count(void *arg, const struct history_series *series)
{
    struct count *count = arg;

    assert_false(series->cut);
    for (size_t i = 0; i < series->n; i++) {
        assert_true(series->samples[i].time_ms == KIT_T0 + count->next * STEP);
        assert_true(series->samples[i].value == sin((double)count->next));
        count->next++;
        count->n++;
    }
    return 7; // what it returns is what the reading returns
}

/* The lock is let go in between. */
static void a_long_range_is_read_in_parts(void **state)
{
    const struct tmon_pair label = {"__name__", "x"};
    struct fixture *f = *state;
    struct history_selector *selector =
        kit_select(f->history, "__name__=\"x\"", INT64_C(1000) * KIT_HOUR_MS);
    struct count all = {0}, part = {.next = 10001};

    for (int i = 0; i < 50000; i++) {
        assert_int_equal(history_append(f->history, &label, 1, KIT_T0 + i * INT64_C(15000), sin(i)),
                         0);
    }
    assert_int_equal(history_read(f->history, selector, KIT_T0 - 1, INT64_MAX, count, &all), 7);
    assert_int_equal(all.n, 50000);
    assert_int_equal(history_read(f->history, selector, KIT_T0 + 10000 * INT64_C(15000),
                                  KIT_T0 + 40000 * INT64_C(15000), count, &part),
                     7);
    assert_int_equal(part.n, 30000);
    assert_int_equal(stats(f, selector).samples, 50000);
}

static void a_clock_that_goes_back_takes_the_future_along(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);

    for (int i = 0; i < 200; i++) {
        gauge(f, "x", "1", i);
        commit(f);
    }
    for (int back = 0; back < 20; back++) {
        char expected[256];
        int64_t at = f->time_ms - 15000 * (1 + back) - 7000;

        f->time_ms = at;
        gauge(f, "x", "1", 1000 + back);
        commit(f);
        f->time_ms = at + STEP;
        snprintf(expected, sizeof expected, "%" PRId64 ":%d;", at, 1000 + back);
        buf_clear(&f->text);
        assert_int_equal(kit_show(f->history, selector, -1, 10 * KIT_HOUR_MS, false, &f->text), 0);
        assert_non_null(strstr(buf_str(&f->text), expected)); // the last one
        assert_int_equal(strlen(strstr(buf_str(&f->text), expected)), strlen(expected));
        for (int i = 0; i < 5; i++) {
            gauge(f, "x", "1", i);
            commit(f);
        }
    }
    f->time_ms = -100000; // before all of it
    gauge(f, "x", "1", 5);
    commit(f);
    assert_shows(f, selector, -KIT_HOUR_MS, 10 * KIT_HOUR_MS, "{__name__=x,k=1} -100000:5;");
    assert_int_equal(stats(f, NULL).samples, 1);
}

static void times_are_moved_a_little_to_where_they_were_due(void **state)
{
    static const int64_t offs[] = {0, 1, -2, 2, 3, 0};
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);

    for (int i = 0; i < 8; i++) {
        f->time_ms = i * STEP + (i < 2 ? 0 : offs[i - 2]);
        gauge(f, "x", "1", i);
        commit(f);
    }
    assert_shows(f, selector, -1, f->time_ms,
                 "{__name__=x,k=1} 0:0 15000:1 30000:2 45000:3 60000:4 75000:5 90003:6 105000:7;");
}

/* ---- bounds ---- */

static void the_bound_cuts_and_tells(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", 24 * KIT_HOUR_MS);
    struct history_stats now;
    char k[16];

    for (int i = 0; i < 2000; i++) {
        for (int j = 0; j < 40; j++) {
            snprintf(k, sizeof k, "%d", j);
            gauge(f, "x", k, sin(i * 100 + j));
        }
        commit(f);
        now = stats(f, NULL);
        assert_true(now.bytes <= 100000 + 8192); // tables grow first
    }
    assert_true(now.bytes > 90000);
    assert_int_equal(now.series, 40);
    assert_int_equal(now.cut, 40);
    assert_int_equal(now.missing, 0);
    buf_clear(&f->text);
    assert_int_equal(
        kit_show(f->history, selector, f->time_ms - 24 * KIT_HOUR_MS, f->time_ms, false, &f->text),
        0);
    for (const char *at = buf_str(&f->text); *at; at = strchr(at, ';') + 1) {
        assert_memory_equal(strchr(at, '}'), "} cut ", 6);
    }
    // What is there is right, and a shorter range over it is no wrong number.
    buf_clear(&f->text);
    assert_int_equal(
        kit_show(f->history, selector, f->time_ms - 600000, f->time_ms, false, &f->text), 0);
    assert_null(strstr(buf_str(&f->text), "cut"));
    assert_int_equal(now.series, 40);
}

static void what_has_no_room_at_all_is_missed(void **state)
{
    struct fixture *f = *state;
    struct history_selector *few = kit_select(f->history, "__name__=\"few\"", KIT_HOUR_MS);
    struct history_selector *many = kit_select(f->history, "__name__=\"many\"", KIT_HOUR_MS);
    char k[16];

    gauge(f, "few", "1", 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(k, sizeof k, "%d", i);
        gauge(f, "many", k, i);
    }
    commit(f);
    assert_true(stats(f, NULL).bytes < 110000);
    assert_true(stats(f, many).missing > 500);
    assert_int_equal(stats(f, few).missing, 0);
    buf_clear(&f->text);
    assert_int_equal(kit_show(f->history, many, -1, 0, false, &f->text), -ENOBUFS);
    assert_int_equal(kit_show(f->history, many, -1, 0, true, &f->text), -ENOBUFS);
    assert_shows(f, few, -1, 0, "{__name__=few,k=1} 0:1;");
    // The others go: then they are found.
    for (int i = 900; i < 1000; i++) {
        snprintf(k, sizeof k, "%d", i);
        gauge(f, "many", k, i);
    }
    gauge(f, "few", "1", 2);
    commit(f);
    f->time_ms += 2 * KIT_HOUR_MS;
    for (int i = 0; i < 3; i++) {
        for (int j = 900; j < 1000; j++) {
            snprintf(k, sizeof k, "%d", j);
            gauge(f, "many", k, j);
        }
        gauge(f, "few", "1", 2);
        commit(f);
        history_sample_own(f->history, KIT_T0 + f->time_ms);
        f->time_ms += 60000;
    }
    assert_int_equal(stats(f, many).missing, 0);
    assert_int_equal(stats(f, many).series, 100);
    // Nobody knows what they were before.
    buf_clear(&f->text);
    assert_int_equal(kit_show(f->history, many, -1, f->time_ms, false, &f->text), 0);
    for (const char *at = buf_str(&f->text); *at; at = strchr(at, ';') + 1) {
        assert_memory_equal(strchr(at, '}'), "} cut ", 6);
    }
}

static void what_was_missed_once_is_not_whole_when_it_is_born_again(void **state)
{
    struct fixture *f = *state;
    struct history_selector *many = kit_select(f->history, "__name__=\"many\"", KIT_HOUR_MS);
    struct history_selector *late = kit_select(f->history, "__name__=\"late\"", KIT_HOUR_MS);
    char k[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(k, sizeof k, "%d", i);
        gauge(f, "many", k, i);
    }
    gauge(f, "late", "1", 1);
    commit(f);
    assert_int_equal(stats(f, late).missing, 1);
    history_unselect(f->history, many);
    gauge(f, "many", "0", 1);
    f->time_ms += 600000;
    commit(f); // the store has dropped it now
    gauge(f, "late", "1", 2);
    commit(f);
    history_sample_own(f->history, KIT_T0 + f->time_ms);
    assert_int_equal(stats(f, late).missing, 0);
    assert_shows(f, late, -1, f->time_ms, "{__name__=late,k=1} cut 630000:2;");
    assert_shows(f, late, 629999, f->time_ms, "{__name__=late,k=1} 630000:2;");
}

static void one_that_comes_late_gets_its_share(void **state)
{
    struct fixture *f = *state;
    struct history_selector *a = kit_select(f->history, "__name__=\"a\"", 24 * KIT_HOUR_MS);
    struct history_selector *b = kit_select(f->history, "__name__=\"b\"", 24 * KIT_HOUR_MS);
    char k[16];

    for (int i = 0; i < 3000; i++) {
        for (int j = 0; j < 20; j++) {
            snprintf(k, sizeof k, "%d", j);
            gauge(f, "a", k, sin(i * 100 + j));
            if (i > 1000) {
                gauge(f, "b", k, cos(i * 100 + j));
            }
        }
        commit(f);
    }
    assert_true(stats(f, b).bytes > stats(f, a).bytes / 2);
    assert_int_equal(stats(f, b).cut, 20);
}

/* ---- restarts ---- */

static struct history *again(struct fixture *f, struct store **ret_store, const char *text,
                             int64_t keep_ms, struct history_selector **ret_selector)
{
    struct history *history = NULL;

    (void)f;
    assert_int_equal(store_create(NULL, ret_store), 0);
    assert_int_equal(history_create(*ret_store, NULL, &history), 0);
    *ret_selector = kit_select(history, text, keep_ms);
    return history;
}

static void fill(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        gauge(f, "x", "1", i);
        gauge(f, "x", "2", i % 10 ? NAN : i);
        if (i % 3) {
            gauge(f, "x", "3", i / 100.0);
        }
        gauge(f, "y", "4", -0.0);
        commit(f);
        history_sample_own(f->history, KIT_T0 + f->time_ms);
    }
}

static void history_survives_a_restart(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "k!=\"\"", KIT_HOUR_MS);
    struct history_selector *other, *x;
    struct store *store;
    struct history *history;
    struct buf saved;
    struct buf text;
    int64_t now_ms;

    fill(f, 300);
    now_ms = KIT_T0 + f->time_ms;
    buf_init(&saved, 1 << 20);
    buf_init(&text, 1 << 20);
    assert_int_equal(history_save(f->history, now_ms, &saved), 0);
    history = again(f, &store, "k!=\"\"", KIT_HOUR_MS, &other);
    x = kit_select(history, "__name__=\"x\"", KIT_HOUR_MS);
    assert_int_equal(history_restore(history, saved.data, saved.len, now_ms), 0);
    buf_clear(&f->text);
    assert_int_equal(
        kit_show(f->history, selector, f->time_ms - KIT_HOUR_MS, f->time_ms, false, &f->text), 0);
    assert_int_equal(kit_show(history, other, f->time_ms - KIT_HOUR_MS, f->time_ms, false, &text),
                     0);
    // The order may be another.
    assert_int_equal(text.len, f->text.len);
    for (char *save, *one = strtok_r(f->text.data, ";", &save); one;
         one = strtok_r(NULL, ";", &save)) {
        assert_non_null(strstr(buf_str(&text), one));
    }
    {
        struct history_stats a, b, c;

        history_stats(f->history, selector, &a);
        history_stats(history, other, &b);
        history_stats(history, x, &c);
        assert_true(a.since_ms > 0 && a.since_ms == b.since_ms);
        assert_int_equal(c.since_ms, 0); // it is new
    }
    store_destroy(store);
    // What nobody wants any more, what is too old, and what is to come, stay out.
    history = again(f, &store, "__name__=\"y\"", 60000, &other);
    assert_int_equal(history_restore(history, saved.data, saved.len, now_ms - 30000), 0);
    buf_clear(&text);
    assert_int_equal(kit_show(history, other, -1, f->time_ms, false, &text), 0);
    assert_non_null(strstr(buf_str(&text), "4470000:-0;")); // and not 4485000
    assert_true(text.len < 140);
    store_destroy(store);
    history = again(f, &store, "__name__=\"y\"", 60000, &other);
    assert_int_equal(history_restore(history, saved.data, saved.len, now_ms + KIT_HOUR_MS), 0);
    buf_clear(&text);
    assert_int_equal(kit_show(history, other, -1, f->time_ms, false, &text), 0);
    assert_string_equal(buf_str(&text), "");
    history_sample_own(history, now_ms + KIT_HOUR_MS);
    {
        struct history_stats all;

        history_stats(history, NULL, &all);
        assert_int_equal(all.series, 0);
    }
    store_destroy(store);
    buf_finish(&saved);
    buf_finish(&text);
}

static void what_came_before_the_snapshot_was_read_stays(void **state)
{
    struct fixture *f = *state;
    const struct store_owner_spec spec = {.name = "a"};
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", KIT_HOUR_MS);
    struct history_selector *other;
    struct store *store;
    struct history *history;
    struct buf saved;

    (void)selector;
    gauge(f, "x", "1", 1);
    commit(f);
    gauge(f, "x", "1", 2);
    commit(f);
    buf_init(&saved, 1 << 20);
    assert_int_equal(history_save(f->history, KIT_T0 + f->time_ms, &saved), 0);
    history = again(f, &store, "__name__=\"x\"", KIT_HOUR_MS, &other);
    {
        struct store_owner *owner = NULL;
        struct store_commit_result result;

        assert_int_equal(store_owner_add(store, &spec, &owner), 0);
        for (int i = 0; i < 2; i++) {
            gauge(f, "x", "1", 10 + i);
            assert_int_equal(store_commit(store, owner, f->batch.data, f->batch.len, 1000,
                                          KIT_T0 + 60000 + i * STEP, &result),
                             0);
            buf_clear(&f->batch);
        }
        assert_int_equal(history_restore(history, saved.data, saved.len, KIT_T0 + 74998), 0);
        gauge(f, "x", "1", 12);
        assert_int_equal(
            store_commit(store, owner, f->batch.data, f->batch.len, 1000, KIT_T0 + 90000, &result),
            0);
        buf_clear(&f->batch);
    }
    buf_clear(&f->text);
    assert_int_equal(kit_show(history, other, -1, KIT_HOUR_MS, false, &f->text), 0);
    assert_string_equal(buf_str(&f->text),
                        "{__name__=x,k=1} 0:1 15000:2 60000:10 75000:11 90000:12;");
    store_destroy(store);
    buf_finish(&saved);
}

static void damage_costs_what_is_damaged(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "k!=\"\"", 100 * KIT_HOUR_MS);
    struct history_selector *other;
    struct store *store;
    struct history *history;
    struct history_stats whole, part;
    struct buf saved;
    char k[16];
    size_t kept = 0;

    for (int i = 0; i < 40; i++) {
        for (int j = 0; j < 300; j++) {
            snprintf(k, sizeof k, "%d", j);
            gauge(f, "x", k, sin(i * 1000 + j));
        }
        commit(f);
    }
    history_stats(f->history, selector, &whole);
    buf_init(&saved, 1 << 20);
    assert_int_equal(history_save(f->history, KIT_T0 + f->time_ms, &saved), 0);
    assert_true(saved.len > 100000); // several frames
    for (size_t i = 0; i <= 60; i++) {
        size_t at = i * (saved.len - 1) / 60;

        saved.data[at] ^= 0x10;
        history = again(f, &store, "k!=\"\"", 100 * KIT_HOUR_MS, &other);
        assert_int_equal(history_restore(history, saved.data, saved.len, KIT_T0 + f->time_ms),
                         -EPROTO);
        history_stats(history, other, &part);
        assert_true(part.series < whole.series || part.samples == whole.samples);
        assert_true(part.series * 3 > whole.series); // a frame of them at most
        assert_int_equal(part.since_ms, 0);
        kept += part.series;
        store_destroy(store);
        saved.data[at] ^= 0x10;
    }
    assert_true(kept > 61 * whole.series / 2);
    for (size_t i = 0; i < 40; i++) { // cut off
        history = again(f, &store, "k!=\"\"", 100 * KIT_HOUR_MS, &other);
        assert_int_equal(
            history_restore(history, saved.data, i * (saved.len - 1) / 39, KIT_T0 + f->time_ms),
            -EPROTO);
        store_destroy(store);
    }
    buf_finish(&saved);
}

static void a_snapshot_says_where_the_bound_cut(void **state)
{
    struct fixture *f = *state;
    struct history_selector *selector = kit_select(f->history, "__name__=\"x\"", 24 * KIT_HOUR_MS);
    struct history_selector *other;
    struct store *store;
    struct history *history;
    struct buf saved;

    for (int i = 0; i < 3000; i++) {
        char k[16];

        for (int j = 0; j < 20; j++) {
            snprintf(k, sizeof k, "%d", j);
            gauge(f, "x", k, sin(i * 100 + j));
        }
        commit(f);
    }
    assert_int_equal(stats(f, selector).cut, 20);
    buf_init(&saved, 1 << 20);
    assert_int_equal(history_save(f->history, KIT_T0 + f->time_ms, &saved), 0);
    history = again(f, &store, "__name__=\"x\"", 24 * KIT_HOUR_MS, &other);
    assert_int_equal(history_restore(history, saved.data, saved.len, KIT_T0 + f->time_ms), 0);
    {
        struct history_stats all;

        history_stats(history, other, &all);
        assert_int_equal(all.cut, 20);
    }
    store_destroy(store);
    buf_finish(&saved);
}

static void a_buf_that_is_full_is_told(void **state)
{
    struct fixture *f = *state;
    struct buf saved;

    (void)kit_select(f->history, "k!=\"\"", KIT_HOUR_MS);
    fill(f, 50);
    buf_init(&saved, 100);
    assert_int_equal(history_save(f->history, KIT_T0, &saved), -ENOBUFS);
    buf_finish(&saved);
}

#define CASE(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)
#define SMALL(name_) cmocka_unit_test_setup_teardown(name_, set_up_small, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_what_is_selected_is_kept),
        CASE(selectors_match_as_their_matchers_say),
        CASE(labels_are_the_values_not_their_text),
        CASE(histograms_are_what_prometheus_has_of_them),
        CASE(negative_bounds_have_no_sum),
        CASE(summaries_too),
        CASE(the_agents_own_are_sampled),
        CASE(own_metrics_are_refreshed_before),
        CASE(samples_come_from_elsewhere),
        CASE(a_series_that_stops_gets_a_mark),
        CASE(a_collection_that_fails_ends_all_series),
        CASE(a_sample_with_its_own_time_ends_by_itself),
        CASE(a_reload_does_not_end_a_series),
        CASE(the_past_outlives_the_series),
        CASE(instant_selectors_keep_what_the_lookback_needs),
        CASE(what_was_dropped_is_told),
        CASE(a_long_range_is_read_in_parts),
        CASE(a_clock_that_goes_back_takes_the_future_along),
        CASE(times_are_moved_a_little_to_where_they_were_due),
        SMALL(the_bound_cuts_and_tells),
        SMALL(what_has_no_room_at_all_is_missed),
        SMALL(what_was_missed_once_is_not_whole_when_it_is_born_again),
        SMALL(one_that_comes_late_gets_its_share),
        CASE(history_survives_a_restart),
        CASE(what_came_before_the_snapshot_was_read_stays),
        CASE(damage_costs_what_is_damaged),
        SMALL(a_snapshot_says_where_the_bound_cut),
        CASE(a_buf_that_is_full_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
