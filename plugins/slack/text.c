/*
 * text.c: texts of a Slack message, safe whatever an alert says.  See slack.h.
 */
#include "slack.h"

#include <strings.h>

#include "../common/utf8.h"
#include "../common/when.h"

#define ELLIPSIS 0x2026u
#define URL_BYTES 2000 /* escaped; longer ones would push out the text that they belong to */
#define LABEL_UNITS 40 /* of a link's label, for which there must be room beside the URL */
#define LAST_MS INT64_C(253402300799999) /* the end of 9999 */

void text_init(struct text *text, struct writer *json, unsigned most)
{
    *text = (struct text){.json = json, .most = most, .mark = json->len};
}

unsigned text_room(const struct text *text)
{
    return text->most - text->used;
}

/* Slack's three escapes; NULL: the character itself. */
static const char *entity(uint32_t code)
{
    return code == '&' ? "&amp;" : code == '<' ? "&lt;" : code == '>' ? "&gt;" : NULL;
}

static unsigned point_units(uint32_t code)
{
    return code >= 0x10000 ? 2 : 1;
}

static unsigned user_units(uint32_t code)
{
    const char *escaped = entity(code);

    return escaped != NULL ? (unsigned)strlen(escaped) : point_units(code);
}

static void put_user(struct text *text, uint32_t code)
{
    const char *escaped = entity(code);

    if (escaped != NULL) {
        writer_put(text->json, escaped, strlen(escaped));
    } else {
        writer_point(text->json, code);
    }
    text->used += user_units(code);
}

void text_markup(struct text *text, const char *markup)
{
    unsigned units = 0;
    size_t n;

    for (const char *p = markup; *p != '\0'; p += n) {
        units += point_units(utf8_next(p, &n));
    }
    if (units > text_room(text)) {
        return;
    }
    for (const char *p = markup; *p != '\0'; p += n) {
        writer_point(text->json, utf8_next(p, &n));
    }
    text->used += units;
}

void text_number(struct text *text, uint64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    text_markup(text, digits);
}

void text_time(struct text *text, const char *before, int64_t ms)
{
    char plain[WHEN_BYTES], markup[128];

    if (ms <= 0 || ms > LAST_MS) {
        return;
    }
    when_plain(plain, ms);
    (void)snprintf(markup, sizeof markup, "%s<!date^%lld^{date_num} {time_secs}|%s>", before,
                   (long long)(ms / 1000), plain);
    text_markup(text, markup);
}

static void set_mark(struct text *text, unsigned end)
{
    if (text->used < end) {
        text->mark = text->json->len;
        text->mark_used = text->used;
    }
}

const char *text_user(struct text *text, const char *user, unsigned most, enum text_shape shape)
{
    const unsigned end = most < text_room(text) ? text->used + most : text->most;
    uint32_t between = 0; // a blank or a line end, written if something follows
    bool begun = false;
    size_t n;

    if (text->used >= end) {
        return user;
    }
    set_mark(text, end);
    for (; *user != '\0'; user += n) {
        uint32_t code = utf8_next(user, &n);
        const enum utf8_class class = utf8_class(code);

        if (class == UTF8_NOTHING) {
            continue;
        }
        if (class == UTF8_LINE && shape == TEXT_LINES) {
            between = begun ? '\n' : 0;
            continue;
        }
        if (class != UTF8_PLAIN || code == ' ') {
            between = between != 0 ? between : begun ? ' ' : 0;
            continue;
        }
        if (text->used + (between != 0) + user_units(code) > end) {
            text->json->len = text->mark;
            writer_point(text->json, ELLIPSIS);
            text->used = text->mark_used + 1;
            break;
        }
        if (between != 0) {
            put_user(text, between);
            between = 0;
        }
        put_user(text, code);
        begun = true;
        set_mark(text, end);
    }
    return user;
}

void text_between(struct text *text, const char *before, const char *user, unsigned most,
                  const char *after)
{
    const unsigned markup = (unsigned)(strlen(before) + strlen(after));

    if (!text_seen(user) || text_room(text) <= markup) {
        return;
    }
    text_markup(text, before);
    (void)text_user(
        text, user,
        most < text_room(text) - strlen(after) ? most : text_room(text) - (unsigned)strlen(after),
        TEXT_LINE);
    text_markup(text, after);
}

/* The URL so that it stands between `<` and `|`; false when it is none to follow. */
static bool escape_url(char escaped[URL_BYTES], const char *url)
{
    static const char hex[] = "0123456789ABCDEF";
    const size_t scheme = strncasecmp(url, "http://", 7) == 0    ? 7
                          : strncasecmp(url, "https://", 8) == 0 ? 8
                                                                 : 0;
    size_t len = 0;

    if (scheme == 0 || url[scheme] == '\0' || strchr("/?#", url[scheme]) != NULL) {
        return false;
    }
    for (const unsigned char *p = (const unsigned char *)url; *p != '\0'; p++) {
        if (len + sizeof "&amp;" > URL_BYTES) {
            return false;
        }
        if (*p == '&') {
            memcpy(escaped + len, "&amp;", 5);
            len += 5;
        } else if (*p <= 0x20 || *p >= 0x7f || strchr("<>|\"`", *p) != NULL) {
            escaped[len++] = '%';
            escaped[len++] = hex[*p >> 4];
            escaped[len++] = hex[*p & 15];
        } else {
            escaped[len++] = (char)*p;
        }
    }
    escaped[len] = '\0';
    return true;
}

void text_link(struct text *text, const char *url, const char *label, unsigned most)
{
    char escaped[URL_BYTES];

    if (url == NULL || !escape_url(escaped, url) ||
        strlen(escaped) + LABEL_UNITS + 3 > text_room(text) / 2) {
        (void)text_user(text, label, most, TEXT_LINE);
        return;
    }
    text_markup(text, "<");
    text_markup(text, escaped);
    text_between(text, "|", text_seen(label) ? label : "link", most, ">");
}

bool text_seen(const char *user)
{
    size_t n;

    for (; user != NULL && *user != '\0'; user += n) {
        const uint32_t code = utf8_next(user, &n);

        if (code != ' ' && utf8_class(code) == UTF8_PLAIN) {
            return true;
        }
    }
    return false;
}

void text_open(struct text *text, struct writer *json, unsigned most)
{
    // verbatim: Slack makes no links and mentions of its own out of what an alert says
    writer_literal(json, "{\"type\":\"mrkdwn\",\"verbatim\":true,\"text\":\"");
    text_init(text, json, most);
}

void text_close(const struct text *text)
{
    writer_literal(text->json, "\"}");
}
