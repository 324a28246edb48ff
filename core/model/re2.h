/*
 * re2.h: a regular expression of RE2 (as Go reads it, and so Prometheus and Alertmanager) written
 * for PCRE2, so that it matches the same.
 *
 * What RE2 does not have is refused by its name: backreferences, lookaround, possessive and nested
 * quantifiers, atomic groups, conditions, recursion, verbs.  What both have and mean differently is
 * rewritten (\s, \v, braces) or refused (scripts such as \p{Greek}, whose tables differ).
 */
#ifndef MODEL_RE2_H
#define MODEL_RE2_H

#include <stddef.h>

#include "base/buf.h"

/* Appends the expression for PCRE2.  -EINVAL with a sentence that names the byte; -ENOMEM; -E2BIG:
 * the buf's cap. */
int re2_translate(const char *text, struct buf *buf, char *ret_why, size_t size);

#endif
