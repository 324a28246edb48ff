/*
 * alerts_filter.c: see alerts_filter.h.
 */
#include "http/alerts_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/query.h"
#include "model/labels.h"

#define LIST_DEFAULT 1000

struct alerts_filter *alerts_filter_create(void)
{
    struct alerts_filter *filter = calloc(1, sizeof *filter);

    if (filter) {
        filter->severity = filter->firing = -1;
        filter->limit = LIST_DEFAULT;
    }
    return filter;
}

void alerts_filter_destroy(struct alerts_filter *filter)
{
    if (!filter) {
        return;
    }
    for (size_t i = 0; i < filter->nmatchers; i++) {
        matcher_finish(&filter->matchers[i]);
    }
    free(filter->name);
    free(filter);
}

static int take_name(struct alerts_filter *filter, const char *value)
{
    char *name = strdup(value);

    if (!name) {
        return -ENOMEM;
    }
    free(filter->name);
    filter->name = name;
    return 0;
}

static int take_fingerprint(struct alerts_filter *filter, const char *value, char *ret_why,
                            size_t size)
{
    if (strlen(value) != LIMIT_FINGERPRINT_BYTES ||
        strspn(value, "0123456789abcdef") != LIMIT_FINGERPRINT_BYTES) {
        (void)snprintf(ret_why, size, "a fingerprint has 16 hexadecimal digits");
        return -EINVAL;
    }
    memcpy(filter->fingerprint, value, LIMIT_FINGERPRINT_BYTES + 1);
    return 0;
}

static int take_matcher(struct alerts_filter *filter, const char *value, char *ret_why, size_t size)
{
    int r;

    if (filter->nmatchers == LIMIT_API_MATCHERS) {
        (void)snprintf(ret_why, size, "there are more than %d filters", LIMIT_API_MATCHERS);
        return -EINVAL;
    }
    r = matcher_parse(&filter->matchers[filter->nmatchers], value, ret_why, size);
    filter->nmatchers += r == 0;
    return r;
}

int alerts_filter_take(struct alerts_filter *filter, const char *name, const char *value,
                       char *ret_why, size_t size)
{
    static const char *const severities[] = {"info", "warning", "critical", NULL};
    static const char *const states[] = {"resolved", "firing", NULL};
    static const char *const known[] = {"severity", "status",      "name", "filter",
                                        "limit",    "fingerprint", NULL};
    int64_t limit;
    int r;

    if (strcmp(name, "severity") == 0) {
        return query_choice(name, value, severities, &filter->severity, ret_why, size);
    }
    if (strcmp(name, "status") == 0) {
        return query_choice(name, value, states, &filter->firing, ret_why, size);
    }
    if (strcmp(name, "name") == 0) {
        return take_name(filter, value);
    }
    if (strcmp(name, "fingerprint") == 0) {
        return take_fingerprint(filter, value, ret_why, size);
    }
    if (strcmp(name, "filter") == 0) {
        return take_matcher(filter, value, ret_why, size);
    }
    if (strcmp(name, "limit") == 0) {
        r = query_number(name, value, 1, LIMIT_API_LIST, &limit, ret_why, size);
        filter->limit = r == 0 ? (size_t)limit : filter->limit;
        return r;
    }
    return query_unknown(name, known, ret_why, size);
}

bool alerts_filter_wants(const struct alerts_filter *filter, const struct alerts_view *view)
{
    return (filter->severity < 0 || filter->severity == view->severity) &&
           (filter->firing < 0 || filter->firing == view->firing) &&
           (!*filter->fingerprint || strcmp(filter->fingerprint, view->fingerprint) == 0) &&
           (!filter->name ||
            strcmp(filter->name, labels_get(view->labels, view->nlabels, "alertname")) == 0) &&
           matchers_match(filter->matchers, filter->nmatchers, view->labels, view->nlabels);
}
