/*
 * outcome.c: see outcome.h.  Linked into several plugins; keeps no state of its own.
 *
 * A far end that does not know a path likes to repeat it ("Cannot POST /services/T0/B0/secret"), so
 * that its word must be looked through before anybody reads it.
 */
#include "outcome.h"

#include "utf8.h"

#define LOOK_BYTES 2048    /* of the body */
#define TOKEN_BYTES 8      /* shorter parts of a path are words, not tokens */
#define LONG_WORD_BYTES 20 /* of small letters only, as "services" */
#define WAIT_S_MAX 86400   /* the agent's own bound of a Retry-After */
#define SECRET_BYTES 4     /* shorter ones would make holes in any text */

static void hide(struct outcome_hidden *hidden, const char *text, size_t len, size_t least)
{
    if (len >= least && hidden->count < OUTCOME_HIDDEN) {
        hidden->texts[hidden->count].data = text;
        hidden->texts[hidden->count].len = len;
        hidden->count++;
    }
}

static bool is_word(const char *text, size_t len)
{
    size_t letters = 0;

    while (letters < len && ((text[letters] >= 'a' && text[letters] <= 'z') ||
                             strchr("-_.", text[letters]) != NULL)) {
        letters++;
    }
    return letters == len && len < LONG_WORD_BYTES;
}

void outcome_hide(struct outcome_hidden *hidden, const char *text)
{
    hide(hidden, text, strlen(text), SECRET_BYTES);
}

void outcome_hide_part(struct outcome_hidden *hidden, const char *text, size_t len)
{
    hide(hidden, text, len, SECRET_BYTES);
}

void outcome_hide_url(struct outcome_hidden *hidden, const char *url)
{
    const char *at = strstr(url, "://");
    size_t host, user;

    at = at == NULL ? url : at + 3;
    host = strcspn(at, "/?#");
    for (user = host; user > 0 && at[user - 1] != '@'; user--) {}
    if (user > 0) {
        const char *colon = memchr(at, ':', user - 1);

        hide(hidden, at, user - 1, SECRET_BYTES);
        if (colon != NULL) {
            hide(hidden, colon + 1, (size_t)(at + user - 1 - (colon + 1)), SECRET_BYTES);
        }
    }
    at += host;
    for (bool query = false; *at != '\0';) {
        const size_t len = strcspn(at, "/?&=#");

        if (query || !is_word(at, len)) {
            hide(hidden, at, len, query ? SECRET_BYTES : TOKEN_BYTES);
        }
        query = query || at[len] == '?' || at[len] == '#';
        at += len + (at[len] != '\0');
    }
}

/* The longest hidden text that begins here; of a text that is cut, at its end, also what is there
 * of one.  0: none. */
static size_t hidden_at(const char *text, size_t len, const struct outcome_hidden *hidden, bool cut)
{
    size_t longest = 0;

    for (size_t i = 0; i < hidden->count; i++) {
        const struct tmon_bytes *secret = &hidden->texts[i];
        const size_t n = cut && secret->len > len ? len : secret->len;

        if (n > longest && n >= SECRET_BYTES && n <= len && memcmp(text, secret->data, n) == 0) {
            longest = n;
        }
    }
    return longest;
}

/* Makes the hidden texts stars, in place: stars are not longer than what they hide. */
static void blot(char *text, const struct outcome_hidden *hidden, bool cut)
{
    const size_t len = strlen(text);
    size_t out = 0, n;

    for (size_t i = 0; i < len; i += n) {
        n = hidden_at(text + i, len - i, hidden, cut);
        if (n > 0) {
            memcpy(text + out, "***", 3);
            out += 3;
        } else {
            text[out++] = text[i];
            n = 1;
        }
    }
    text[out] = '\0';
}

