/*
 * text.c: texts of a Slack message, safe whatever an alert says.  See slack.h.
 */
#include "slack.h"

#include "../common/when.h"

#define URL_BYTES 2000 /* escaped; longer ones would push out the text that they belong to */
#define LABEL_UNITS 40 /* of a link's label, for which there must be room beside the URL */

/* Slack's three escapes. */
const char *text_entity(uint32_t code)
{
    return code == '&' ? "&amp;" : code == '<' ? "&lt;" : code == '>' ? "&gt;" : NULL;
}

void text_time(struct prose *text, const char *before, int64_t ms)
{
    char plain[WHEN_BYTES], markup[128];

    if (!when_is_known(ms)) {
        return;
    }
    when_plain(plain, ms);
    (void)snprintf(markup, sizeof markup, "%s<!date^%lld^{date_num} {time_secs}|%s>", before,
                   (long long)(ms / 1000), plain);
    prose_markup(text, markup);
}

/* The URL so that it stands between `<` and `|`; false when it is none to follow. */
static bool escape_url(char escaped[URL_BYTES], const char *url)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;

    if (!prose_is_web(url)) {
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

void text_link(struct prose *text, const char *url, const char *label, unsigned most)
{
    char escaped[URL_BYTES];

    if (!escape_url(escaped, url) || strlen(escaped) + LABEL_UNITS + 3 > prose_room(text) / 2) {
        (void)prose_user(text, label, most, PROSE_LINE);
        return;
    }
    prose_markup(text, "<");
    prose_markup(text, escaped);
    prose_between(text, "|", prose_seen(label) ? label : "link", most, ">");
}

void text_open(struct prose *text, struct writer *json, unsigned most)
{
    // verbatim: Slack makes no links and mentions of its own out of what an alert says
    writer_literal(json, "{\"type\":\"mrkdwn\",\"verbatim\":true,\"text\":\"");
    prose_init(text, json, text_entity, most);
}

void text_close(const struct prose *text)
{
    writer_literal(text->json, "\"}");
}
