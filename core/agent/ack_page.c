/*
 * ack_page.c: see ack_page.h.
 */
#include "agent/ack_page.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "model/labels.h"

#define TEXT_BYTES 2048 /* of an annotation; the whole is in the notification */

static void put(struct buf *buf, const char *text)
{
    size_t len = strlen(text), shown = utf8_cut(text, len, TEXT_BYTES);

    for (size_t i = 0; i < shown; i++) {
        switch (text[i]) {
        case '&':
            buf_puts(buf, "&amp;");
            break;
        case '<':
            buf_puts(buf, "&lt;");
            break;
        case '>':
            buf_puts(buf, "&gt;");
            break;
        case '"':
            buf_puts(buf, "&quot;");
            break;
        case '\'':
            buf_puts(buf, "&#39;");
            break;
        default:
            buf_putc(buf, text[i]);
        }
    }
    buf_puts(buf, shown < len ? " ..." : "");
}

static void put_time(struct buf *buf, int64_t ms)
{
    char text[CLOCK_RFC3339_SIZE];

    buf_puts(buf, clock_rfc3339(ms, text));
}

static void begin(struct buf *buf, const char *title)
{
    buf_puts(buf, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"robots\" content=\"noindex\">\n<title>");
    put(buf, title);
    buf_puts(buf, "</title>\n</head>\n<body>\n<main>\n<h1>");
    put(buf, title);
    buf_puts(buf, "</h1>\n");
}

static void end(struct buf *buf)
{
    buf_puts(buf, "</main>\n</body>\n</html>\n");
}

static void paragraph(struct buf *buf, const char *text)
{
    if (*text) {
        buf_puts(buf, "<p>");
        put(buf, text);
        buf_puts(buf, "</p>\n");
    }
}

void ack_page_say(struct buf *buf, const char *title, const char *text)
{
    begin(buf, title);
    paragraph(buf, text);
    end(buf);
}

static void put_labels(struct buf *buf, const struct alerts_view *view)
{
    buf_puts(buf, "<dl>\n");
    for (size_t i = 0; i < view->nlabels; i++) {
        buf_puts(buf, "<dt>");
        put(buf, view->labels[i].key);
        buf_puts(buf, "</dt><dd>");
        put(buf, view->labels[i].value);
        buf_puts(buf, "</dd>\n");
    }
    buf_puts(buf, "</dl>\n");
}

static void put_acknowledged(struct buf *buf, const struct alerts_view *view, bool done)
{
    buf_puts(buf, "<p role=\"status\"><strong>");
    buf_puts(buf, done ? "Acknowledged" : "It is acknowledged already");
    if (*view->acked_by) {
        buf_puts(buf, " by ");
        put(buf, view->acked_by);
    }
    buf_puts(buf, "</strong> (");
    put_time(buf, view->acked_ms);
    buf_puts(buf, "). It is not repeated; its end is told.</p>\n");
    paragraph(buf, view->ack_comment);
}

static void put_form(struct buf *buf)
{
    buf_printf(buf,
               "<form method=\"post\">\n"
               "<p><label>Your name <input name=\"by\" maxlength=\"%d\" autocomplete=\"name\">"
               "</label></p>\n"
               "<p><label>Comment <input name=\"comment\" maxlength=\"%d\"></label></p>\n"
               "<p><button type=\"submit\">Acknowledge</button></p>\n</form>\n"
               "<p>It is then not repeated while it fires; its end is told.</p>\n",
               LIMIT_ACK_BY_BYTES / 4, LIMIT_ACK_COMMENT_BYTES / 4);
}

void ack_page_alert(struct buf *buf, const struct alerts_view *view, bool done)
{
    static const char *const severities[] = {"info", "warning", "critical"};
    const char *name = labels_get(view->labels, view->nlabels, "alertname");

    begin(buf, *name ? name : "Alert");
    buf_printf(buf, "<p>%s, %s since ", severities[view->severity],
               view->firing ? "firing" : "resolved");
    put_time(buf, view->firing ? view->starts_ms : view->ends_ms);
    buf_puts(buf, "</p>\n");
    paragraph(buf, labels_get(view->annotations, view->nannotations, "summary"));
    paragraph(buf, labels_get(view->annotations, view->nannotations, "message"));
    paragraph(buf, labels_get(view->annotations, view->nannotations, "description"));
    put_labels(buf, view);
    if (view->acked_ms > 0) {
        put_acknowledged(buf, view, done);
    } else if (view->firing) {
        put_form(buf);
    }
    end(buf);
}
