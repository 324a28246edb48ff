/*
 * mime_private.h: what the parts of the writer of messages share.
 */
#ifndef MAIL_MIME_PRIVATE_H
#define MAIL_MIME_PRIVATE_H

#include "mail/mime.h"

/* A blank and the value behind `column` bytes of a header's line, folded or encoded. */
void mime_put_value(struct buf *out, const char *value, size_t column);
void mime_put_addresses(struct buf *out, const char *header, const struct mime_address *addresses,
                        size_t count);

#endif