/* Cleaned first, since what is left out could tear a hidden text apart. */
void outcome_word(char said[OUTCOME_SAID_BYTES], const void *data, size_t len, bool cut,
                  const struct outcome_hidden *hidden)
{
    char raw[LOOK_BYTES + 1], text[3 * LOOK_BYTES + 8]; // a bad byte becomes three
    const size_t n = len < LOOK_BYTES ? len : LOOK_BYTES;

    for (size_t i = 0; i < n; i++) {
        const char c = ((const char *)data)[i];

        raw[i] = c == '\0' ? ' ' : c;
    }
    raw[n] = '\0';
    utf8_line(text, sizeof text, raw);
    blot(text, hidden, cut || len > LOOK_BYTES);
    utf8_line(said, OUTCOME_SAID_BYTES, text);
    if (said[0] == '<') { // a page of some proxy: its markup says less than the status
        said[0] = '\0';
    }
}

tmon_rc outcome_usual(const struct tmon_response *response)
{
    const int32_t status = response->status;

    if (status == 0) {
        return response->error_phase == TMON_PHASE_REFUSED  ? TMON_REJECTED
               : response->error_phase == TMON_PHASE_ANSWER ? TMON_AMBIGUOUS
                                                            : TMON_RETRY;
    }
    if (status >= 200 && status <= 299) {
        return TMON_OK;
    }
    return status == 408 || status == 429 || (status >= 500 && status <= 599) ? TMON_RETRY
                                                                              : TMON_REJECTED;
}

bool outcome_is_object(const struct tmon_response *response)
{
    const char *body = response->body.data;
    size_t at = 0;

    while (at < response->body.len && strchr(" \t\r\n", body[at]) != NULL && body[at] != '\0') {
        at++;
    }
    return at < response->body.len && body[at] == '{';
}

tmon_rc outcome_accepted(const struct tmon_response *response)
{
    const tmon_rc rc = outcome_usual(response);

    return rc == TMON_OK && response->status != 202 ? TMON_AMBIGUOUS : rc;
}

const char *outcome_header(const struct tmon_response *response, const char *name)
{
    for (size_t i = 0; i < response->nheaders; i++) {
        if (strcmp(response->headers[i].key, name) == 0) {
            return response->headers[i].value;
        }
    }
    return NULL;
}

int64_t outcome_wait_ms(const struct tmon_response *response, const char *name)
{
    const char *value = outcome_header(response, name);
    int64_t seconds = 0;
    size_t len;

    if (value == NULL) {
        return -1;
    }
    len = strspn(value, "0123456789");
    if (len == 0 || (value[len] != '\0' && value[len] != '.')) {
        return -1;
    }
    for (size_t i = 0; i < len && seconds < WAIT_S_MAX; i++) {
        seconds = seconds * 10 + (value[i] - '0');
    }
    seconds += value[len] == '.'; // a part of a second is a second
    return (seconds < WAIT_S_MAX ? seconds : WAIT_S_MAX) * 1000;
}

void outcome_explain(struct tmon_call *call, tmon_rc rc, const struct tmon_response *response,
                     const char *who, const struct outcome_hidden *hidden)
{
    char said[OUTCOME_SAID_BYTES];

    if (rc == TMON_OK) {
        return;
    }
    if (rc == TMON_RETRY && response->retry_after_ms >= 0) {
        tmon_retry_after(call, response->retry_after_ms);
    }
    if (response->status == 0) {
        tmon_log(call, TMON_ERROR, "%s did not answer: %s", who,
                 response->error == NULL ? "" : response->error);
        return;
    }
    outcome_word(said, response->body.data, response->body.len, response->truncated, hidden);
    if (said[0] == '\0' && response->status >= 300 && response->status <= 399) {
        tmon_log(call, TMON_ERROR, "%s answered %d, a redirect, which is not followed", who,
                 (int)response->status);
    } else {
        tmon_log(call, TMON_ERROR, "%s answered %d%s%s", who, (int)response->status,
                 said[0] == '\0' ? "" : ": ", said);
    }
}
