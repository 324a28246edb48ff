/* history_kit.h: what the tests of history share: selecting by a line of text, reading into text.
 */
#ifndef TEST_STORE_HISTORY_KIT_H
#define TEST_STORE_HISTORY_KIT_H

#include <inttypes.h>
#include <math.h>

#include "base/buf.h"
#include "kit.h"
#include "store/history.h"

#define KIT_T0 INT64_C(1700000000000)
#define KIT_HOUR_MS 3600000

/* Matchers divided by blanks: `__name__="up" job=~"a.*"`. */
static inline struct history_selector *kit_select(struct history *history, const char *text,
                                                  int64_t keep_ms)
{
    struct history_selector *selector = NULL;
    struct matcher matchers[8];
    char copy[512];
    char why[128];
    size_t n = 0;

    snprintf(copy, sizeof copy, "%s", text);
    for (char *save, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (n == 8 || matcher_parse(&matchers[n], word, why, sizeof why) < 0) {
            fprintf(stderr, "%s: %s\n", word, why);
            abort();
        }
        n++;
    }
    if (history_select(history, matchers, n, keep_ms, &selector) < 0) {
        abort();
    }
    while (n > 0) {
        matcher_finish(&matchers[--n]);
    }
    return selector;
}

static inline bool kit_is_stale(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits == HISTORY_STALE_BITS;
}

/* `{a="b"} [cut] 0:1 15000:2 30000:stale;` with times from KIT_T0. */
static inline int kit_show_series(void *arg, const struct history_series *series)
{
    struct buf *buf = arg;

    buf_puts(buf, "{");
    for (size_t i = 0; i < series->nlabels; i++) {
        buf_printf(buf, "%s%s=%s", i ? "," : "", series->labels[i].key, series->labels[i].value);
    }
    buf_puts(buf, series->cut ? "} cut" : "}");
    for (size_t i = 0; i < series->n; i++) {
        if (kit_is_stale(series->samples[i].value)) {
            buf_printf(buf, " %" PRId64 ":stale", series->samples[i].time_ms - KIT_T0);
        } else {
            buf_printf(buf, " %" PRId64 ":%g", series->samples[i].time_ms - KIT_T0,
                       series->samples[i].value);
        }
    }
    buf_puts(buf, ";");
    return 0;
}

/* Appends all series of the selector; times from KIT_T0.  Returns what history_read() did. */
static inline int kit_show(struct history *history, const struct history_selector *selector,
                           int64_t from_ms, int64_t to_ms, bool last, struct buf *buf)
{
    return (last ? history_read_last : history_read)(history, selector, KIT_T0 + from_ms,
                                                     KIT_T0 + to_ms, kit_show_series, buf);
}

#endif
