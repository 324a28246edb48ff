/*
 * plural.h: "1 error", "2 errors".
 */
#ifndef BASE_PLURAL_H
#define BASE_PLURAL_H

#include <stdint.h>

/* What follows the word for so many of it. */
static inline const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

#endif
