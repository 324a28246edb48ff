/*
 * flap_rows.c: what flaps, or is about to, in the file; see table.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "alert/flap.h"
#include "alert/private.h"
#include "alert/table.h"
#include "model/labels.h"
#include "model/pairs.h"

#define ROW_VERSION 1
#define WORTH_A_ROW 2 /* changes: an alert that comes and goes has one */

static const char delete_flap[] = "DELETE FROM flap WHERE id = ?1";

void flap_row_delete(struct state_tx *tx, int64_t row)
{
    table_delete(tx, delete_flap, row);
}

static void save(struct alerts *alerts, struct state_tx *tx, struct flap *flap)
{
    static const char replace[] = "INSERT OR REPLACE INTO flap (id, body, sum) VALUES (?1, ?2, ?3)";
    struct buf *buf = &alerts->scratch;

    if (flap->row == 0) {
        flap->row = ++alerts->flaps.last_row;
    }
    buf_clear(buf);
    wire_put_u8(buf, ROW_VERSION);
    wire_put_u8(buf, flap->flapping);
    wire_put_u8(buf, flap->firing);
    wire_put_i64(buf, flap->notice);
    wire_put_u32(buf, flap->total);
    pairs_encode(buf, flap->labels, flap->nlabels);
    wire_put_u32(buf, (uint32_t)flap->n);
    for (size_t i = 0; i < flap->n; i++) {
        wire_put_i64(buf, flap->at[i].real_ms);
    }
    table_write(tx, replace, flap->row, NULL, buf);
}

void flaps_save(struct alerts *alerts, struct state_tx *tx)
{
    struct flap *flap = alerts->flaps.dirty;

    alerts->flaps.dirty = NULL;
    while (flap) {
        struct flap *next = flap->next_dirty;

        flap->dirty = false;
        if (flap->gone) {
            flap_free(flap);
        } else if (flap->n >= WORTH_A_ROW) {
            save(alerts, tx, flap);
        }
        flap = next;
    }
}

static int decode(const struct load *load, struct wire_reader *reader, struct flap *flap)
{
    uint8_t version = wire_get_u8(reader);
    struct tmon_pair *labels;
    int r;

    flap->flapping = wire_get_u8(reader) != 0;
    flap->firing = wire_get_u8(reader) != 0;
    flap->notice = wire_get_i64(reader);
    flap->total = wire_get_u32(reader);
    labels = pairs_decode(reader, LIMIT_PAIRS, LIMIT_LABEL_VALUE_BYTES, &flap->nlabels);
    flap->n = wire_get_count(reader, ROUTING_FLAP_CHANGES_MOST, 8);
    for (size_t i = 0; i < flap->n; i++) {
        flap->at[i] = time_of(wire_get_i64(reader), load->now);
    }
    r = version != ROW_VERSION || !wire_done(reader) || flap->nlabels == 0 || flap->n == 0 ? -EPROTO
        : labels_copy(labels, flap->nlabels, &flap->labels) < 0                            ? -ENOMEM
                                                                                           : 0;
    free(labels);
    return r;
}

static int take(const struct load *load, int64_t id, const char *uid, struct wire_reader *reader)
{
    struct flap *flap = calloc(1, sizeof *flap);
    int r = flap ? decode(load, reader, flap) : -ENOMEM;
    struct alert *alert;

    if (r == 0) {
        flap->row = id;
        r = flap_enter(load->alerts, flap);
    }
    if (r < 0) {
        flap_free(flap);
        return r;
    }
    alert = map_get(&load->alerts->by_identity, (const char *)(flap->labels + flap->nlabels),
                    flap->identity_len);
    if (alert && flap->flapping) {
        alert->flapping = true;
    }
    return 0;
}

int flaps_load(const struct load *load)
{
    static const struct table table = {"flap", "SELECT id, body, sum FROM flap", delete_flap, take};
    int64_t last = 0;
    int r = table_load(load, &table, &last);

    load->alerts->flaps.last_row = last;
    load->alerts->flaps.unsure = true;
    return r;
}
