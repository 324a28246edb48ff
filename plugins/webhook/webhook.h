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

struct body {
    struct writer json;
    struct pairs labels, annotations; /* of the alert that is being written */
    struct pairs common_labels, common_annotations;
};

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
