/*
 * json_put.h: an object of jansson's gets a member, or is left without it when there is no memory.
 */
#ifndef AGENT_JSON_PUT_H
#define AGENT_JSON_PUT_H

#include <jansson.h>

/* Takes `value`. */
static inline void json_put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

#endif
