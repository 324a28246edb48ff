/*
 * prose.c: see prose.h.  Linked into several plugins; keeps no state of its own.
 */
#include "prose.h"

#include <strings.h>

#include "utf8.h"

#define ELLIPSIS 0x2026u

void prose_init(struct prose *prose, struct writer *json, prose_escape escape, unsigned most)
{
    *prose = (struct prose){.json = json, .escape = escape, .most = most, .mark = json->len};
}

unsigned prose_room(const struct prose *prose)
{
    return prose->most - prose->used;
}

static unsigned point_units(uint32_t code)
{
    return code >= 0x10000 ? 2 : 1;
}

static const char *escape_of(const struct prose *prose, uint32_t code)
{
    return prose->escape == NULL ? NULL : prose->escape(code);
}

static unsigned user_units(const struct prose *prose, uint32_t code)
{
    const char *escaped = escape_of(prose, code);

    return escaped != NULL ? (unsigned)strlen(escaped) : point_units(code);
}

static void put_user(struct prose *prose, uint32_t code)
{
    const char *escaped = escape_of(prose, code);

    if (escaped == NULL) {
        writer_point(prose->json, code);
    }
    for (; escaped != NULL && *escaped != '\0'; escaped++) {
        writer_point(prose->json, (unsigned char)*escaped); // a backslash is one in JSON, too
    }
    prose->used += user_units(prose, code);
}

void prose_markup(struct prose *prose, const char *markup)
{
    unsigned units = 0;
    size_t n;

    for (const char *p = markup; *p != '\0'; p += n) {
        units += point_units(utf8_next(p, &n));
    }
    if (units > prose_room(prose)) {
        return;
    }
    for (const char *p = markup; *p != '\0'; p += n) {
        writer_point(prose->json, utf8_next(p, &n));
    }
    prose->used += units;
}

void prose_number(struct prose *prose, uint64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    prose_markup(prose, digits);
}

static void set_mark(struct prose *prose, unsigned end)
{
    if (prose->used < end) {
        prose->mark = prose->json->len;
        prose->mark_used = prose->used;
    }
}

const char *prose_user(struct prose *prose, const char *user, unsigned most, enum prose_shape shape)
{
    const unsigned end = most < prose_room(prose) ? prose->used + most : prose->most;
    uint32_t between = 0; // a blank or a line end, written if something follows
    bool begun = false;
    size_t n;

    if (prose->used >= end) {
        return user;
    }
    set_mark(prose, end);
    for (; *user != '\0'; user += n) {
        uint32_t code = utf8_next(user, &n);
        const enum utf8_class class = utf8_class(code);

        if (class == UTF8_NOTHING) {
            continue;
        }
        if (class == UTF8_LINE && shape == PROSE_LINES) {
            between = begun ? '\n' : 0;
            continue;
        }
        if (class != UTF8_PLAIN || code == ' ') {
            between = between != 0 ? between : begun ? ' ' : 0;
            continue;
        }
        if (prose->used + (between != 0) + user_units(prose, code) > end) {
            prose->json->len = prose->mark;
            writer_point(prose->json, ELLIPSIS);
            prose->used = prose->mark_used + 1;
            break;
        }
        if (between != 0) {
            put_user(prose, between);
            between = 0;
        }
        put_user(prose, code);
        begun = true;
        set_mark(prose, end);
    }
    return user;
}

void prose_between(struct prose *prose, const char *before, const char *user, unsigned most,
                   const char *after)
{
    const unsigned markup = (unsigned)(strlen(before) + strlen(after));

    if (!prose_seen(user) || prose_room(prose) <= markup) {
        return;
    }
    prose_markup(prose, before);
    (void)prose_user(prose, user,
                     most < prose_room(prose) - strlen(after)
                         ? most
                         : prose_room(prose) - (unsigned)strlen(after),
                     PROSE_LINE);
    prose_markup(prose, after);
}

bool prose_seen(const char *user)
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

bool prose_is_plain(const char *user)
{
    size_t n;

    for (const char *p = user; *p != '\0'; p += n) {
        const uint32_t code = utf8_next(p, &n);

        if (code == UTF8_BAD || utf8_class(code) != UTF8_PLAIN) {
            return false;
        }
    }
    return *user != '\0';
}

void prose_string(struct writer *json, const char *user, unsigned most, enum prose_shape shape)
{
    struct prose prose;

    writer_literal(json, "\"");
    prose_init(&prose, json, NULL, most);
    (void)prose_user(&prose, user == NULL ? "" : user, most, shape);
    writer_literal(json, "\"");
}

const char *prose_find(const struct tmon_pair *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].key, key) == 0) {
            return pairs[i].value;
        }
    }
    return NULL;
}

const char *prose_first(const struct tmon_pair *pairs, size_t count, const char *const *keys,
                        const char *none)
{
    for (; *keys != NULL; keys++) {
        const char *value = prose_find(pairs, count, *keys);

        if (prose_seen(value)) {
            return value;
        }
    }
    return none;
}

const char *prose_title(const struct tmon_notification *notification)
{
    if (prose_seen(notification->title)) {
        return notification->title;
    }
    if (notification->nalerts > 0 && prose_seen(notification->alerts[0]->name)) {
        return notification->alerts[0]->name;
    }
    return "A message without a title";
}

const struct tmon_alert *prose_alert(const struct tmon_notification *notification)
{
    return notification->nalerts == 1 ? notification->alerts[0] : NULL;
}

void prose_headline(struct writer *json, const struct tmon_notification *notification,
                    unsigned most)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct prose line;

    writer_literal(json, "\"");
    prose_init(&line, json, NULL, most);
    if (alert != NULL && prose_seen(alert->name)) {
        (void)prose_user(&line, alert->name, most / 2, PROSE_LINE);
        prose_between(&line, ": ", alert->summary, most, "");
    } else if (alert != NULL && prose_seen(alert->summary)) {
        (void)prose_user(&line, alert->summary, most, PROSE_LINE);
    } else {
        (void)prose_user(&line, prose_title(notification), most, PROSE_LINE);
    }
    writer_literal(json, "\"");
}

void prose_key(char *dest, size_t size, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);

    utf8_line(dest, size, alert != NULL ? alert->key : "");
    if (dest[0] == '\0') {
        utf8_line(dest, size, notification->id);
    }
    if (dest[0] == '\0') {
        utf8_line(dest, size, "toiletmon");
    }
}

void prose_percent(char *dest, const char *text, bool (*kept)(unsigned char c))
{
    static const char hex[] = "0123456789ABCDEF";

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (kept(*p)) {
            *dest++ = (char)*p;
        } else {
            *dest++ = '%';
            *dest++ = hex[*p >> 4];
            *dest++ = hex[*p & 15];
        }
    }
    *dest = '\0';
}

bool prose_is_web(const char *url)
{
    const size_t scheme = url == NULL                            ? 0
                          : strncasecmp(url, "http://", 7) == 0  ? 7
                          : strncasecmp(url, "https://", 8) == 0 ? 8
                                                                 : 0;

    return scheme > 0 && url[scheme] != '\0' && strchr("/?#", url[scheme]) == NULL;
}

bool prose_is_link(const char *url, size_t most)
{
    size_t len = 0;

    if (!prose_is_web(url)) {
        return false;
    }
    for (; url[len] != '\0'; len++) {
        const unsigned char c = (unsigned char)url[len];

        if (len >= most || c <= 0x20 || c >= 0x7f || strchr("<>\"`|\\", c) != NULL) {
            return false;
        }
    }
    return true;
}
