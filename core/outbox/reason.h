/*
 * reason.h: why an attempt failed, as people read it: one line without control characters and
 * without anything that is secret.
 *
 * What a far end answers may quote our URL or token.  So values of secret settings, and what a URL
 * setting has behind its host, are taken out wherever they stand.  Any thread.
 */
#ifndef OUTBOX_REASON_H
#define OUTBOX_REASON_H

#include <stddef.h>
#include <stdint.h>

#include "model/settings.h"
#include "plugin_api.h"

/* Writes a cleaned copy into `space`, cut at a code point.  `settings` may be NULL. */
void reason_put(char *space, size_t size, const struct settings *settings, const char *text);
/* "HTTP 404 no_service" */
void reason_http(char *space, size_t size, const struct settings *settings, int32_t status,
                 const char *said);
/* The first line of a body, where it is text for people; "" else. */
void reason_body(char *space, size_t size, const struct settings *settings,
                 const struct tmon_bytes *body);

#endif
