/*
 * regex.h: regular expressions over labels: anchored at both ends, with limits on matching and
 * backtracking.
 *
 * A regex is immutable once made, but keeps the groups of its last match: one thread at a time.
 */
#ifndef MODEL_REGEX_H
#define MODEL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct regex;

enum regex_flavor {
    REGEX_PCRE2, /* all that PCRE2 has; a dot matches a newline */
    REGEX_RE2,   /* what RE2 has too, with RE2's meaning, as Prometheus reads it; see re2.h */
};

/* -EINVAL with a sentence in ret_why; -ENOMEM. */
int regex_create(const char *text, enum regex_flavor flavor, struct regex **ret_regex,
                 char *ret_why, size_t size);
void regex_destroy(struct regex *regex);
/* 1: it matches, 0: it does not; -E2BIG: a limit was hit before that was known. */
int regex_match(struct regex *regex, const char *text, size_t len);
/* Where group i (0: the whole) stood in the last match.  False: there is no such group, or it took
 * no part. */
bool regex_group(const struct regex *regex, size_t i, size_t *ret_start, size_t *ret_end);
/* The number of the group of that name; 0: there is none. */
size_t regex_named(const struct regex *regex, const char *name, size_t len);

#endif
