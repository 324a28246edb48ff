/*
 * webhook.h: what the parts of the component `webhook` share.
 */
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/writer.h"

/* Pairs in the order of their keys, of two with one key the later: what a map would hold. */
struct pairs {
    const struct tmon_pair **at; /* owned; the pairs are borrowed */
    size_t count;
    size_t size; /* allocated */
};

/* False when out of memory. */
bool pairs_sort(struct pairs *pairs, const struct tmon_pair *from, size_t count);
/* Keeps those that the other one has with the same value. */
void pairs_keep_common(struct pairs *pairs, const struct pairs *other);
void pairs_finish(struct pairs *pairs);

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
