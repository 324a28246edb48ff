/*
 * writer.h: writes JSON into one growing buffer.
 *
 * For sinks, whose format() is called once a notification: one pass over each text, no allocation a
 * field, and the memory is used again for the next document.  The caller writes brackets, colons
 * and commas itself.  What would pass the cap or finds no memory sets `failed`, and from then on
 * nothing is written; look at it once, at the end.
 */
#ifndef COMMON_WRITER_H
#define COMMON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
    char *data; /* owned; NULL until something is written */
    size_t len;
    size_t size; /* allocated */
    size_t cap;  /* len never passes it */
    bool failed;
    bool no_memory; /* why it failed; else: the cap */
};

/* Zeroed memory is a writer with a cap of nothing; this sets the cap. */
void writer_init(struct writer *json, size_t cap);
void writer_finish(struct writer *json);
/* Empties it for the next document; what one very large document took is given back. */
void writer_start(struct writer *json);

/* As it is. */
void writer_put(struct writer *json, const void *data, size_t len);
#define writer_literal(json, literal) writer_put(json, literal, sizeof(literal) - 1)
void writer_number(struct writer *json, uint64_t number);

/*
 * A string in quotes, escaped as Go's encoding/json does it: & < > too, so that the document can
 * stand in HTML, and U+2028 and U+2029; bytes that are not UTF-8 become \ufffd.  Of a text longer
 * than `most` bytes so much is taken, cut on a code point, and "..." behind it.
 */
void writer_string(struct writer *json, const char *text, size_t most);
/* One code point inside of quotes that the caller writes, escaped no more than JSON wants. */
void writer_point(struct writer *json, uint32_t code);

#endif
