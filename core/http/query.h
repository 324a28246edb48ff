/*
 * query.h: what stands behind the ? of a request.  What is not understood is said, not ignored: a
 * filter that was misspelt must not look like one that found everything.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stddef.h>
#include <stdint.h>

#define QUERY_WHY_SIZE 512

struct request;

/* Calls `take` for each parameter, in their order; the first -errno ends it and is returned. */
int query_read(const struct request *request,
               int (*take)(void *arg, const char *name, const char *value, char *ret_why,
                           size_t size),
               void *arg, char *ret_why, size_t size);

/* For those who take: -EINVAL with a sentence.  The lists end with NULL. */
int query_choice(const char *name, const char *value, const char *const *choices, int *ret_index,
                 char *ret_why, size_t size);
int query_number(const char *name, const char *value, int64_t min, int64_t max, int64_t *ret_number,
                 char *ret_why, size_t size);
int query_unknown(const char *name, const char *const *known, char *ret_why, size_t size);

#endif
