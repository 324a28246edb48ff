/*
 * json.h: writes JSON into one growing buffer.
 *
 * For sinks, whose format() is called once a notification: one pass over each text, no allocation a
 * field, and the memory is used again for the next document.  The caller writes brackets, colons
 * and commas itself.  What would pass the cap or finds no memory sets `failed`, and from then on
 * nothing is written; look at it once, at the end.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *data; /* owned; NULL until something is written */
    size_t len;
    size_t size; /* allocated */
    size_t cap;  /* len never passes it */
    bool failed;
    bool no_memory; /* why it failed; else: the cap */
};

/* Zeroed memory is a json with a cap of nothing; this sets the cap. */
void json_init(struct json *json, size_t cap);
void json_finish(struct json *json);
/* Empties it for the next document; what one very large document took is given back. */
void json_start(struct json *json);

/* As it is. */
void json_put(struct json *json, const void *data, size_t len);
#define json_literal(json, literal) json_put(json, literal, sizeof(literal) - 1)
void json_number(struct json *json, uint64_t number);

/*
 * A string in quotes, escaped as Go's encoding/json does it: & < > too, so that the document can
 * stand in HTML, and U+2028 and U+2029; bytes that are not UTF-8 become \ufffd.  Of a text longer
 * than `most` bytes so much is taken, cut on a code point, and "..." behind it.
 */
void json_string(struct json *json, const char *text, size_t most);
/* One code point inside of quotes that the caller writes, escaped no more than JSON wants. */
void json_point(struct json *json, uint32_t code);

#endif
