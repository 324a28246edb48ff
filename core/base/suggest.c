/*
 * suggest.c: see suggest.h.
 */
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Edits (insert, remove, change, swap neighbours) that make b of a; more than `most` is `most` + 1.
 */
static size_t distance(const char *a, size_t alen, const char *b, size_t blen, size_t most)
{
    enum { LONGEST = 64 };
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];

    if (alen > LONGEST || blen > LONGEST || alen > blen + most || blen > alen + most) {
        return most + 1;
    }
    for (size_t j = 0; j <= blen; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= alen; i++) {
        size_t *spare = before;

        now[0] = i;
        for (size_t j = 1; j <= blen; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            now[j] = best;
        }
        before = last;
        last = now;
        now = spare;
    }
    return last[blen] > most ? most + 1 : last[blen];
}

const char *suggest(const char *word, const char *const *candidates, size_t count)
{
    size_t len = strlen(word);
    size_t best = 1 + len / 4; // one slip in a short word, three in a long one
    const char *found = NULL;

    if (best > 3) {
        best = 3;
    }
    for (size_t i = 0; i < count; i++) {
        size_t clen = strlen(candidates[i]);
        size_t d = distance(word, len, candidates[i], clen, best);

        if (strcasecmp(word, candidates[i]) == 0) {
            return candidates[i];
        }
        if (d <= best && d < len && (!found || d < best)) { // d == len: nothing of the word is left
            best = d;
            found = candidates[i];
        }
    }
    for (size_t i = 0; i < count && !found && len >= 3;
         i++) { // 'mem' for 'memory', 'certificate_file', 'webhook'
        if (strstr(candidates[i], word) ||
            (strlen(candidates[i]) >= 4 && strstr(word, candidates[i]))) {
            found = candidates[i];
        }
    }
    return found;
}

const char *suggest_ending(const char *word, const char *const *candidates, size_t count,
                           char space[static SUGGESTION_SIZE])
{
    const char *found = suggest(word, candidates, count);

    space[0] = '\0';
    if (found) {
        snprintf(space, SUGGESTION_SIZE, "; did you mean '%s'?", found);
    }
    return space;
}
