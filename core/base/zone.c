/*
 * zone.c: see zone.h.
 */
#include "base/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/zone_rule.h"

#define HEADER_BYTES 44
#define DAY_S 86400
#define OFFSET_MOST (26 * 3600) /* what RFC 8536 allows */

struct change {
    int64_t at;
    int32_t offset; /* from then on */
};

struct zone {
    int32_t first; /* before all changes */
    bool goes_on;  /* after them it is as `rule` says */
    struct zone_rule rule;
    size_t n;
    struct change changes[];
};

/* ---- a file ---- */

struct reader {
    const uint8_t *at;
    size_t left;
};

struct counts { /* in their order in the file */
    uint32_t utc, standard, leap, times, types, chars;
};

static uint64_t big_endian(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* NULL: there is not so much. */
static const uint8_t *skip(struct reader *reader, size_t len)
{
    const uint8_t *at = reader->at;

    if (len > reader->left) {
        return NULL;
    }
    reader->at += len;
    reader->left -= len;
    return at;
}

/* What a file of our size cannot hold is refused here, so that sums do not overflow. */
static int read_header(struct reader *reader, char *ret_version, struct counts *ret_counts)
{
    const uint8_t *at = skip(reader, HEADER_BYTES);
    uint32_t *counts[] = {&ret_counts->utc,   &ret_counts->standard, &ret_counts->leap,
                          &ret_counts->times, &ret_counts->types,    &ret_counts->chars};

    if (!at || memcmp(at, "TZif", 4) != 0) {
        return -EPROTO;
    }
    *ret_version = (char)at[4];
    for (size_t i = 0; i < 6; i++) {
        *counts[i] = (uint32_t)big_endian(at + 20 + 4 * i, 4);
        if (*counts[i] > LIMIT_ZONE_BYTES) {
            return -EPROTO;
        }
    }
    return 0;
}

static size_t body_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->times * (time_bytes + 1) + counts->types * (size_t)6 + counts->chars +
           counts->leap * (time_bytes + 4) + counts->standard + counts->utc;
}

static int32_t offset_of(const uint8_t *types, size_t i)
{
    return (int32_t)(uint32_t)big_endian(types + 6 * i, 4);
}

/* -EPROTO: times go back, a type is not there, an offset is none. */
static int read_changes(struct zone *zone, const uint8_t *body, const struct counts *counts,
                        size_t time_bytes)
{
    const uint8_t *indices = body + counts->times * time_bytes;
    const uint8_t *types = indices + counts->times;

    for (size_t i = 0; i < counts->types; i++) {
        int32_t offset = offset_of(types, i);

        if (offset < -OFFSET_MOST || offset > OFFSET_MOST) {
            return -EPROTO;
        }
    }
    zone->first = offset_of(types, 0);
    for (size_t i = 0; i < counts->times; i++) {
        uint64_t at = big_endian(body + i * time_bytes, time_bytes);

        if (indices[i] >= counts->types) {
            return -EPROTO;
        }
        zone->changes[i] =
            (struct change){time_bytes == 8 ? (int64_t)at : (int64_t)(int32_t)(uint32_t)at,
                            offset_of(types, indices[i])};
        if (i > 0 && zone->changes[i].at <= zone->changes[i - 1].at) {
            return -EPROTO;
        }
    }
    zone->n = counts->times;
    return 0;
}

/* "\nRULE\n"; no rule: it stays as it was at last. */
static int read_footer(struct reader *reader, struct zone *zone)
{
    const uint8_t *end;
    size_t len;

    if (reader->left < 2 || reader->at[0] != '\n') {
        return -EPROTO;
    }
    end = memchr(reader->at + 1, '\n', reader->left - 1);
    if (!end) {
        return -EPROTO;
    }
    len = (size_t)(end - reader->at) - 1;
    zone->goes_on = len > 0;
    return len > 0 ? zone_rule_parse((const char *)reader->at + 1, len, &zone->rule) : 0;
}

int zone_parse(const void *data, size_t len, struct zone **ret_zone)
{
    struct reader reader = {data, len};
    struct counts counts;
    struct zone *zone;
    const uint8_t *body;
    size_t time_bytes = 4;
    char version;
    int r = len > LIMIT_ZONE_BYTES ? -EPROTO : read_header(&reader, &version, &counts);

    if (r == 0 && version >= '2') { /* the same again with times of 64 bits */
        r = skip(&reader, body_bytes(&counts, 4)) ? read_header(&reader, &version, &counts)
                                                  : -EPROTO;
        time_bytes = 8;
    }
    if (r < 0) {
        return r;
    }
    body = skip(&reader, body_bytes(&counts, time_bytes));
    if (!body || counts.types == 0 || counts.leap > 0) {
        return -EPROTO;
    }
    zone = calloc(1, sizeof *zone + counts.times * sizeof zone->changes[0]);
    if (!zone) {
        return -ENOMEM;
    }
    r = read_changes(zone, body, &counts, time_bytes);
    if (r == 0 && time_bytes == 8) {
        r = read_footer(&reader, zone);
    }
    if (r < 0) {
        zone_destroy(zone);
        return r;
    }
    *ret_zone = zone;
    return 0;
}

