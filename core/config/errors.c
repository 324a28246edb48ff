/*
 * errors.c: collects what is wrong.  Owned by whoever loads a configuration, on that thread.
 *
 * All errors of all files are collected before anything is refused: an operator who mends one typo
 * per restart is an operator who stops reading.
 */
#include "config/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/limits.h"

#define MESSAGE_BYTES 2048

void config_errors_init(struct config_errors *errors)
{
    memset(errors, 0, sizeof *errors);
}

void config_errors_finish(struct config_errors *errors)
{
    if (!errors) {
        return;
    }
    for (size_t i = 0; i < errors->count; i++) {
        free(errors->entries[i].text);
    }
    free(errors->entries);
    memset(errors, 0, sizeof *errors);
}

/* A key or a file name may hold anything; a message is one line. */
static void keep_on_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = '?';
        }
    }
}

__attribute__((format(printf, 4, 0))) static void add(struct config_errors *errors, bool warning,
                                                      struct config_position at, const char *format,
                                                      va_list args)
{
    struct config_error *entries;
    struct buf buf;
    char *text;

    if (!warning) {
        errors->errors++;
    }
    if (errors->count >= LIMIT_CONFIG_ERRORS) {
        errors->dropped++;
        return;
    }
    buf_init(&buf, MESSAGE_BYTES);
    buf_puts(&buf, at.file ? at.file : "configuration");
    if (at.line) {
        buf_printf(&buf, ":%u:%u", at.line, at.column);
    }
    buf_puts(&buf, warning ? ": warning: " : ": ");
    buf_vprintf(&buf, format, args);
    if (buf.failed && buf.len < MESSAGE_BYTES / 2) {
        buf_puts(&buf, "there is a mistake here, too long to be shown");
    }
    text = buf_take(&buf);
    entries = text ? realloc(errors->entries, (errors->count + 1) * sizeof *entries) : NULL;
    if (!entries) {
        free(text);
        errors->dropped++;
        return;
    }
    keep_on_one_line(text);
    errors->entries = entries;
    entries[errors->count].warning = warning;
    entries[errors->count].text = text;
    errors->count++;
}

void config_error(struct config_errors *errors, struct config_position at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(errors, false, at, format, args);
    va_end(args);
}

void config_warning(struct config_errors *errors, struct config_position at, const char *format,
                    ...)
{
    va_list args;

    va_start(args, format);
    add(errors, true, at, format, args);
    va_end(args);
}

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

const char *config_suggest(const char *word, const char *const *candidates, size_t count)
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

const char *config_suggestion(const char *word, const char *const *candidates, size_t count,
                              char space[static CONFIG_SUGGESTION_SIZE])
{
    const char *found = config_suggest(word, candidates, count);

    space[0] = '\0';
    if (found) {
        snprintf(space, CONFIG_SUGGESTION_SIZE, "; did you mean '%s'?", found);
    }
    return space;
}
