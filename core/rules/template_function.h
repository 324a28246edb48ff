/*
 * template_function.h: the functions of templates.
 */
#ifndef RULES_TEMPLATE_FUNCTION_H
#define RULES_TEMPLATE_FUNCTION_H

#include "base/buf.h"
#include "base/suggest.h"
#include "rules/go_format.h"

#define TEMPLATE_ARGUMENTS 16 /* of one call */

struct template_function;

const struct template_function *template_function_find(const char *name);
/* "; did you mean 'humanize'?" or "" */
void template_function_suggest(const char *name, char space[static SUGGESTION_SIZE]);
/* Whether it can take values of these kinds; `first` is its first argument where that is written
 * out.  -EINVAL with a sentence. */
int template_function_check(const struct template_function *function, const enum go_kind *kinds,
                            size_t n, const struct go_value *first, char *ret_why, size_t size);
/* Appends what it makes, a text.  -EINVAL with a sentence. */
int template_function_call(const struct template_function *function, const struct go_value *values,
                           size_t n, struct buf *out, char *ret_why, size_t size);

#endif
