/*
 * show.h: pieces of the API's documents for people.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>

#include "cli/command.h"

/* "3d4h", "2m10s", "5s": two units at most. */
const char *show_age(double seconds, char *space, size_t size);
/* On stdout, cleaned as in tables. */
void show_text(const char *text);
/* How long ago a time of a document was; "" for null. */
const char *show_since(const json_t *time, char *space, size_t size);
/* "silenced", "inhibited", "maintenance", "flapping", "acked": why nobody is told of the alert, or
 * not again; else `status`. */
const char *show_held(const json_t *alert, const char *status);
/* "told", "queued", "failing", "failed", "moved", "waiting": how far a sink of an alert has been
 * told of it. */
const char *show_delivery(const json_t *sink);
/* The table of checks: an object by name (health), or an array of objects with a name (the API). */
void show_checks(const json_t *checks);
/* "key: value" lines of a check's details, nested ones with dots. */
void show_details(const json_t *object, const char *prefix);

#endif
