/*
 * webhook.h: what the parts of the component `webhook` share.
 */
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/pairs.h"
#include "../common/prose.h"
#include "../common/writer.h"
#include "mail/mustache.h"

#define WEBHOOK_NEVER "0001-01-01T00:00:00Z" /* the end of what still fires, as Go has it */
#define TEMPLATE_VALUES 100000               /* LIMIT_MUSTACHE_VALUES */

struct body {
    struct writer json;
    struct mustache *template; /* owned; NULL: Alertmanager's document */
    enum mustache_escape escape;
    struct pairs labels, annotations; /* of the alert that is being written */
    struct pairs common_labels, common_annotations;
};

/* The operator's template; `type` is the Content-Type that the body will have.  TMON_REJECTED with
 * an explanation when it is none, or makes no JSON where that is promised. */
tmon_rc template_open(struct tmon_call *call, struct body *body, const char *text,
                      const char *type);
void template_close(struct body *body);
/* Renders the first `nalerts` into body->json, whose `failed` says that it is too much; texts are
 * cut at `most` bytes.  False when out of memory. */
bool template_put(struct body *body, const struct tmon_notification *notification, size_t nalerts,
                  size_t most);
/* Whether what was rendered is JSON, where that is promised, and where it stops to be. */
bool template_check(const struct body *body, int *ret_line, int *ret_column);

/* Firing if anything in it is, also what is not written. */
bool body_is_firing(const struct tmon_notification *notification);
/* Sorts the maps of an alert, and keeps what is common with those before it.  False when out of
 * memory. */
bool body_look_at(struct body *body, const struct tmon_alert *alert, bool first);

/* The document into body->json.  TMON_RETRY: no memory; TMON_REJECTED: it cannot be made to fit;
 * both with an explanation. */
tmon_rc body_write(struct tmon_call *call, struct body *body,
                   const struct tmon_notification *notification);
void body_init(struct body *body);
void body_finish(struct body *body);

#define SIGNATURE_BYTES 96

/* t=<unix seconds>,v1=<hex of HMAC-SHA256 over "<unix seconds>.<body>"> */
void signature_write(char text[SIGNATURE_BYTES], const char *secret, int64_t unix_s,
                     const void *data, size_t len);

#endif
