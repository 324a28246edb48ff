/* Bits in and out: whatever a sample is, it comes back as it was; whatever bits are, they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/gorilla.h"

#ifdef TMON_SANITIZED
#define ROUNDS 2000
#else
#define ROUNDS 20000
#endif
#define SAMPLES 5000

static uint64_t state = 88172645463325252u;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t nasty(uint64_t before)
{
    static const uint64_t odd[] = {
        0,
        UINT64_C(1) << 63,
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff0000000000000),
        HISTORY_STALE_BITS,
        UINT64_C(0x7ff8000000000001),
        UINT64_C(0xffffffffffffffff),
        1,
        UINT64_C(0x7fefffffffffffff),
        UINT64_C(0x5555555555555555),
    };

    double number;

    memcpy(&number, &before, sizeof number);
    switch (draw() % 10) {
    case 8:
        return bits_of(number + 0.01 * (double)(draw() % 100));
    case 9:
        return bits_of((double)(int64_t)(draw() >> draw() % 64) / (draw() % 2 ? 1000 : -1e9));
    case 0:
        return odd[draw() % (sizeof odd / sizeof odd[0])];
    case 1:
        return draw();
    case 2:
        return before ^ (UINT64_C(1) << draw() % 64);
    case 3:
        return bits_of((double)(draw() % 1000000) / 100);
    case 4:
        return bits_of((double)(draw() % 1000));
    case 5:
        return before + draw() % 5;
    default:
        return before;
    }
}

static int64_t nasty_time(int64_t before)
{
    static const uint32_t widths[] = {2, 5, 6, 9, 10, 16, 17, 18, 31, 32, 33, 50, 63, 64};
    uint32_t width = widths[draw() % (sizeof widths / sizeof widths[0])];

    if (draw() % 2) {
        return (int64_t)((uint64_t)before + 15000);
    }
    return (int64_t)((uint64_t)before + (draw() >> (64 - width)));
}

static void samples_come_back(void **unused)
{
    static uint8_t data[1000];
    static struct history_sample in[SAMPLES], out[SAMPLES];

    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = GORILLA_LEAST_BYTES + draw() % (sizeof data - GORILLA_LEAST_BYTES);
        bool times = draw() % 2, values = draw() % 2;
        int64_t first_ms = times ? (int64_t)draw() : INT64_C(1700000000000);
        uint64_t first = values ? draw() : bits_of(17), value = first;
        int64_t time_ms = first_ms;
        struct gorilla end, at;
        uint16_t bits = 0;
        uint32_t read = 0;
        uint32_t n = 0;

        memset(data, 0, size);
        memset(data + size, 0xaa, sizeof data - size);
        gorilla_start(&end, first_ms, first);
        for (; n < SAMPLES; n++) {
            struct gorilla before = end;
            uint16_t bits_before = bits;

            time_ms = times ? nasty_time(time_ms) : time_ms + 15000 + (int64_t)(draw() % 3) - 1;
            value = values ? nasty(value) : bits_of((double)(draw() % 2));
            if (!gorilla_put(&end, data, size, &bits, time_ms, value)) {
                assert_memory_equal(&before, &end, sizeof end);
                assert_int_equal(bits, bits_before);
                break;
            }
            assert_true(bits - bits_before <= (int)GORILLA_SAMPLE_BITS);
            assert_true(bits <= size * 8);
            in[n].time_ms = time_ms;
            memcpy(&in[n].value, &value, sizeof value);
        }
        for (size_t i = size; i < sizeof data; i++) {
            assert_int_equal(data[i], 0xaa);
        }
        gorilla_start(&at, first_ms, first);
        // In pieces, as whoever shortens a run does it.
        for (uint32_t got = 0; got < n;) {
            uint32_t want = 1 + (uint32_t)(draw() % n);

            want = want < n - got ? want : n - got;
            assert_int_equal(gorilla_get(&at, data, size, &read, bits, out + got, want), want);
            got += want;
        }
        assert_memory_equal(in, out, n * sizeof in[0]);
        assert_int_equal(read, bits);
        assert_true(memcmp(&at.pace, &end.pace, sizeof at.pace) == 0 && at.value == end.value &&
                    at.lead == end.lead && at.len == end.len && at.decimal == end.decimal &&
                    at.places == end.places && at.misses == end.misses);
        assert_true(!at.decimal || (at.number == end.number && at.step == end.step));
        assert_int_equal(gorilla_get(&at, data, size, &read, bits, out, 1), 0);
    }
}

static void regular_samples_take_little(void **unused)
{
    uint8_t data[1000] = {0};
    struct gorilla end;
    uint16_t bits = 0;
    uint16_t before;

    (void)unused;
    gorilla_start(&end, 1000, bits_of(0.1));
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 16000, bits_of(0.1)));
    before = bits;
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 31000, bits_of(0.1)));
    assert_int_equal(bits - before, 2);
    before = bits;
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 46005, bits_of(0.1)));
    assert_int_equal(bits - before, 2 + 5 + 1);
    before = bits;
    // One that was late does not make the next one late.
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 61000, bits_of(0.1)));
    assert_int_equal(bits - before, 2);
    before = bits;
    // One is left out: its place in the schedule is told once.
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 91000, bits_of(0.1)));
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 106000, bits_of(0.1)));
    assert_int_equal(bits - before, 4 + 17 + 1 + 2);
}

/* As doubles, hundredths have nothing in common. */
static void decimals_take_little(void **unused)
{
    uint8_t data[1000] = {0};
    struct gorilla end;
    uint16_t bits = 0;

    (void)unused;
    gorilla_start(&end, 1000, bits_of(222.62));
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 16000, bits_of(225.66)));
    for (int i = 2; i < 22; i++) {
        uint16_t before = bits;

        assert_true(gorilla_put(&end, data, sizeof data, &bits, 1000 + i * 15000,
                                bits_of((22262 + i * 304 + i % 3) / 100.0)));
        assert_true(bits - before <= 1 + 2 + 1 + 6);
    }
}

/* One wild value does not cost for ever. */
static void the_window_narrows_again(void **unused)
{
    uint8_t data[1000] = {0};
    struct gorilla end;
    uint16_t bits = 0;

    (void)unused;
    gorilla_start(&end, 0, 0);
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 1000, UINT64_C(0xffffffffffffffff)));
    assert_int_equal(end.len, 64);
    assert_true(gorilla_put(&end, data, sizeof data, &bits, 2000, UINT64_C(0xfffffffffffffff0)));
    assert_int_equal(end.len, 33); // a lead of 31 is the most
}

static void any_bits_end(void **unused)
{
    static uint8_t data[200];
    static struct history_sample out[SAMPLES];

    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = GORILLA_LEAST_BYTES + draw() % (sizeof data - GORILLA_LEAST_BYTES);
        uint32_t end = (uint32_t)(draw() % (size * 8 + 1)), at = 0, n;
        struct gorilla now;
        uint8_t *exact = test_malloc(size); // so that a sanitizer sees what is read behind it

        for (size_t i = 0; i < size; i++) {
            exact[i] = draw() % 4 ? (uint8_t)draw() : 0xff;
        }
        gorilla_start(&now, (int64_t)draw(), draw());
        n = gorilla_get(&now, exact, size, &at, end, out, SAMPLES);
        assert_true(at <= end && n <= end / 2);
        test_free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_back),    cmocka_unit_test(regular_samples_take_little),
        cmocka_unit_test(decimals_take_little), cmocka_unit_test(the_window_narrows_again),
        cmocka_unit_test(any_bits_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
