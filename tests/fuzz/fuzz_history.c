/*
 * Snapshots of history as a disk or a stranger left them: whatever is taken of one is read in
 * order, and survives the next restart as it is.  And bits that nobody wrote.  The first byte says
 * what the rest is: a whole snapshot; payloads of frames (after two bytes of length each), to which
 * right checksums are put; bits; or steps of time and values, to be written and read back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "../unit/store/history_kit.h"
#include "base/wire.h"
#include "store/gorilla.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS (KIT_T0 + 10000000)
#define LIMIT_BYTES 300000

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

struct world {
    struct store *store;
    struct history *history;
    struct history_selector *selector;
};

static void open_world(struct world *world)
{
    *world = (struct world){.store = NULL};
    must(store_create(NULL, &world->store) == 0 &&
         history_create(world->store, &(struct history_limits){.bytes = LIMIT_BYTES},
                        &world->history) == 0);
    world->selector = kit_select(world->history,
                                 "__name__!=\"toiletmon_store_series\" "
                                 "__name__!=\"toiletmon_store_series_limit\"",
                                 INT64_C(1) << 40);
}

struct look {
    uint64_t sum; /* of the series, whatever their order */
    size_t samples;
    bool cut;
};

static int look_at(void *arg, const struct history_series *series)
{
    struct look *look = arg;
    uint32_t sum = 0;

    for (size_t i = 0; i < series->nlabels; i++) {
        must(i == 0 || strcmp(series->labels[i - 1].key, series->labels[i].key) < 0);
        sum = (uint32_t)crc32(sum, (const Bytef *)series->labels[i].value,
                              (uInt)strlen(series->labels[i].value));
    }
    for (size_t i = 0; i < series->n; i++) {
        must(i == 0 || series->samples[i - 1].time_ms < series->samples[i].time_ms);
        sum = (uint32_t)crc32(sum, (const Bytef *)&series->samples[i], sizeof series->samples[i]);
    }
    look->sum += sum;
    look->samples += series->n;
    look->cut |= series->cut;
    return 0;
}

static struct look look(struct world *world)
{
    struct look all = {0}, last = {0};
    int r = history_read(world->history, world->selector, INT64_MIN, INT64_MAX, look_at, &all);

    must(r == 0 || r == -ENOBUFS);
    (void)history_read_last(world->history, world->selector, KIT_T0, NOW_MS, look_at, &last);
    return all;
}

static void survives(struct world *world)
{
    struct look before = look(world);
    struct world again;
    struct history_stats stats;
    struct buf buf;

    history_stats(world->history, NULL, &stats);
    must(stats.bytes < 2 * LIMIT_BYTES);
    buf_init(&buf, 8 << 20);
    must(history_save(world->history, NOW_MS, &buf) == 0);
    open_world(&again);
    must(history_restore(again.history, buf.data, buf.len, NOW_MS) == 0);
    history_stats(again.history, again.selector, &stats);
    if (!before.cut && stats.cut == 0 && stats.missing == 0) {
        struct look after = look(&again);

        must(before.sum == after.sum && before.samples == after.samples);
    }
    store_destroy(again.store);
    buf_finish(&buf);
}

static void fuzz_snapshot(struct world *world, const uint8_t *data, size_t size)
{
    (void)history_restore(world->history, data, size, NOW_MS);
}

static void fuzz_frames(struct world *world, const uint8_t *data, size_t size)
{
    struct buf buf;

    buf_init(&buf, 1 << 20);
    while (size >= 2) {
        size_t len = data[0] | (size_t)data[1] << 8;

        data += 2;
        size -= 2;
        len = len < size ? len : size;
        buf_puts(&buf, "TMH1");
        wire_put_u32(&buf, (uint32_t)len);
        wire_put_u32(&buf, (uint32_t)crc32(0, data, (uInt)len));
        buf_append(&buf, data, len);
        data += len;
        size -= len;
    }
    (void)history_restore(world->history, buf.data, buf.len, NOW_MS);
    buf_finish(&buf);
}

static void fuzz_bits(const uint8_t *data, size_t size)
{
    static struct history_sample samples[8000];
    uint8_t *exact = size >= 16 + GORILLA_LEAST_BYTES ? malloc(size - 16) : NULL;
    struct gorilla state;
    uint32_t at = 0;
    int64_t time_ms;
    uint64_t value;

    if (!exact || size > 2000) {
        free(exact);
        return;
    }
    memcpy(&time_ms, data, 8);
    memcpy(&value, data + 8, 8);
    size -= 16;
    memcpy(exact, data + 16, size);
    gorilla_start(&state, time_ms, value);
    must(gorilla_get(&state, exact, size, &at, (uint32_t)size * 8, samples, 8000) <= size * 4);
    must(at <= size * 8);
    free(exact);
}

/* Of each nine bytes, one is a step of time and eight are the value's change. */
static void fuzz_samples(struct world *world, const uint8_t *data, size_t size)
{
    const struct tmon_pair label = {"__name__", "x"};
    int64_t time_ms = KIT_T0;
    uint64_t bits = 0;

    for (; size >= 9; data += 9, size -= 9) {
        uint64_t change;
        double value;

        memcpy(&change, data + 1, 8);
        bits = data[0] & 1 ? bits + change : bits ^ change;
        memcpy(&value, &bits, sizeof value);
        time_ms += data[0] < 128 ? 15000 : data[0] < 250 ? data[0] - 100 : 10 - data[0] * 100;
        must(history_append(world->history, &label, 1, time_ms < NOW_MS ? time_ms : NOW_MS,
                            value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world;

    if (size == 0) {
        return 0;
    }
    open_world(&world);
    switch (data[0] % 4) {
    case 0:
        fuzz_snapshot(&world, data + 1, size - 1);
        break;
    case 1:
        fuzz_frames(&world, data + 1, size - 1);
        break;
    case 2:
        fuzz_bits(data + 1, size - 1);
        break;
    default:
        fuzz_samples(&world, data + 1, size - 1);
        break;
    }
    survives(&world);
    store_destroy(world.store);
    return 0;
}
