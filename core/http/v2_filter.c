/*
 * v2_filter.c: see v2_filter.h.
 */
#include "http/v2_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/v2_read.h"
#include "model/regex.h"

struct v2_filter *v2_filter_create(void)
{
    struct v2_filter *filter = calloc(1, sizeof *filter);

    if (filter) {
        filter->active = filter->silenced = filter->inhibited = true;
    }
    return filter;
}

void v2_filter_destroy(struct v2_filter *filter)
{
    if (filter) {
        for (size_t i = 0; i < filter->nmatchers; i++) {
            matcher_finish(&filter->matchers[i]);
        }
        regex_destroy(filter->receiver);
        free(filter);
    }
}

/* What is none of the words for yes is a no; nothing at all is as if it were not there. */
static void take_bool(const char *value, bool *ret_bool)
{
    static const char *const yes[] = {"true", "1",        "yes",     "ok", "y",
                                      "on",   "selected", "checked", "t",  "enabled"};

    for (size_t i = 0; *value && i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(value, yes[i]) == 0) {
            *ret_bool = true;
            return;
        }
    }
    *ret_bool = *ret_bool && !*value;
}

/* The part of a matcher behind its operator, as it was written. */
static const char *value_of(const char *text)
{
    text += strcspn(text, "=!");
    text += strspn(text, "=!~");
    return text + strspn(text, " \t\r\n");
}

static int take_matcher(struct v2_filter *filter, const char *text, struct v2_error *error)
{
    char why[256] = "", space[V2_QUOTED_SIZE];
    char *name = NULL, *value = NULL;
    enum matcher_op op;
    int r;

    if (filter->nmatchers == LIMIT_API_MATCHERS) {
        return v2_invalid(error, "there are more than %d filters", LIMIT_API_MATCHERS);
    }
    r = matcher_split(text, &name, &op, &value);
    if (r == -EINVAL) {
        (void)v2_invalid(error, "bad matcher format: %s", text);
    } else if (r == -EILSEQ) {
        (void)v2_invalid(error, "matcher value contains unescaped double quote: %s",
                         value_of(text));
    } else if (r == 0) {
        r = matcher_init_re2(&filter->matchers[filter->nmatchers], name, op, value, why,
                             sizeof why);
        filter->nmatchers += r == 0;
        if (r == -EINVAL) {
            (void)v2_invalid(error, "error parsing regexp: %s: %s", v2_quoted(value, space), why);
        }
    }
    free(name);
    free(value);
    return r == -EILSEQ ? -EINVAL : r;
}

static int take_receiver(struct v2_filter *filter, const char *text, struct v2_error *error)
{
    char why[256] = "";
    int r;

    regex_destroy(filter->receiver);
    filter->receiver = NULL;
    if (!*text) {
        return 0;
    }
    r = regex_create(text, REGEX_RE2, &filter->receiver, why, sizeof why);
    if (r == -EINVAL) {
        (void)v2_invalid(error, "failed to parse receiver param: error parsing regexp: %s", why);
    }
    return r;
}

int v2_filter_take(struct v2_filter *filter, const char *name, const char *value,
                   struct v2_error *ret_error)
{
    if (strcmp(name, "filter") == 0) {
        return take_matcher(filter, value, ret_error);
    }
    if (strcmp(name, "receiver") == 0) {
        return take_receiver(filter, value, ret_error);
    }
    if (strcmp(name, "active") == 0) {
        take_bool(value, &filter->active);
    } else if (strcmp(name, "silenced") == 0) {
        take_bool(value, &filter->silenced);
    } else if (strcmp(name, "inhibited") == 0) {
        take_bool(value, &filter->inhibited);
    }
    return 0; /* every alert of ours is processed: `unprocessed` changes nothing */
}

bool v2_filter_wants(const struct v2_filter *filter, const struct alerts_view *view)
{
    bool suppressed = view->nsilenced > 0 || view->ninhibited > 0;

    return (filter->active || suppressed) && (filter->silenced || view->nsilenced == 0) &&
           (filter->inhibited || view->ninhibited == 0) &&
           matchers_match(filter->matchers, filter->nmatchers, view->labels, view->nlabels);
}

bool v2_filter_wants_receiver(const struct v2_filter *filter, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n && filter->receiver; i++) {
        if (regex_match(filter->receiver, names[i], strlen(names[i])) > 0) {
            return true;
        }
    }
    return !filter->receiver;
}
