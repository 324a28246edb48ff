/*
 * zone.h: time zones, read from the system's zoneinfo files (TZif, RFC 8536).
 *
 * The C library knows one zone, that of TZ, which belongs to the whole process and may be changed
 * by nobody while threads run.  So the files are read here; they are untrusted input like any
 * other, and every count in them is held against what is there.
 *
 * A zone is immutable; any thread.  Times are seconds; a wall time is counted as if it were UTC.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/* "UTC", which needs no file; "local", the machine's own (/etc/localtime); or a name such as
 * "Asia/Tokyo".  Returns owned.  -EINVAL with a sentence for the operator in ret_why, without the
 * name; -ENOMEM. */
int zone_load(const char *name, struct zone **ret_zone, char *ret_why, size_t size);
/* What is in a file.  -EPROTO: it is none, or counts leap seconds; -ENOMEM. */
int zone_parse(const void *data, size_t len, struct zone **ret_zone);
void zone_destroy(struct zone *zone); /* takes NULL */
/* NULL: out of memory. */
struct zone *zone_copy(const struct zone *zone);

/* How far its clocks are ahead of UTC at that Unix time. */
int32_t zone_offset(const struct zone *zone, int64_t unix_s);
/* The Unix time at which its clocks show that wall time: of two, `last` or the first; where they
 * jump over it, the moment of the jump. */
int64_t zone_when(const struct zone *zone, int64_t wall_s, bool last);

#endif
