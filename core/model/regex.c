/*
 * regex.c: see regex.h.
 *
 * One PCRE2 pattern.  Anchors are options of it, so that what people write needs no brackets around
 * it; newline and `$` are set here and not where PCRE2 was built, so that they mean the same on
 * every machine.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/regex.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/re2.h"

#define OPTIONS                                                                                    \
    (PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |                       \
     PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C)

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

void regex_destroy(struct regex *regex)
{
    if (regex) {
        pcre2_code_free(regex->code);
        pcre2_match_data_free(regex->data);
        pcre2_match_context_free(regex->context);
        free(regex);
    }
}

/* `translated`: what PCRE2 says of places is of no use. */
static int compile(struct regex *regex, const char *text, uint32_t options, bool translated,
                   char *ret_why, size_t size)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    PCRE2_SIZE at = 0;
    int error = 0;

    if (!context) {
        return -ENOMEM;
    }
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    regex->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (!regex->code) {
        PCRE2_UCHAR message[128] = "";

        (void)pcre2_get_error_message(error, message, sizeof message);
        if (translated) {
            (void)snprintf(ret_why, size, "the regular expression is wrong: %s", (char *)message);
        } else {
            (void)snprintf(ret_why, size, "the regular expression is wrong at its byte %zu: %s",
                           at + 1, (char *)message);
        }
        return -EINVAL;
    }
    return 0;
}

int regex_create(const char *text, enum regex_flavor flavor, struct regex **ret_regex,
                 char *ret_why, size_t size)
{
    struct regex *regex = calloc(1, sizeof *regex);
    struct buf translated;
    int r = 0;

    buf_init(&translated, LIMIT_REGEX_BYTES);
    if (!regex) {
        r = -ENOMEM;
    } else if (flavor == REGEX_RE2) {
        r = re2_translate(text, &translated, ret_why, size);
        if (r == 0) {
            r = compile(regex, buf_str(&translated), OPTIONS, true, ret_why, size);
        }
    } else {
        r = compile(regex, text, OPTIONS | PCRE2_DOTALL, false, ret_why, size);
    }
    if (r == 0) {
        regex->data = pcre2_match_data_create_from_pattern(regex->code, NULL);
        regex->context = pcre2_match_context_create(NULL);
        r = regex->data && regex->context ? 0 : -ENOMEM;
    }
    buf_finish(&translated);
    if (r < 0) {
        regex_destroy(regex);
        return r;
    }
    (void)pcre2_set_match_limit(regex->context, LIMIT_MATCH_STEPS);
    (void)pcre2_set_depth_limit(regex->context, LIMIT_MATCH_DEPTH);
    (void)pcre2_set_heap_limit(regex->context, LIMIT_MATCH_HEAP_KIB);
    *ret_regex = regex;
    return 0;
}

int regex_match(struct regex *regex, const char *text, size_t len)
{
    int r = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, 0, regex->data, regex->context);

    if (r >= 0) {
        return 1;
    }
    return r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_DEPTHLIMIT ||
                   r == PCRE2_ERROR_HEAPLIMIT || r == PCRE2_ERROR_NOMEMORY
               ? -E2BIG
               : 0;
}

bool regex_group(const struct regex *regex, size_t i, size_t *ret_start, size_t *ret_end)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->data);

    if (i >= pcre2_get_ovector_count(regex->data) || ends[2 * i] == PCRE2_UNSET ||
        ends[2 * i + 1] < ends[2 * i]) {
        return false;
    }
    *ret_start = ends[2 * i];
    *ret_end = ends[2 * i + 1];
    return true;
}

size_t regex_named(const struct regex *regex, const char *name, size_t len)
{
    char text[LIMIT_NAME_BYTES + 1];
    int i;

    if (len >= sizeof text) {
        return 0;
    }
    memcpy(text, name, len);
    text[len] = '\0';
    i = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)text);
    return i > 0 ? (size_t)i : 0;
}
