/*
 * v2_filter.h: what GET under /api/v2 is asked for, as Alertmanager reads its parameters: one that
 * it does not know is passed over.
 */
#ifndef HTTP_V2_FILTER_H
#define HTTP_V2_FILTER_H

#include "alert/alerts.h"
#include "base/limits.h"
#include "http/v2_error.h"
#include "model/matcher.h"

struct v2_filter {
    bool active, silenced, inhibited; /* whether those are wanted; true unless said */
    struct regex *receiver;           /* owned; NULL: any */
    size_t nmatchers;
    struct matcher matchers[LIMIT_API_MATCHERS];
};

/* NULL: out of memory. */
struct v2_filter *v2_filter_create(void);
void v2_filter_destroy(struct v2_filter *filter); /* takes NULL */
/* One parameter of the query.  -EINVAL with ret_error; -ENOMEM. */
int v2_filter_take(struct v2_filter *filter, const char *name, const char *value,
                   struct v2_error *ret_error);

/* By state and labels. */
bool v2_filter_wants(const struct v2_filter *filter, const struct alerts_view *view);
/* By receiver: whether one of them is wanted. */
bool v2_filter_wants_receiver(const struct v2_filter *filter, const char *const *names, size_t n);

#endif
