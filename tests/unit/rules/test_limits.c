/* core/rules: what is too long, too deep or too much is refused, never crashes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "kit.h"

/* before * n, middle, after * n */
static char *nest(const char *before, size_t n, const char *middle, const char *after)
{
    struct buf buf;

    buf_init(&buf, 8 << 20);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&buf, before);
    }
    buf_puts(&buf, middle);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&buf, after);
    }
    return buf_take(&buf);
}

static void refused(char *text, const char *wanted)
{
    struct expr *expr = NULL;
    char why[300] = "";

    assert_non_null(text);
    assert_int_equal(expr_parse(text, &expr, why, sizeof why), -EINVAL);
    if (!strstr(why, wanted)) {
        fail_msg("\"%s\" does not say \"%s\"", why, wanted);
    }
    free(text);
}

static void taken(char *text)
{
    struct kit kit;
    char *result;

    kit_init(&kit);
    kit_load(&kit, "a 1 2 3");
    assert_non_null(text);
    result = kit_show(&kit, text, 30000);
    assert_null(strstr(result, ": "));
    free(result);
    free(text);
    kit_finish(&kit);
}

static void depth_is_bounded(void **state)
{
    const size_t n = LIMIT_EXPR_DEPTH - 1;

    taken(nest("(", n, "1", ")"));
    refused(nest("(", n + 1, "1", ")"), "nests deeper than 200");
    refused(nest("(", 8000, "1", ")"), "nests deeper than 200");
    refused(nest("(", 16000, "", ""), "nests deeper than 200");
    taken(nest("-", n, "a", ""));
    refused(nest("-", 16000, "a", ""), "nests deeper than 200");
    taken(nest("abs(", n, "a", ")"));
    refused(nest("abs(", 3000, "a", ")"), "nests deeper than 200");
    taken(nest("sum(", n, "a", ")"));
    refused(nest("sum(", 3000, "a", ")"), "nests deeper than 200");
    taken(nest("2^", n, "1", ""));
    refused(nest("2^", 8000, "1", ""), "nests deeper than 200");
    taken(nest("", n, "1", "+1"));
    refused(nest("", n + 1, "1", "+1"), "nests deeper than 200");
    refused(nest("", 4000, "1", "+1"), "nests deeper than 200");
    refused(nest("[", 16000, "", ""), "expected");
    refused(nest("{", 16000, "", ""), "1:2: \"{\" does not belong here");
}

static void length_is_bounded(void **state)
{
    taken(nest("", LIMIT_EXPR_BYTES - 1, "1", " "));
    refused(nest("", LIMIT_EXPR_BYTES, "1", " "), "more than 16384 bytes");
    refused(nest("", 4000000, "1", "+1"), "more than 16384 bytes");
}

static void counts_are_bounded(void **state)
{
    struct buf buf;

    buf_init(&buf, 100000);
    buf_puts(&buf, "label_join(a, \"b\", \"c\"");
    for (int i = 0; i < 62; i++) {
        buf_puts(&buf, ",\"d\"");
    }
    buf_puts(&buf, ")");
    refused(buf_take(&buf), "more than 64 arguments");
    buf_finish(&buf);
    refused(nest("", LIMIT_EXPR_SELECTORS, "a", "+a"), "more than 64 selectors");
    refused(nest("", LIMIT_EXPR_NAMES, "{a=\"b\"", ",a=\"b\""), "more than 64 matchers");
    refused(nest("", LIMIT_EXPR_NAMES, "sum by (a", ",a"), "more than 64 labels");
    buf_init(&buf, 100000);
    for (int i = 0; i < 160; i++) { /* 4,160 parts in a tree that is not deep */
        buf_puts(&buf, i ? "+(" : "(");
        for (int k = 0; k < 13; k++) {
            buf_puts(&buf, k ? "+1" : "1");
        }
        buf_puts(&buf, ")");
    }
    refused(buf_take(&buf), "more than 4096 parts");
    buf_finish(&buf);
}

/* Series without end, of `n` samples each. */
struct endless {
    size_t series, n;
    struct expr_sample *samples;
};

static int read_endless(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                        int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    const struct endless *endless = owner;
    int r = 0;

    for (size_t k = 0; r == 0 && k < endless->series; k++) {
        const struct tmon_pair labels[] = {
            {"__name__", "a"},
            {"k", (const char[]){(char)('!' + k % 90), (char)('!' + k / 90 % 90),
                                 (char)('!' + k / 8100), '\0'}}};

        r = fn(arg,
               &(struct expr_series){
                   .labels = labels, .nlabels = 2, .samples = endless->samples, .n = endless->n});
    }
    return r;
}

static bool is_sanitized(void)
{
    const char *sanitized = getenv("TMON_SANITIZED");

    return sanitized && strcmp(sanitized, "1") == 0;
}

static void evaluated(struct endless *endless, const char *text, const char *wanted)
{
    const struct expr_input input = {.owner = endless, .read = read_endless};
    struct expr_result result;
    struct expr *expr = NULL;
    char why[300] = "";

    endless->samples = calloc(endless->n, sizeof *endless->samples);
    assert_non_null(endless->samples);
    assert_int_equal(expr_parse(text, &expr, why, sizeof why), 0);
    assert_int_equal(expr_eval(expr, &input, 0, &result, why, sizeof why), -E2BIG);
    /* Where everything is slow, whatever is bounded may be cut by its time first. */
    if (is_sanitized() && strstr(why, "takes longer than")) {
        wanted = "takes longer than";
    }
    if (!strstr(why, wanted)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", text, why, wanted);
    }
    expr_destroy(expr);
    free(endless->samples);
}

static void evaluation_is_bounded(void **state)
{
    evaluated(&(struct endless){.series = 300000, .n = 1}, "a", "more than 250000 elements");
    evaluated(&(struct endless){.series = 300000, .n = 100}, "sum_over_time(a[5m])",
              "more than 10000000 samples");
    evaluated(&(struct endless){.series = 10000, .n = 1},
              "label_replace(a, \"b\", \"" /* 20,000 bytes */
              "$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1"
              "\", \"k\", \"(.*)\") + label_join(a, \"b\", \"\", \"k\") unless "
              "label_replace(label_replace(label_replace(label_replace(a, \"b\", "
              "\"$1$1$1$1$1$1$1$1$1$1\", \"k\", \"(.*)\"), \"b\", \"$1$1$1$1$1$1$1$1$1$1\", \"b\", "
              "\"(.*)\"), \"b\", \"$1$1$1$1$1$1$1$1$1$1\", \"b\", \"(.*)\"), \"b\", "
              "\"$1$1$1$1$1$1$1$1$1$1\", \"b\", \"(.*)\")",
              "makes a label of more than 16384 bytes");
    evaluated(&(struct endless){.series = 200000, .n = 1},
              "a or on(k, z) a + a * a - a unless on(k) a + 2 * a", "takes more than 256 MiB");
    evaluated(&(struct endless){.series = 200000, .n = 1},
              "label_replace(label_join(a, \"b\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"k\", "
              "\"k\", \"k\", \"k\", \"k\", \"k\"), \"b\", \"\", \"b\", \"(a|aa|[^a])*(a|b)*c\")",
              "takes too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(counts_are_bounded),
        cmocka_unit_test(evaluation_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
