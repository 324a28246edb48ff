/*
 * mime.c: a message out of its parts.  See mime.h.
 */
#include "mail/mime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mail/mime_private.h"

/* Can stand in neither encoding of a part, since '=' is escaped in one and ends the other. */
#define BOUNDARY "=_toiletmon_part"

static void put_date(struct buf *out, int64_t ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm)) {
        buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
                   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
    }
}

/* Base64 where most of it would be escaped: then it is shorter, else it is easier to read. */
static void put_part(struct buf *out, const char *type, const char *text)
{
    const size_t len = strlen(text);
    size_t other = 0;

    for (size_t i = 0; i < len; i++) {
        other += (unsigned char)text[i] > '~' || text[i] == '=';
    }
    buf_printf(out,
               "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: ", BOUNDARY,
               type);
    if (other > len / 6) {
        buf_puts(out, "base64\r\n\r\n");
        mime_put_base64(out, text, len);
        buf_puts(out, "\r\n");
    } else {
        buf_puts(out, "quoted-printable\r\n\r\n");
        mime_put_quoted(out, text, len);
    }
}

static void put_ids(struct buf *out, const struct mime_mail *mail)
{
    mime_put_header(out, "Message-ID", mail->id);
    if (mail->nreferences > 0) {
        mime_put_header(out, "In-Reply-To", mail->references[0]);
        buf_puts(out, "References:");
        for (size_t i = 0; i < mail->nreferences; i++) {
            buf_printf(out, "%s %s", i > 0 ? "\r\n" : "", mail->references[i]);
        }
        buf_puts(out, "\r\n");
    }
}

int mime_write(struct buf *out, const struct mime_mail *mail)
{
    put_date(out, mail->date_ms);
    mime_put_addresses(out, "From", mail->from, 1);
    mime_put_addresses(out, "To", mail->to, mail->nto);
    mime_put_header(out, "Subject", mail->subject);
    put_ids(out, mail);
    buf_puts(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: multipart/alternative;\r\n boundary=\"" BOUNDARY "\"\r\n\r\n");
    put_part(out, "text/plain", mail->text);
    put_part(out, "text/html", mail->html); // the last one is the best
    buf_puts(out, "--" BOUNDARY "--\r\n");
    return out->failed ? -E2BIG : 0;
}
