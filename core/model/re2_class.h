/*
 * re2_class.h: private to re2*.c: escapes and character classes.
 */
#ifndef MODEL_RE2_CLASS_H
#define MODEL_RE2_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define RE2_DEPTH 250 /* groups in groups; PCRE2 has the same limit */

struct re2 {
    const char *text, *p; /* the whole, and where we are */
    struct buf *buf;
    char *why;
    size_t size;
    bool repeated; /* what stands before p is a quantifier */
    bool nothing;  /* before p there is nothing that could be repeated */
    size_t nopen;
    const char *open[RE2_DEPTH]; /* brackets that have not closed */
};

/* -EINVAL with the sentence. */
int re2_wrong(struct re2 *re2, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends a character that stands for itself. */
void re2_put(struct re2 *re2, uint32_t c);
uint32_t re2_take(struct re2 *re2);

/* p at a backslash, outside brackets. */
int re2_escape(struct re2 *re2);
/* p at an opening bracket. */
int re2_class(struct re2 *re2);

#endif
