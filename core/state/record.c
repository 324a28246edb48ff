/*
 * record.c: the columns of a row as they stand in a page; see cell.h.  A record says how long each
 * of its columns is, and what they add up to must be its length: garbage seldom passes for one.
 */
#include "state/cell.h"

size_t varint_get(const unsigned char *at, const unsigned char *end, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 9; i++) {
        if (at + i >= end) {
            return 0;
        }
        if (i == 8) {
            *ret_value = value << 8 | at[i];
            return 9;
        }
        value = value << 7 | (at[i] & 0x7f);
        if (!(at[i] & 0x80)) {
            *ret_value = value;
            return i + 1;
        }
    }
    return 0;
}

static int64_t signed_number(const unsigned char *at, size_t len)
{
    uint64_t value = len > 0 && (at[0] & 0x80) ? UINT64_MAX : 0;

    for (size_t i = 0; i < len; i++) {
        value = value << 8 | at[i];
    }
    return (int64_t)value;
}

static uint64_t type_bytes(uint64_t type)
{
    static const unsigned char number_bytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

    return type < 10 ? number_bytes[type] : (type - 12) / 2;
}

static enum value_type type_of(uint64_t type)
{
    if (type >= 12) {
        return type % 2 ? VALUE_TEXT : VALUE_BLOB;
    }
    return type == 0 ? VALUE_NULL : type == 7 ? VALUE_REAL : VALUE_INT;
}

/* SQLite's numbers for the types; -1 as record_types(). */
static int serial_types(const unsigned char *data, size_t len, uint64_t payload,
                        uint64_t ret_types[RECORD_COLUMNS], uint64_t *ret_header)
{
    uint64_t header, total;
    size_t at = varint_get(data, data + len, &header);
    int count = 0;

    if (at == 0 || header < at || header > len) {
        return -1;
    }
    for (total = header; at < header; count++) {
        uint64_t type;
        size_t n = varint_get(data + at, data + header, &type);

        if (n == 0 || count == RECORD_COLUMNS || type == 10 || type == 11 ||
            type_bytes(type) > payload) {
            return -1;
        }
        ret_types[count] = type;
        total += type_bytes(type);
        at += n;
    }
    *ret_header = header;
    return total == payload ? count : -1;
}

int record_types(const unsigned char *data, size_t len, uint64_t payload,
                 enum value_type ret_types[RECORD_COLUMNS])
{
    uint64_t types[RECORD_COLUMNS], header;
    int count = serial_types(data, len, payload, types, &header);

    for (int i = 0; i < count; i++) {
        ret_types[i] = type_of(types[i]);
    }
    return count;
}

int record_get(const unsigned char *data, size_t len, struct value ret_values[RECORD_COLUMNS])
{
    uint64_t types[RECORD_COLUMNS], header;
    int count = serial_types(data, len, len, types, &header);
    const unsigned char *at = data + header;

    for (int i = 0; i < count; i++) {
        struct value value = {
            .type = type_of(types[i]), .data = at, .len = (size_t)type_bytes(types[i])};

        if (value.type == VALUE_INT) {
            value.number = types[i] == 9 ? 1 : types[i] == 8 ? 0 : signed_number(at, value.len);
        }
        ret_values[i] = value;
        at += value.len;
    }
    return count;
}
