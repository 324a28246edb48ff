/*
 * matcher.h: one condition on one label, in Alertmanager's grammar: name="value", name!="value",
 * name=~"regex", name!~"regex".
 *
 * Regular expressions are anchored at both ends.  They are PCRE2's with limits on matching and
 * backtracking; one that runs into a limit does not match.  A matcher is immutable once made and
 * may be used by one thread at a time.
 */
#ifndef MODEL_MATCHER_H
#define MODEL_MATCHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "model/regex.h"
#include "plugin_api.h"

enum matcher_op { MATCHER_EQUAL, MATCHER_NOT_EQUAL, MATCHER_REGEX, MATCHER_NOT_REGEX };

struct matcher {
    enum matcher_op op;
    enum regex_flavor flavor;
    char *name;         /* owned */
    char *value;        /* owned; unquoted */
    struct regex *code; /* of a regular expression */
};

/* -EINVAL with a sentence in ret_why; -ENOMEM. */
int matcher_init(struct matcher *matcher, const char *name, enum matcher_op op, const char *value,
                 char *ret_why, size_t size);
/* The same with regular expressions as Prometheus reads them (REGEX_RE2). */
int matcher_init_re2(struct matcher *matcher, const char *name, enum matcher_op op,
                     const char *value, char *ret_why, size_t size);
/* One that matches the same and may be used by another thread.  -ENOMEM. */
int matcher_copy(const struct matcher *from, struct matcher *matcher);
/* Reads the written form.  The value's quotes may be left out. */
int matcher_parse(struct matcher *matcher, const char *text, char *ret_why, size_t size);
/* The parts of the written form; both texts are owned.  -EINVAL: it is none; -EILSEQ: a quote of
 * the value is missing, or one too many; -ENOMEM. */
int matcher_split(const char *text, char **ret_name, enum matcher_op *ret_op, char **ret_value);
void matcher_finish(struct matcher *matcher);
/* Finishes n of them and frees the array. */
void matchers_free(struct matcher *matchers, size_t n);
bool matcher_matches(const struct matcher *matcher, const char *value);
/* Whether a normalized set of labels fits all of them. */
bool matchers_match(const struct matcher *matchers, size_t n, const struct tmon_pair *labels,
                    size_t nlabels);
/* Appends a="b". */
void matcher_show(const struct matcher *matcher, struct buf *buf);
/* Appends {a="b",c=~"d"}, sorted by name. */
void matchers_show(const struct matcher *matchers, size_t n, struct buf *buf);

#endif
