/*
 * reason.c: see reason.h.  Only for attempts that failed, so it may take its time.
 */
#include "outbox/reason.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define LINE_BYTES 2048 /* that are looked at; more than any reason has */
#define MARK "<secret>"
#define SECRET_LEAST 4  /* shorter ones stand in every other word */
#define SEGMENT_LEAST 8 /* of a path: "services" is none, what is shorter is no token */

/* Whoever cut the line may have cut the word. */
static void take_out_cut(char *line, const char *word, size_t len)
{
    size_t all = strlen(line);

    for (size_t n = len - 1 < all ? len - 1 : all; n >= SEGMENT_LEAST; n--) {
        if (memcmp(line + all - n, word, n) == 0) {
            (void)snprintf(line + all - n, LINE_BYTES - (all - n), MARK);
            return;
        }
    }
}

/* Takes `word` out of the line. */
static void take_out(char *line, const char *word, size_t len)
{
    char *at = line;

    while ((at = memmem(at, strlen(at), word, len))) {
        char rest[LINE_BYTES];
        size_t room = LINE_BYTES - 1 - (size_t)(at - line);

        (void)snprintf(rest, sizeof rest, "%s", at + len);
        (void)snprintf(at, room + 1, MARK "%s", rest);
        at += room < sizeof MARK - 1 ? room : sizeof MARK - 1;
    }
    take_out_cut(line, word, len);
}

static void take_out_secret(char *line, const char *secret)
{
    if (secret && strlen(secret) >= SECRET_LEAST) {
        take_out(line, secret, strlen(secret));
    }
}

/* Webhooks carry their token in the path or the query. */
static void take_out_url(char *line, const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;
    const char *path, *at;

    if (!host) {
        return;
    }
    host += 3;
    path = host + strcspn(host, "/?#");
    at = memchr(host, '@', (size_t)(path - host));
    if (at && at - host >= SECRET_LEAST) {
        const char *colon = memchr(host, ':', (size_t)(at - host));

        take_out(line, host, (size_t)(at - host));
        if (colon && at - colon > SECRET_LEAST) {
            take_out(line, colon + 1, (size_t)(at - colon - 1));
        }
    }
    if (strlen(path) >= SECRET_LEAST) {
        take_out(line, path, strlen(path));
    }
    while (*path) {
        size_t len = strcspn(path, "/?#&=");

        if (len >= SEGMENT_LEAST) {
            take_out(line, path, len);
        }
        path += len + (path[len] != '\0');
    }
}

static void take_out_all(char *line, const struct settings *settings)
{
    for (size_t i = 0; settings && i < settings->count; i++) {
        const struct setting *setting = &settings->settings[i];

        if (setting->secret) {
            take_out_secret(line, setting->text);
        }
        if (setting->type == TMON_URL) {
            take_out_url(line, setting->text);
        }
        for (size_t j = 0; setting->secret && j < setting->count; j++) {
            take_out_secret(line, setting->items ? setting->items[j] : NULL);
            take_out_secret(line, setting->values ? setting->values[j] : NULL);
        }
        for (size_t j = 0; setting->groups && j < setting->count; j++) {
            take_out_all(line, setting->groups[j]);
        }
    }
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* One line, blanks where something was that is none of it. */
static void clean(char *line)
{
    char *to = line;

    for (const char *from = line; *from; from++) {
        char c = is_control(*from) ? ' ' : *from;

        if (c != ' ' || (to > line && to[-1] != ' ')) {
            *to++ = c;
        }
    }
    while (to > line && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
}

void reason_put(char *space, size_t size, const struct settings *settings, const char *text)
{
    char line[LINE_BYTES];

    utf8_copy(line, sizeof line, text);
    clean(line);
    take_out_all(line, settings);
    utf8_copy(space, size, line);
}

void reason_body(char *space, size_t size, const struct settings *settings,
                 const struct tmon_bytes *body)
{
    const char *text = body->data;
    size_t len = body->len, n = 0;
    char line[LINE_BYTES];

    space[0] = '\0';
    while (len > 0 && (is_control(*text) || *text == ' ')) {
        text++;
        len--;
    }
    if (len == 0 || *text == '<') {
        return; // HTML says nothing in its first line
    }
    while (n < len && text[n] != '\n' && text[n] != '\r') {
        n++;
    }
    n = utf8_cut(text, n, sizeof line - 1);
    if (memchr(text, '\0', n) || !utf8_valid(text, n)) {
        return;
    }
    memcpy(line, text, n);
    line[n] = '\0';
    reason_put(space, size, settings, line);
}

void reason_http(char *space, size_t size, const struct settings *settings, int32_t status,
                 const char *said)
{
    char text[LINE_BYTES], number[16];

    (void)snprintf(number, sizeof number, "%d", (int)status);
    if (strstr(said, number)) { // the plugin has told it in its own words
        reason_put(space, size, settings, said);
        return;
    }
    (void)snprintf(text, sizeof text, "HTTP %s%s%.1500s", number, *said ? " " : "", said);
    reason_put(space, size, settings, text);
}
