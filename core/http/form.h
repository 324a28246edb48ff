/*
 * form.h: what a form of a page sends (application/x-www-form-urlencoded).  Pure functions, any
 * thread.
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include <stddef.h>

/* The first field of that name, decoded; "" when there is none.  -EINVAL: it is no UTF-8, has a
 * NUL, or does not fit. */
int form_field(const char *body, size_t len, const char *name, char *ret_value, size_t size);

#endif
