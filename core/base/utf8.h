/*
 * utf8.h: text from outside is valid UTF-8 before it goes any further.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Strict: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool utf8_valid(const char *text, size_t len);
/* The longest prefix of at most `max` bytes that ends on a code point boundary. */
size_t utf8_cut(const char *text, size_t len, size_t max);
/* Copies into dest (size > 0), invalid bytes replaced by '?', cut on a code point, always ended
 * with NUL. */
void utf8_copy(char *dest, size_t size, const char *text);

#endif
