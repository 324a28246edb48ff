/*
 * mime.h: writes a message as it goes over the wire: headers, and a text beside its HTML.
 *
 * Nothing that is given can begin a new header: control characters become blanks, what is not ASCII
 * is encoded (RFC 2047), and lines are folded.  All lines end with CR LF and are short enough.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdint.h>

#include "base/buf.h"

#define MIME_ADDRESS_BYTES 255
#define MIME_NAME_BYTES 200

/* "Name <a@b>" or "a@b", taken apart. */
struct mime_address {
    char name[MIME_NAME_BYTES];       /* "" when there is none */
    char address[MIME_ADDRESS_BYTES]; /* ASCII, without blanks or control characters */
};

/* NULL, or what is wrong with it, without its text: "is no address". */
const char *mime_address_read(struct mime_address *ret_address, const char *text);
/* What stands behind the @. */
const char *mime_address_domain(const struct mime_address *address);

struct mime_mail {
    const struct mime_address *from;
    const struct mime_address *to;
    size_t nto;
    const char *subject;
    const char *id; /* in < >, as the references */
    const char *const *references;
    size_t nreferences;
    int64_t date_ms;
    const char *text, *html;
};

/* Appends the whole message.  -E2BIG: it passes the buf's cap, or there is no memory. */
int mime_write(struct buf *out, const struct mime_mail *mail);

/* Parts of it. */
void mime_put_header(struct buf *out, const char *name, const char *value);
void mime_put_quoted(struct buf *out, const char *text, size_t len);
void mime_put_base64(struct buf *out, const char *text, size_t len);

#endif
