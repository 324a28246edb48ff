/*
 * Expressions as people or foes may write them, over samples as they may be: lexer, parser, printer
 * and evaluator.  The input is the text, a NUL, and bytes that become the samples of six series.
 *
 * What must hold: an error has a place; what is printed reads as the same; results do not depend on
 * how labels are lent; labels of results are sorted, none of them empty.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/rules/kit.h"
#include "base/limits.h"
#include "fuzz_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 600000

static void wrong(const char *text, const char *what)
{
    fprintf(stderr, "%s: %s\n", text, what);
    abort();
}

static double value_of(uint8_t byte)
{
    static const double special[] = {
        0,      -0.0,   1,    -1, 0.5,  (double)NAN, (double)INFINITY, 1e308,
        -1e308, 5e-324, 1e16, 3,  -2.5, 1e-7,        1673776800,       -(double)INFINITY};

    if (byte < 16) {
        return special[byte];
    }
    return byte == 16 ? kit_stale() : (double)byte - 17;
}

static void add_series(struct kit *kit, const uint8_t *data, size_t size)
{
    static const struct tmon_pair labels[][3] = {
        {{"__name__", "a"}, {"x", "1"}, {"le", "1"}},
        {{"__name__", "a"}, {"x", "1"}, {"le", "+Inf"}},
        {{"__name__", "a"}, {"x", "2"}, {"le", "0x1p3"}},
        {{"__name__", "b"}, {"x", "1"}, {"le", "1"}},
        {{"__name__", "b"}, {"x", "3"}, {"Y", "é\n"}},
        {{"Y", "z"}, {"x", "1"}, {"_", "w"}},
    };

    for (size_t i = 0; i < 6; i++) {
        size_t series = kit_add(kit, labels[i], 3);
        int64_t time_ms = 200000;

        for (size_t k = i; k < size; k += 6) {
            time_ms += 1 + (int64_t)(data[k] % 7) * 5000;
            kit_sample(kit, series, time_ms, value_of(data[k]));
        }
    }
}

static bool same(const struct expr_result *a, const struct expr_result *b)
{
    if (a->type != b->type || a->n != b->n || !a->text != !b->text ||
        (a->text && strcmp(a->text, b->text) != 0)) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct expr_value *x = &a->values[i], *y = &b->values[i];

        if (x->nlabels != y->nlabels || (memcmp(&x->value, &y->value, sizeof x->value) != 0 &&
                                         !(isnan(x->value) && isnan(y->value)))) {
            return false;
        }
        for (size_t k = 0; k < x->nlabels; k++) {
            if (strcmp(x->labels[k].key, y->labels[k].key) != 0 ||
                strcmp(x->labels[k].value, y->labels[k].value) != 0) {
                return false;
            }
        }
    }
    return true;
}

static void check_labels(const char *text, const struct expr_result *result)
{
    for (size_t i = 0; i < result->n; i++) {
        const struct expr_value *value = &result->values[i];

        for (size_t k = 0; k < value->nlabels; k++) {
            if (!*value->labels[k].value ||
                (k > 0 && strcmp(value->labels[k - 1].key, value->labels[k].key) >= 0)) {
                wrong(text, "labels that are none");
            }
        }
    }
}

static int evaluate(struct kit *kit, const struct expr *expr, struct expr_result *ret_result,
                    bool hashes)
{
    char why[200] = "";
    int r;

    *ret_result = (struct expr_result){0};
    kit->with_hashes = hashes;
    r = kit_eval(kit, expr, NOW, ret_result, why, sizeof why);
    if (r < 0 && !*why) {
        wrong("an evaluation", "failed without a reason");
    }
    return r;
}

/* What is printed means the same; it may be longer, and deeper by the signs of infinities. absent()
 * of matchers that contradict each other depends on their order, which printing changes (in
 * Prometheus too). */
static void reread(struct kit *kit, const struct expr *expr, const char *text, int error,
                   const struct expr_result *result)
{
    struct expr *again = NULL;
    struct expr_result other;
    struct buf shown;
    char why[300] = "";

    buf_init(&shown, 1 << 22);
    expr_show(expr, &shown);
    if (shown.failed) {
        wrong(text, "is not printed");
    }
    if (expr_parse(buf_str(&shown), &again, why, sizeof why) < 0) {
        if (!strstr(why, "more than") && !strstr(why, "deeper than")) {
            wrong(buf_str(&shown), why);
        }
    } else if (strcasestr(text, "absent")) {
        /* It was read at least. */
    } else if (expr_type(again) != expr_type(expr) ||
               evaluate(kit, again, &other, false) != error || !same(result, &other)) {
        wrong(buf_str(&shown), "is not what it was");
    } else {
        expr_result_finish(&other);
    }
    expr_destroy(again);
    buf_finish(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = strnlen((const char *)data, size);
    char *text = fuzz_text(data, size);
    struct expr *expr = NULL;
    struct expr_result result, lent;
    struct kit kit;
    char why[300] = "";
    unsigned line, column;

    if (!text) {
        return 0;
    }
    kit_init(&kit);
    add_series(&kit, data + len, size - len);
    if (expr_parse(text, &expr, why, sizeof why) < 0) {
        if (sscanf(why, "%u:%u: ", &line, &column) != 2) {
            wrong(text, "an error without a place");
        }
    } else {
        int r = evaluate(&kit, expr, &result, false);

        if (evaluate(&kit, expr, &lent, true) != r || !same(&result, &lent)) {
            wrong(text, "depends on how labels are lent");
        }
        check_labels(text, &result);
        reread(&kit, expr, text, r, &result);
        expr_result_finish(&result);
        expr_result_finish(&lent);
    }
    expr_destroy(expr);
    kit_finish(&kit);
    free(text);
    return 0;
}
