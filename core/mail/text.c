/*
 * text.c: what strangers wrote, made fit to be read.  See alert_data.h.
 */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "common/utf8.h"
#include "mail/alert_data.h"

#define LEAST_BYTES 8 /* of utf8_line() */
#define LINES_MAX 200

bool mail_add_line(struct mail_tree *tree, struct mail_data *parent, const char *key,
                   const char *text, size_t most)
{
    char line[ALERT_LINE_BYTES];
    const size_t size = most < LEAST_BYTES ? LEAST_BYTES : most < sizeof line ? most : sizeof line;

    utf8_line(line, size, text);
    if (line[0] != '\0') {
        mail_add_string(tree, parent, key, line);
    }
    return line[0] != '\0';
}

/* The next line of a text, cleaned, in `line`; returns what follows it, NULL at the end. */
static const char *take_line(const char *text, char line[ALERT_LINE_BYTES])
{
    char raw[ALERT_LINE_BYTES];
    const size_t len = strcspn(text, "\n");
    const size_t n = len < sizeof raw ? len : utf8_cut(text, len, sizeof raw - 1);

    memcpy(raw, text, n);
    raw[n] = '\0';
    utf8_line(line, ALERT_LINE_BYTES, raw);
    return text[len] ? text + len + 1 : NULL;
}

void mail_add_lines(struct mail_tree *tree, struct mail_data *parent, const char *key,
                    const char *text, size_t most)
{
    struct mail_data *list = NULL;
    char line[ALERT_LINE_BYTES];

    for (size_t used = 0, n = 0; text; n++) {
        const char *next = take_line(text, line);
        size_t len = strlen(line);

        if (len > 0 && !list) {
            list = mail_add(tree, parent, key, MAIL_LIST);
        }
        if (len > 0 && n < LINES_MAX && used < most) {
            (void)mail_add_line(tree, list, NULL, line, most - used + 1);
            used += len;
        } else if (len > 0) {
            mail_add_string(tree, list, NULL, "...");
            return;
        }
        text = next;
    }
}

void mail_add_link(struct mail_tree *tree, struct mail_data *parent, const char *key,
                   const char *url, size_t most)
{
    const size_t len = url ? strlen(url) : 0;
    size_t begin = 0;

    if (len > 7 && strncasecmp(url, "http://", 7) == 0) {
        begin = 7;
    } else if (len > 8 && strncasecmp(url, "https://", 8) == 0) {
        begin = 8;
    }
    if (begin == 0 || len > most) {
        return;
    }
    for (size_t i = begin; i < len; i++) {
        const unsigned char c = (unsigned char)url[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c)) {
            return; // no URL; programs that make one of it all the same do not agree on which
        }
    }
    mail_add_text(tree, parent, key, url, len);
}