void zone_destroy(struct zone *zone)
{
    free(zone);
}

struct zone *zone_copy(const struct zone *zone)
{
    size_t bytes = sizeof *zone + zone->n * sizeof zone->changes[0];
    struct zone *copy = malloc(bytes);

    return copy ? memcpy(copy, zone, bytes) : NULL;
}

/* ---- its name ---- */

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= LIMIT_ZONE_NAME_BYTES && name[0] != '/' && !strstr(name, "..") &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_/") ==
               len;
}

/* The bytes read, at most `size`; -errno. */
static ssize_t read_file(const char *path, uint8_t *data, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t len = 0;
    ssize_t n = 1;

    if (fd < 0) {
        return -errno;
    }
    while (len < size && (n = read(fd, data + len, size - len)) > 0) {
        len += (size_t)n;
    }
    n = n < 0 ? -errno : (ssize_t)len;
    (void)close(fd);
    return n;
}

/* What is wrong is said without the name: errors about settings do not show their values. */
static int load_file(const char *path, struct zone **ret_zone, char *ret_why, size_t size)
{
    uint8_t *data = malloc(LIMIT_ZONE_BYTES + 1);
    ssize_t len = data ? read_file(path, data, LIMIT_ZONE_BYTES + 1) : -ENOMEM;
    int r = len < 0 ? (int)len : zone_parse(data, (size_t)len, ret_zone);

    free(data);
    if (r == 0 || r == -ENOMEM) {
        return r;
    }
    if (r == -EPROTO || r == -EISDIR) {
        (void)snprintf(ret_why, size,
                       "what has that name is no time zone; names are such as Asia/Tokyo, UTC, "
                       "local");
    } else if (r == -ENOENT || r == -ENOTDIR) {
        (void)snprintf(ret_why, size,
                       "this machine has no such time zone; names are such as Asia/Tokyo, and the "
                       "package tzdata must be installed");
    } else {
        (void)snprintf(ret_why, size, "its file cannot be read: %s", log_errno(-r));
    }
    return -EINVAL;
}

int zone_load(const char *name, struct zone **ret_zone, char *ret_why, size_t size)
{
    char path[LIMIT_ZONE_NAME_BYTES + 32];

    if (strcmp(name, "UTC") == 0) {
        *ret_zone = calloc(1, sizeof **ret_zone);
        return *ret_zone ? 0 : -ENOMEM;
    }
    if (strcmp(name, "local") == 0) {
        return load_file("/etc/localtime", ret_zone, ret_why, size);
    }
    if (!is_name(name)) {
        (void)snprintf(ret_why, size,
                       "that is no name of a time zone; names are such as Asia/Tokyo, UTC, local");
        return -EINVAL;
    }
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    return load_file(path, ret_zone, ret_why, size);
}

/* ---- what time it is ---- */

int32_t zone_offset(const struct zone *zone, int64_t unix_s)
{
    size_t low = 0, high = zone->n; /* changes before `low` have happened, those from `high` not */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].at <= unix_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->n && zone->goes_on) {
        return zone_rule_offset(&zone->rule, unix_s);
    }
    return low == 0 ? zone->first : zone->changes[low - 1].offset;
}

/* The first moment after `from`, up to `to`, at which the offset is not that of `from`. */
static int64_t find_change(const struct zone *zone, int64_t from, int64_t to)
{
    int32_t offset = zone_offset(zone, from);

    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;

        if (zone_offset(zone, middle) == offset) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return to;
}

int64_t zone_when(const struct zone *zone, int64_t wall_s, bool last)
{
    /* A day before and a day after; no zone changes twice in that time, but for a few in the past.
     */
    int64_t early = wall_s - zone_offset(zone, wall_s - DAY_S);
    int64_t late = wall_s - zone_offset(zone, wall_s + DAY_S);
    bool early_good = early + zone_offset(zone, early) == wall_s;
    bool late_good = late + zone_offset(zone, late) == wall_s;

    if (early_good && late_good) {
        return (early < late) == last ? late : early;
    }
    if (early_good || late_good) {
        return early_good ? early : late;
    }
    return early > late ? find_change(zone, late, early) : early; /* the clocks jump over it */
}
