/*
 * alerts_filter.h: which alerts GET /api/v1/alerts is asked for.
 */
#ifndef HTTP_ALERTS_FILTER_H
#define HTTP_ALERTS_FILTER_H

#include "alert/alerts.h"
#include "base/limits.h"
#include "model/matcher.h"

struct alerts_filter {
    int severity;                                  /* -1: any */
    int firing;                                    /* 1, 0; -1: any */
    char *name;                                    /* owned; NULL: any */
    char fingerprint[LIMIT_FINGERPRINT_BYTES + 1]; /* "": any */
    size_t limit;
    size_t nmatchers;
    struct matcher matchers[LIMIT_API_MATCHERS];
};

/* NULL: out of memory. */
struct alerts_filter *alerts_filter_create(void);
void alerts_filter_destroy(struct alerts_filter *filter); /* takes NULL */
/* One parameter of the query.  -EINVAL with a sentence; -ENOMEM. */
int alerts_filter_take(struct alerts_filter *filter, const char *name, const char *value,
                       char *ret_why, size_t size);
bool alerts_filter_wants(const struct alerts_filter *filter, const struct alerts_view *view);

#endif
