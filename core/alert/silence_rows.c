/*
 * silence_rows.c: silences in the file; see table.h.  The id is a column, so that whoever looks at
 * the file with SQLite finds it; the number of a row is made of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"

#define ROW_VERSION 1

static const char delete_silence[] = "DELETE FROM silence WHERE id = ?1";

static void encode(const struct silence *silence, struct buf *buf)
{
    wire_put_u8(buf, ROW_VERSION);
    wire_put_i64(buf, silence->starts_ms);
    wire_put_i64(buf, silence->ends_ms);
    wire_put_i64(buf, silence->updated_ms);
    wire_put_str(buf, silence->created_by);
    wire_put_str(buf, silence->comment);
    wire_put_u32(buf, (uint32_t)silence->nmatchers);
    for (size_t i = 0; i < silence->nmatchers; i++) {
        wire_put_u8(buf, (uint8_t)silence->matchers[i].op);
        wire_put_u8(buf, (uint8_t)silence->matchers[i].flavor);
        wire_put_str(buf, silence->matchers[i].name);
        wire_put_str(buf, silence->matchers[i].value);
    }
}

static void save(struct alerts *alerts, struct state_tx *tx, struct silence *silence)
{
    static const char replace[] =
        "INSERT OR REPLACE INTO silence (id, body, sum, uid) VALUES (?1, ?2, ?3, ?4)";

    buf_clear(&alerts->scratch);
    encode(silence, &alerts->scratch);
    table_write(tx, replace, silence->row, silence->id, &alerts->scratch);
    silence->saved = true;
}

void silences_save(struct alerts *alerts, struct state_tx *tx)
{
    struct silence *silence = alerts->silences.dirty;

    alerts->silences.dirty = NULL;
    while (silence) {
        struct silence *next = silence->next_dirty;

        silence->dirty = false;
        if (!silence->gone) {
            save(alerts, tx, silence);
        } else {
            if (silence->saved) {
                table_delete(tx, delete_silence, silence->row);
            }
            silence_free(silence);
        }
        silence = next;
    }
}

static int decode_matcher(struct wire_reader *reader, struct matcher *matcher)
{
    uint8_t op = wire_get_u8(reader), flavor = wire_get_u8(reader);
    const char *name = wire_get_str(reader, LIMIT_SILENCE_BYTES);
    const char *value = wire_get_str(reader, LIMIT_SILENCE_BYTES);
    char why[1];
    int r;

    if (reader->bad || op > MATCHER_NOT_REGEX || flavor > REGEX_RE2) {
        return -EPROTO;
    }
    r = flavor == REGEX_RE2
            ? matcher_init_re2(matcher, name, (enum matcher_op)op, value, why, sizeof why)
            : matcher_init(matcher, name, (enum matcher_op)op, value, why, sizeof why);
    return r == -EINVAL ? -EPROTO : r;
}

static int decode(struct wire_reader *reader, struct silence *silence)
{
    uint8_t version = wire_get_u8(reader);
    const char *created_by, *comment;
    uint32_t n;
    int r = 0;

    silence->starts_ms = wire_get_i64(reader);
    silence->ends_ms = wire_get_i64(reader);
    silence->updated_ms = wire_get_i64(reader);
    created_by = wire_get_str(reader, LIMIT_SILENCE_NAME_BYTES);
    comment = wire_get_str(reader, LIMIT_SILENCE_TEXT_BYTES);
    n = wire_get_count(reader, LIMIT_SILENCE_MATCHERS, 2 + 2 * 5);
    if (reader->bad || version != ROW_VERSION || n == 0) {
        return -EPROTO;
    }
    silence->created_by = strdup(created_by);
    silence->comment = strdup(comment);
    silence->matchers = calloc(n, sizeof *silence->matchers);
    if (!silence->created_by || !silence->comment || !silence->matchers) {
        return -ENOMEM;
    }
    for (; silence->nmatchers < n && r == 0; silence->nmatchers += r == 0) {
        r = decode_matcher(reader, &silence->matchers[silence->nmatchers]);
    }
    return r < 0 ? r : wire_done(reader) ? 0 : -EPROTO;
}

static int take(const struct load *load, int64_t id, const char *uid, struct wire_reader *reader)
{
    struct silence *silence;
    int64_t row;
    int r;

    if (!silence_id_ok(uid, &row) || row != id) {
        return -EPROTO;
    }
    silence = calloc(1, sizeof *silence);
    r = silence ? decode(reader, silence) : -ENOMEM;
    if (r == 0) {
        memcpy(silence->id, uid, SILENCE_ID_SIZE);
        silence->row = id;
        silence->saved = true;
        r = silence_enter(&load->alerts->silences, silence, load->now);
    }
    if (r < 0) {
        silence_free(silence);
    }
    return r;
}

int silences_load(const struct load *load)
{
    static const struct table table = {"silence", "SELECT id, body, sum, uid FROM silence",
                                       delete_silence, take};
    int64_t last = 0;

    return table_load(load, &table, &last);
}
