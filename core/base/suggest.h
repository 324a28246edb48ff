/*
 * suggest.h: "did you mean ...?".  Pure functions; any thread.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/* The candidate that `word` was probably meant to be, or NULL when none is near.  Borrowed from
 * candidates, which are `count` strings. */
const char *suggest(const char *word, const char *const *candidates, size_t count);
/* The same as the end of a sentence: "; did you mean 'interval'?" or "".  Returns `space`. */
#define SUGGESTION_SIZE 192
const char *suggest_ending(const char *word, const char *const *candidates, size_t count,
                           char space[static SUGGESTION_SIZE]);

#endif
