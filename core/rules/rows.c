/*
 * rows.c: see rows.h.  Encoding belongs to the rules' thread, the rest to the state's.
 */
#include "rules/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wire.h"
#include "model/labels.h"
#include "model/pairs.h"

#define ROW_VERSION 1
#define KEY_BYTES 65536

enum { FLAG_NO_DATA = 1, FLAG_TOLD = 2 };

static uint64_t mix(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    } while (*text++);
    return hash;
}

int64_t rules_row_id(const char *group, const char *rule, const char *key)
{
    uint64_t hash = mix(mix(mix(UINT64_C(14695981039346656037), group), rule), key);

    return (int64_t)(hash >> 2) + 1; /* positive, below the numbers that SQLite cannot count on */
}

void rules_row_encode(const struct active *active, const char *group, const char *rule,
                      int64_t timer_ms, bool told_firing, struct buf *buf)
{
    wire_put_u8(buf, ROW_VERSION);
    wire_put_u8(buf, (uint8_t)active->state);
    wire_put_u8(buf,
                (uint8_t)((active->no_data ? FLAG_NO_DATA : 0) | (told_firing ? FLAG_TOLD : 0)));
    wire_put_str(buf, group);
    wire_put_str(buf, rule);
    wire_put_i64(buf, timer_ms - active->since_ms);
    wire_put_i64(buf, active->keep_since_ms < 0 ? -1 : timer_ms - active->keep_since_ms);
    wire_put_i64(buf, active->since_real_ms);
    wire_put_i64(buf, active->fired_real_ms);
    wire_put_f64(buf, active->value);
    pairs_encode(buf, active->labels, active->nlabels);
    pairs_encode(buf, active->annotations, active->nannotations);
}

static const char replace[] =
    "INSERT OR REPLACE INTO rule_state (id, body, sum) VALUES (?1, ?2, ?3)";
static const char delete[] = "DELETE FROM rule_state WHERE id = ?1";
static const char select_all[] = "SELECT id, body, sum FROM rule_state";

static uint32_t sum_of(int64_t id, const void *body, size_t len)
{
    return state_sum_bytes(state_sum_int(STATE_SUM, id), body, len);
}

void rules_row_write(struct state_tx *tx, int64_t id, const void *body, size_t len)
{
    sqlite3_stmt *statement = state_prepare(tx, len > 0 ? replace : delete);

    if (!statement) {
        return;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    if (len > 0) {
        (void)sqlite3_bind_blob64(statement, 2, body, len, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 3, sum_of(id, body, len));
    }
    (void)state_step(tx, statement);
    (void)sqlite3_reset(statement);
}

/* ---- reading ---- */

static int decode_pairs(struct wire_reader *reader, struct tmon_pair **ret_pairs, size_t *ret_n)
{
    struct tmon_pair pairs[LIMIT_PAIRS];
    uint32_t n = wire_get_count(reader, LIMIT_PAIRS, 10);

    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        pairs[i].key = wire_get_str(reader, LIMIT_ALERT_TEXT_BYTES);
        pairs[i].value = wire_get_str(reader, LIMIT_ALERT_TEXT_BYTES);
    }
    if (reader->bad) {
        return -EPROTO;
    }
    *ret_n = n;
    return labels_copy(pairs, n, ret_pairs);
}

static int decode(const void *body, size_t len, struct rules_row *row)
{
    struct wire_reader reader;
    uint8_t flags, state;
    int r;

    wire_reader_init(&reader, body, len);
    if (wire_get_u8(&reader) != ROW_VERSION) {
        return -EPROTO;
    }
    state = wire_get_u8(&reader);
    flags = wire_get_u8(&reader);
    row->group = strdup(wire_get_str(&reader, KEY_BYTES));
    row->rule = strdup(wire_get_str(&reader, KEY_BYTES));
    row->elapsed_ms = wire_get_i64(&reader);
    row->keep_elapsed_ms = wire_get_i64(&reader);
    row->since_real_ms = wire_get_i64(&reader);
    row->fired_real_ms = wire_get_i64(&reader);
    row->value = wire_get_f64(&reader);
    row->no_data = flags & FLAG_NO_DATA;
    row->told_firing = flags & FLAG_TOLD;
    row->state = (enum active_state)state;
    if (!row->group || !row->rule) {
        return -ENOMEM;
    }
    r = decode_pairs(&reader, &row->labels, &row->nlabels);
    if (r == 0) {
        r = decode_pairs(&reader, &row->annotations, &row->nannotations);
    }
    return r == 0 && (!wire_done(&reader) || state > ACTIVE_FIRING) ? -EPROTO : r;
}

int rules_row_orphan(const struct tmon_pair *labels, size_t n, int64_t starts_ms,
                     struct rules_row **rows)
{
    struct rules_row *row = calloc(1, sizeof *row);

    if (!row) {
        return -ENOMEM;
    }
    *row = (struct rules_row){.group = strdup(""),
                              .rule = strdup(""),
                              .nlabels = n,
                              .state = ACTIVE_FIRING,
                              .told_firing = true,
                              .keep_elapsed_ms = -1,
                              .since_real_ms = starts_ms,
                              .fired_real_ms = starts_ms};
    if (!row->group || !row->rule || labels_copy(labels, n, &row->labels) < 0) {
        rules_row_free(row);
        return -ENOMEM;
    }
    row->next = *rows;
    *rows = row;
    return 0;
}

void rules_row_free(struct rules_row *row)
{
    if (row) {
        free(row->group);
        free(row->rule);
        free(row->labels);
        free(row->annotations);
        free(row);
    }
}

static int read_row(sqlite3_stmt *statement, struct rules_row **rows, uint64_t *bad)
{
    int64_t id = sqlite3_column_int64(statement, 0);
    const void *body = sqlite3_column_blob(statement, 1);
    int len = sqlite3_column_bytes(statement, 1);
    struct rules_row *row = calloc(1, sizeof *row);
    int r = -EPROTO;

    if (!row) {
        return -ENOMEM;
    }
    if (body && len > 0 &&
        (int64_t)sum_of(id, body, (size_t)len) == sqlite3_column_int64(statement, 2)) {
        r = decode(body, (size_t)len, row);
    }
    if (r < 0) {
        rules_row_free(row);
        *bad += r != -ENOMEM;
        return r == -ENOMEM ? r : 0;
    }
    row->id = id;
    row->next = *rows;
    *rows = row;
    return 0;
}

int rules_rows_read(struct state_tx *tx, struct rules_row **ret_rows)
{
    sqlite3_stmt *statement = state_prepare(tx, select_all);
    struct rules_row *rows = NULL;
    uint64_t bad = 0;
    int r = statement ? 0 : tx->error;

    while (r == 0 && (r = state_step(tx, statement)) == 1) {
        r = read_row(statement, &rows, &bad);
    }
    if (statement) {
        (void)sqlite3_reset(statement);
    }
    if (bad > 0) {
        state_lost(tx->state, "rule_state", bad);
    }
    if (r < 0) {
        while (rows) {
            struct rules_row *next = rows->next;

            rules_row_free(rows);
            rows = next;
        }
        return r;
    }
    *ret_rows = rows;
    return 0;
}
