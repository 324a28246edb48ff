/*
 * mime_encode.c: quoted-printable and base64 of RFC 2045.  See mime.h.
 */
#include <string.h>

#include "mail/mime.h"

#define LINE_BYTES 76

static const char hex[] = "0123456789ABCDEF";

static bool is_literal(unsigned char c)
{
    return c >= ' ' && c <= '~' && c != '=';
}

/* Lines of a text end with LF or CR LF; both become CR LF. */
void mime_put_quoted(struct buf *out, const char *text, size_t len)
{
    const char *end = text + len;
    size_t column = 0;

    for (; text < end; text++) {
        const unsigned char c = (unsigned char)*text;
        const bool ends = text + 1 == end || text[1] == '\n' || text[1] == '\r';
        const size_t width = is_literal(c) && !(c == ' ' && ends) ? 1 : 3;

        if (c == '\n' || (c == '\r' && !(text + 1 == end) && text[1] == '\n')) {
            text += c == '\r';
            buf_puts(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + width > LINE_BYTES - 1) {
            buf_puts(out, "=\r\n");
            column = 0;
        }
        if (width == 1 && !(column == 0 && c == '.')) {
            buf_putc(out, (char)c);
        } else { /* a point at the start of a line means something to SMTP */
            const char escape[3] = {'=', hex[c >> 4], hex[c & 15]};

            buf_append(out, escape, sizeof escape);
            column += width == 1 ? 2 : 0;
        }
        column += width;
    }
    if (column > 0) {
        buf_puts(out, "\r\n");
    }
}

void mime_put_base64(struct buf *out, const char *text, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        const unsigned char *p = (const unsigned char *)text + i;
        const size_t n = len - i < 3 ? len - i : 3;
        const unsigned bits =
            (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? (unsigned)p[2] : 0);
        const char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63],
                              n > 1 ? letters[bits >> 6 & 63] : '=',
                              n > 2 ? letters[bits & 63] : '='};

        buf_append(out, four, sizeof four);
        if ((i / 3 + 1) % (LINE_BYTES / 4) == 0 && i + 3 < len) {
            buf_puts(out, "\r\n");
        }
    }
}
