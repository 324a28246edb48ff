/* Scrapes: the exact text of every kind in both formats, blocks of any size, changes in the midst,
 * gzip, promtool. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "kit.h"

struct fixture {
    struct store *store;
    struct store_owner *owner;
    struct buf batch;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const struct store_owner_spec spec = {.name = "a", .series = 100000};

    if (!fixture || store_create(NULL, &fixture->store) < 0 ||
        store_owner_add(fixture->store, &spec, &fixture->owner) < 0) {
        return -1;
    }
    buf_init(&fixture->batch, 32 << 20);
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

static void commit(struct fixture *fixture, int64_t now_ms)
{
    struct store_commit_result result;

    assert_int_equal(store_commit(fixture->store, fixture->owner, fixture->batch.data,
                                  fixture->batch.len, now_ms, now_ms, &result),
                     0);
    buf_clear(&fixture->batch);
}

static void emit(struct fixture *fixture, struct tmon_metric metric)
{
    const char *why = "";

    metric.size = sizeof metric;
    if (sample_encode(&fixture->batch, &metric, &why) < 0) {
        fail_msg("%s", why);
    }
}

static void emit_all_kinds(struct fixture *fixture)
{
    static const struct tmon_pair label = {"path", "C:\\DIR \"x\"\nnext \xf0\x9f\x9a\xbd"};
    static const double bounds[] = {-1, 0.5, 10};
    static const double counts[] = {1, 2, 3};
    static const double quantiles[] = {0, 0.5, 1};
    static const double values[] = {0.25, NAN, INFINITY};

    emit(fixture, (struct tmon_metric){.kind = TMON_GAUGE,
                                       .name = "t_gauge",
                                       .help = "A \\ \"gauge\"\nof\tours.\r",
                                       .value = -0.5,
                                       .labels = &label,
                                       .nlabels = 1});
    emit(fixture, (struct tmon_metric){
                      .kind = TMON_COUNTER, .name = "t_good_total", .help = "Good.", .value = 3});
    emit(fixture, (struct tmon_metric){
                      .kind = TMON_COUNTER, .name = "t_odd", .help = "Odd.", .value = 1e21});
    emit(fixture, (struct tmon_metric){
                      .kind = TMON_COUNTER, .name = "t_gauge_total", .help = "Clash.", .value = 4});
    emit(fixture,
         (struct tmon_metric){.kind = TMON_UNTYPED, .name = "t_untyped_total", .value = NAN});
    emit(fixture, (struct tmon_metric){
                      .kind = TMON_GAUGE, .name = "t_timed", .value = 1, .time_ms = 1795453643007});
    emit(fixture, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                       .name = "t_histogram_bytes",
                                       .help = "H.",
                                       .value = 7,
                                       .labels = &label,
                                       .nlabels = 1,
                                       .bounds = bounds,
                                       .points = counts,
                                       .npoints = 3,
                                       .count = 5});
    emit(fixture, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                       .name = "t_histogram_seconds",
                                       .help = "S.",
                                       .value = 7,
                                       .bounds = bounds + 1,
                                       .points = counts,
                                       .npoints = 2,
                                       .count = 5});
    emit(fixture, (struct tmon_metric){.kind = TMON_SUMMARY,
                                       .name = "t_summary",
                                       .help = "Q.",
                                       .value = 8,
                                       .bounds = quantiles,
                                       .points = values,
                                       .npoints = 3,
                                       .count = 6});
    commit(fixture, 1000);
}

static void assert_valid(const char *text, size_t len, bool openmetrics)
{
    char error[256];
    unsigned samples;

    if (!kit_read(text, len, openmetrics, &samples, error)) {
        fail_msg("%s", error);
    }
}

#define LABEL "path=\"C:\\\\DIR \\\"x\\\"\\nnext \xf0\x9f\x9a\xbd\""

static const char expected_text[] =
    "# HELP t_gauge A \\\\ \"gauge\"\\nof ours. \n"
    "# TYPE t_gauge gauge\n"
    "t_gauge{" LABEL "} -0.5\n"
    "# HELP t_gauge_total Clash.\n"
    "# TYPE t_gauge_total counter\n"
    "t_gauge_total 4\n"
    "# HELP t_good_total Good.\n"
    "# TYPE t_good_total counter\n"
    "t_good_total 3\n"
    "# HELP t_histogram_bytes H.\n"
    "# TYPE t_histogram_bytes histogram\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"-1\"} 1\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"0.5\"} 2\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"10\"} 3\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"+Inf\"} 5\n"
    "t_histogram_bytes_sum{" LABEL "} 7\n"
    "t_histogram_bytes_count{" LABEL "} 5\n"
    "# HELP t_histogram_seconds S.\n"
    "# TYPE t_histogram_seconds histogram\n"
    "t_histogram_seconds_bucket{le=\"0.5\"} 1\n"
    "t_histogram_seconds_bucket{le=\"10\"} 2\n"
    "t_histogram_seconds_bucket{le=\"+Inf\"} 5\n"
    "t_histogram_seconds_sum 7\n"
    "t_histogram_seconds_count 5\n"
    "# HELP t_odd Odd.\n"
    "# TYPE t_odd counter\n"
    "t_odd 1e+21\n"
    "# HELP t_summary Q.\n"
    "# TYPE t_summary summary\n"
    "t_summary{quantile=\"0\"} 0.25\n"
    "t_summary{quantile=\"0.5\"} NaN\n"
    "t_summary{quantile=\"1\"} +Inf\n"
    "t_summary_sum 8\n"
    "t_summary_count 6\n"
    "# TYPE t_timed gauge\n"
    "t_timed 1 1795453643007\n"
    "# TYPE t_untyped_total untyped\n"
    "t_untyped_total NaN\n"
    "# HELP toiletmon_store_instance_series Series that an instance holds.\n";

static const char expected_openmetrics[] =
    "# TYPE t_gauge gauge\n"
    "# HELP t_gauge A \\\\ \\\"gauge\\\"\\nof ours. \n"
    "t_gauge{" LABEL "} -0.5\n"
    "# TYPE t_gauge_total unknown\n" // t_gauge is taken
    "# HELP t_gauge_total Clash.\n"
    "t_gauge_total 4\n"
    "# TYPE t_good counter\n"
    "# HELP t_good Good.\n"
    "t_good_total 3\n"
    "# TYPE t_histogram_bytes histogram\n"
    "# HELP t_histogram_bytes H.\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"-1.0\"} 1\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"0.5\"} 2\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"10.0\"} 3\n"
    "t_histogram_bytes_bucket{" LABEL ",le=\"+Inf\"} 5\n"
    "t_histogram_bytes_count{" LABEL "} 5\n" // no sum: a bound is negative
    "# TYPE t_histogram_seconds histogram\n"
    "# HELP t_histogram_seconds S.\n"
    "t_histogram_seconds_bucket{le=\"0.5\"} 1\n"
    "t_histogram_seconds_bucket{le=\"10.0\"} 2\n"
    "t_histogram_seconds_bucket{le=\"+Inf\"} 5\n"
    "t_histogram_seconds_sum 7\n"
    "t_histogram_seconds_count 5\n"
    "# TYPE t_odd unknown\n"
    "# HELP t_odd Odd.\n"
    "t_odd 1e+21\n"
    "# TYPE t_summary summary\n"
    "# HELP t_summary Q.\n"
    "t_summary{quantile=\"0.0\"} 0.25\n"
    "t_summary{quantile=\"0.5\"} NaN\n"
    "t_summary{quantile=\"1.0\"} +Inf\n"
    "t_summary_sum 8\n"
    "t_summary_count 6\n"
    "# TYPE t_timed gauge\n"
    "t_timed 1 1795453643.007\n"
    "# TYPE t_untyped_total unknown\n"
    "t_untyped_total NaN\n"
    "# TYPE toiletmon_store_instance_series gauge\n";

static void every_kind_is_written_as_it_should(void **state)
{
    struct fixture *fixture = *state;
    size_t len;
    char *text;

    emit_all_kinds(fixture);
    text = kit_scrape(fixture->store, EXPOSITION_TEXT, false, 65536, 1000, &len);
    assert_valid(text, len, false);
    text[sizeof expected_text - 1] = '\0';
    assert_string_equal(text, expected_text);
    free(text);
    text = kit_scrape(fixture->store, EXPOSITION_OPENMETRICS, false, 65536, 1000, &len);
    assert_valid(text, len, true);
    assert_string_equal(text + len - 7, "\n# EOF\n");
    text[sizeof expected_openmetrics - 1] = '\0';
    assert_string_equal(text, expected_openmetrics);
    free(text);
}

static void any_block_gives_the_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    char *whole;
    size_t whole_len;

    emit_all_kinds(fixture);
    whole = kit_scrape(fixture->store, EXPOSITION_OPENMETRICS, false, 1 << 20, 1000, &whole_len);
    for (size_t block = 1; block < 1200; block += block < 100 ? 1 : 37) {
        size_t len;
        char *text = kit_scrape(fixture->store, EXPOSITION_OPENMETRICS, false, block, 1000, &len);

        assert_int_equal(len, whole_len);
        assert_memory_equal(text, whole, len);
        free(text);
    }
    free(whole);
}

static void gzip_unpacks_to_the_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    size_t plain_len;
    size_t len;
    char *plain;
    char *packed;
    char *unpacked;
    z_stream stream = {0};

    emit_all_kinds(fixture);
    for (int i = 0; i < 3000; i++) {
        char value[16];

        snprintf(value, sizeof value, "%d", i);
        assert_true(kit_sample(&fixture->batch, TMON_GAUGE, "t_many", "i", value, i * 0.37));
    }
    commit(fixture, 1000);
    plain = kit_scrape(fixture->store, EXPOSITION_TEXT, false, 65536, 1000, &plain_len);
    for (size_t block = 10; block < 100000; block *= 20) {
        packed = kit_scrape(fixture->store, EXPOSITION_TEXT, true, block, 1000, &len);
        assert_true(len < plain_len / 3);
        unpacked = malloc(plain_len + 100);
        assert_non_null(unpacked);
        assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
        stream.next_in = (unsigned char *)packed;
        stream.avail_in = (unsigned)len;
        stream.next_out = (unsigned char *)unpacked;
        stream.avail_out = (unsigned)plain_len + 100;
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.total_out, plain_len);
        assert_memory_equal(unpacked, plain, plain_len);
        inflateEnd(&stream);
        free(unpacked);
        free(packed);
    }
    free(plain);
}

static void a_long_histogram_is_of_one_moment(void **state)
{
    struct fixture *fixture = *state;
    double bounds[LIMIT_BUCKETS];
    double points[LIMIT_BUCKETS];
    struct exposition *exposition = NULL;
    struct buf text;
    char block[512];
    ssize_t n;
    unsigned buckets = 0;
    double first = 0;

    for (int i = 0; i < LIMIT_BUCKETS; i++) {
        bounds[i] = i;
    }
    buf_init(&text, 1 << 20);
    assert_int_equal(exposition_create(fixture->store, EXPOSITION_TEXT, false, 0, &exposition), 0);
    for (int round = 1;; round++) {
        // Between two blocks the counts change, and so does how many buckets there are.
        for (int i = 0; i < LIMIT_BUCKETS; i++) {
            points[i] = round * 1000;
        }
        emit(fixture, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                           .name = "a_seconds",
                                           .bounds = bounds,
                                           .points = points,
                                           .npoints = (size_t)LIMIT_BUCKETS - (size_t)round % 3,
                                           .count = (uint64_t)round * 1000});
        commit(fixture, round * 1000);
        n = exposition_read(exposition, block, sizeof block);
        if (n == 0) {
            break;
        }
        assert_true(n > 0);
        buf_append(&text, block, (size_t)n);
    }
    exposition_destroy(exposition);
    exposition = NULL;
    assert_valid(buf_str(&text), text.len, false);
    // The family was not there when the scrape began; a second one has it.
    buf_clear(&text);
    assert_int_equal(exposition_create(fixture->store, EXPOSITION_TEXT, false, 0, &exposition), 0);
    while ((n = exposition_read(exposition, block, sizeof block)) > 0) {
        buf_append(&text, block, (size_t)n);
        for (int i = 0; i < LIMIT_BUCKETS; i++) {
            points[i] += 1;
        }
        emit(fixture, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                           .name = "a_seconds",
                                           .bounds = bounds,
                                           .points = points,
                                           .npoints = LIMIT_BUCKETS,
                                           .count = (uint64_t)points[0]});
        commit(fixture, 100000);
    }
    exposition_destroy(exposition);
    assert_valid(buf_str(&text), text.len, false);
    for (const char *at = buf_str(&text); (at = strstr(at, "a_seconds_bucket")) != NULL;) {
        double count;

        at = strchr(at, ' ');
        assert_non_null(at);
        count = strtod(at, NULL);
        assert_true(buckets == 0 || count == first);
        first = count;
        buckets++;
    }
    assert_int_equal(buckets, LIMIT_BUCKETS + 1);
    buf_finish(&text);
}

/* promtool, where it is installed: Prometheus's own opinion. */
static void promtool_has_nothing_to_say(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/toiletmon-metrics-XXXXXX";
    static const struct tmon_pair label = {"name", "x"};
    static const double bounds[] = {0.5, 10};
    static const double points[] = {0, 2};
    char *text;
    size_t len;
    pid_t pid;
    int status = -1;
    int fd;

    emit(fixture, (struct tmon_metric){
                      .kind = TMON_COUNTER, .name = "t_runs_total", .help = "Runs.", .value = 3});
    emit(fixture, (struct tmon_metric){.kind = TMON_GAUGE,
                                       .name = "t_size_bytes",
                                       .help = "Size.",
                                       .value = 0.1,
                                       .labels = &label,
                                       .nlabels = 1});
    emit(fixture,
         (struct tmon_metric){
             .kind = TMON_UNTYPED, .name = "t_rows_total", .help = "Rows.", .value = 1e100});
    emit(fixture, (struct tmon_metric){.kind = TMON_HISTOGRAM,
                                       .name = "t_run_seconds",
                                       .help = "Runs.",
                                       .value = 3,
                                       .bounds = bounds,
                                       .points = points,
                                       .npoints = 2,
                                       .count = 2});
    emit(fixture, (struct tmon_metric){.kind = TMON_SUMMARY,
                                       .name = "t_wait_seconds",
                                       .help = "Waits.",
                                       .value = 3,
                                       .bounds = bounds,
                                       .points = points,
                                       .npoints = 1,
                                       .count = 2});
    emit(fixture, (struct tmon_metric){.kind = TMON_GAUGE,
                                       .name = "t_size_bytes",
                                       .help = "Size.",
                                       .value = 0.1,
                                       .labels = &label,
                                       .nlabels = 1}); // so that there is a refusal to show
    commit(fixture, 1000);
    text = kit_scrape(fixture->store, EXPOSITION_TEXT, false, 65536, 1000, &len);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    free(text);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    pid = fork();
    if (pid == 0) {
        if (dup2(fd, STDIN_FILENO) == 0 && dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO) {
            execlp("promtool", "promtool", "check", "metrics", (char *)NULL);
        }
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(fd);
    unlink(path);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        skip();
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(fn_) cmocka_unit_test_setup_teardown(fn_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_kind_is_written_as_it_should), CASE(any_block_gives_the_same_bytes),
        CASE(gzip_unpacks_to_the_same_bytes),     CASE(a_long_histogram_is_of_one_moment),
        CASE(promtool_has_nothing_to_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
