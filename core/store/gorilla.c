/*
 * gorilla.c: see gorilla.h.
 *
 * The paper's steps of times are for seconds; these are for milliseconds: a collection that is some
 * ms late is the rule, one that is left out the exception.  A value gets a window of its own when
 * that pays, not only when it does not fit the old one: a window would stay wide for ever after one
 * wild value.  How many places a decimal has is never written: writer and reader learn it from the
 * values that came as XOR, by the same arithmetic.
 *
 * Bits are read in words of 64 from the byte that they start in.  Near the end of the run the word
 * is the last one in it instead, shifted further: so nothing is read behind, without a test a byte.
 */
#include "store/gorilla.h"

#include <endian.h>
#include <string.h>

#include "base/bits.h"

/* A prefix of ones, then so many bits.  The first step of times is none. */
#define TIME_STEPS 6
static const uint8_t time_bits[TIME_STEPS] = {0, 5, 9, 17, 32, 64};
#define NUMBER_STEPS 6
static const uint8_t number_bits[NUMBER_STEPS] = {6, 10, 14, 20, 28, 40};

#define LEAD_MAX 31    /* five bits */
#define WINDOW_BITS 11 /* to describe a window: five for its lead, six for its length */

/* What a value begins with: as before; a decimal; an XOR in the window; with a window of its own.
 */
enum { CODE_SAME = 0, CODE_DECIMAL = 2, CODE_XOR = 6, CODE_WINDOW = 7 };

/* ---- decimals ---- */

#define PLACES_MOST 9
/* 2^50: up to there value * 10^places is within a quarter of the number that it is, whatever a
 * compiler makes of the sum with a half; so writer and reader agree on any machine. */
#define NUMBER_MOST 1125899906842624.0
#define MISSES_MOST 4 /* then the run is taken for true floats, and nothing more is tried */

static const double powers[PLACES_MOST + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* Whether the value is a number of so many places, to the bit. */
static inline bool number_of(uint64_t bits, uint8_t places, int64_t *ret_number)
{
    double scaled = double_from_bits(bits) * powers[places];

    if (!(scaled < NUMBER_MOST && scaled > -NUMBER_MOST)) {
        return false;
    }
    *ret_number = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    return double_to_bits((double)*ret_number / powers[places]) == bits;
}

/* By value, as a pointer to the state would keep it out of registers in gorilla_get(). */
static struct gorilla learn_places(struct gorilla state)
{
    int64_t number;

    state.decimal = false;
    if (state.misses >= MISSES_MOST || (state.value >> 52 & 0x7ff) == 0x7ff) {
        return state; // NaN and the infinities are no numbers, and say nothing of the others
    }
    for (uint8_t places = state.places; places <= PLACES_MOST; places++) {
        if (number_of(state.value, places, &number)) {
            state.step = 0;
            state.number = number;
            state.places = places;
            state.decimal = true;
            return state;
        }
    }
    state.misses++;
    return state;
}

/* After a value that did not come as a decimal. */
static inline __attribute__((always_inline)) void learn(struct gorilla *state)
{
    int64_t number;

    if (state->decimal && number_of(state->value, state->places, &number)) {
        // Unsigned, for bits that nobody wrote.
        state->step = (int64_t)((uint64_t)number - (uint64_t)state->number);
        state->number = number;
    } else if (state->decimal || state->misses < MISSES_MOST) {
        *state = learn_places(*state);
    }
}

void gorilla_start(struct gorilla *state, int64_t time_ms, uint64_t value)
{
    *state = (struct gorilla){.value = value};
    pace_start(&state->pace, time_ms);
    learn(state);
}

/* ---- writing ---- */

struct field {
    uint64_t bits;
    uint32_t n;
};

#define FIELDS 4 /* of a sample: two for the time, two for the value */
#define FIELD_AT_ONCE 57u

static uint32_t put(uint8_t *data, size_t size, uint32_t at, struct field field)
{
    size_t byte = at / 8 < size - 8 ? at / 8 : size - 8;
    uint64_t word;

    if (field.n > FIELD_AT_ONCE) {
        at = put(data, size, at, (struct field){field.bits >> 32, field.n - 32});
        return put(data, size, at, (struct field){field.bits & UINT32_MAX, 32});
    }
    if (field.n > 0) {
        memcpy(&word, data + byte, sizeof word);
        word = htobe64(be64toh(word) | field.bits << (64 - field.n - (at - (uint32_t)byte * 8)));
        memcpy(data + byte, &word, sizeof word);
    }
    return at + field.n;
}

static bool fits_signed(int64_t value, uint32_t bits)
{
    return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

/* 0, 10, 110, 1110, 11110, 11111 */
static struct field prefix(uint32_t step)
{
    return step < 5 ? (struct field){(UINT64_C(1) << (step + 1)) - 2, step + 1}
                    : (struct field){31, 5};
}

static void time_fields(int64_t off_ms, struct field fields[static 2])
{
    uint32_t step = off_ms != 0;

    while (off_ms != 0 && step < TIME_STEPS - 1 && !fits_signed(off_ms, time_bits[step])) {
        step++;
    }
    fields[0] = prefix(step);
    fields[1] = (struct field){(uint64_t)off_ms & (UINT64_MAX >> (64 - time_bits[step]) % 64),
                               time_bits[step]};
}

/* How a value is to be written. */
struct coding {
    uint32_t code;
    int64_t number; /* of CODE_DECIMAL */
    uint8_t lead;   /* of CODE_WINDOW */
    uint8_t len;
};

/* False: it is no decimal as those before, or the change is too large. */
static bool decimal_fields(const struct gorilla *state, uint64_t value, int64_t *ret_number,
                           struct field fields[static 2])
{
    int64_t change;
    uint32_t step = 0;
    struct field head;

    if (!state->decimal || !number_of(value, state->places, ret_number)) {
        return false;
    }
    change = *ret_number - state->number - state->step; // of 2^51 at most each
    while (!fits_signed(change, number_bits[step])) {
        if (++step == NUMBER_STEPS) {
            return false;
        }
    }
    head = prefix(step);
    fields[0] = (struct field){(uint64_t)CODE_DECIMAL << head.n | head.bits, 2 + head.n};
    fields[1] = (struct field){(uint64_t)change & ((UINT64_C(1) << number_bits[step]) - 1),
                               number_bits[step]};
    return true;
}

static void xor_fields(const struct gorilla *state, uint64_t xor, struct coding *coding,
                       struct field fields[static 2])
{
    uint32_t lead = (uint32_t)__builtin_clzll(xor);
    uint32_t trail = (uint32_t)__builtin_ctzll(xor);
    uint32_t len;

    lead = lead < LEAD_MAX ? lead : LEAD_MAX;
    len = 64 - lead - trail;
    if (state->len > 0 && lead >= state->lead && trail + state->lead + state->len >= 64 &&
        state->len <= len + WINDOW_BITS) {
        coding->code = CODE_XOR;
        fields[0] = (struct field){CODE_XOR, 3};
        fields[1] = (struct field){xor >> (64 - state->lead - state->len), state->len};
        return;
    }
    coding->code = CODE_WINDOW;
    coding->lead = (uint8_t)lead;
    coding->len = (uint8_t)len;
    fields[0] = (struct field){CODE_WINDOW << WINDOW_BITS | lead << 6 | (len - 1), 3 + WINDOW_BITS};
    fields[1] = (struct field){xor >> trail, len};
}

static void value_fields(const struct gorilla *state, uint64_t value, struct coding *coding,
                         struct field fields[static 2])
{
    struct field decimal[2];

    if (value == state->value) {
        fields[0] = (struct field){CODE_SAME, 1};
        fields[1] = (struct field){0, 0};
        return;
    }
    xor_fields(state, value ^ state->value, coding, fields);
    if (decimal_fields(state, value, &coding->number, decimal) &&
        decimal[0].n + decimal[1].n <= fields[0].n + fields[1].n) {
        coding->code = CODE_DECIMAL;
        memcpy(fields, decimal, sizeof decimal);
    }
}

static void advance(struct gorilla *state, uint64_t value, const struct coding *coding)
{
    state->value = value;
    switch (coding->code) {
    case CODE_SAME:
        state->step = 0;
        break;
    case CODE_DECIMAL:
        state->step = coding->number - state->number;
        state->number = coding->number;
        break;
    case CODE_WINDOW:
        state->lead = coding->lead;
        state->len = coding->len;
        learn(state);
        break;
    default:
        learn(state);
        break;
    }
}

static uint32_t put_all(uint8_t *data, size_t size, uint32_t at,
                        const struct field fields[static FIELDS])
{
    struct field whole = fields[0];

    for (int i = 1; i < FIELDS; i++) {
        if (whole.n + fields[i].n > FIELD_AT_ONCE) {
            at = put(data, size, at, whole);
            whole = fields[i];
        } else {
            whole.bits = whole.bits << fields[i].n | fields[i].bits;
            whole.n += fields[i].n;
        }
    }
    return put(data, size, at, whole);
}

bool gorilla_put(struct gorilla *state, uint8_t *data, size_t size, uint16_t *bits, int64_t time_ms,
                 uint64_t value)
{
    int64_t off_ms = (int64_t)((uint64_t)time_ms - (uint64_t)pace_next(&state->pace));
    struct field fields[FIELDS];
    struct coding coding = {.code = CODE_SAME};

    time_fields(off_ms, fields);
    value_fields(state, value, &coding, fields + 2);
    if (*bits + fields[0].n + fields[1].n + fields[2].n + fields[3].n > size * 8) {
        return false;
    }
    *bits = (uint16_t)put_all(data, size, *bits, fields);
    pace_step(&state->pace, off_ms);
    advance(state, value, &coding);
    return true;
}

/* ---- reading ---- */

struct bits {
    const uint8_t *data;
    uint32_t last; /* where the last word begins */
    uint32_t at;
};

/* The next bits, from the top; at least 57 of them, or as many as there are. */
static inline uint64_t peek(const struct bits *bits)
{
    uint32_t byte = bits->at / 8 < bits->last ? bits->at / 8 : bits->last;
    uint64_t word;

    memcpy(&word, bits->data + byte, sizeof word);
    return be64toh(word) << ((bits->at - byte * 8) & 63);
}

static inline uint64_t take(struct bits *bits, uint32_t n)
{
    uint64_t high = 0;

    if (n > 32) {
        high = peek(bits) >> (96 - n);
        bits->at += n - 32;
        n = 32;
    }
    high = high << n | peek(bits) >> (64 - n);
    bits->at += n;
    return high;
}

static inline uint32_t ones(uint64_t next)
{
    uint32_t n = (uint32_t)__builtin_clzll(~next | 1);

    return n < 5 ? n : 5;
}

/* The upper n bits, with their sign: gcc and clang keep it. */
static inline int64_t upper_signed(uint64_t next, uint32_t n)
{
    return (int64_t)next >> (64 - n);
}

static inline int64_t take_off(struct bits *bits, uint64_t next)
{
    uint32_t step = ones(next);
    uint32_t head = step < 5 ? step + 1 : 5;

    bits->at += head;
    if (step == 5) {
        return (int64_t)take(bits, 64);
    }
    bits->at += time_bits[step];
    return upper_signed(next << head, time_bits[step]);
}

static inline __attribute__((always_inline)) void take_xor(struct gorilla *state, struct bits *bits,
                                                           bool window)
{
    if (window) {
        uint32_t description = (uint32_t)take(bits, WINDOW_BITS);

        state->lead = (uint8_t)(description >> 6);
        state->len = (uint8_t)((description & 63) + 1);
    }
    if (state->len == 0 || state->lead + state->len > 64) {
        bits->at = UINT32_MAX; // nobody wrote this: behind the end
        return;
    }
    state->value ^= take(bits, state->len) << (64 - state->lead - state->len);
    learn(state);
}

/* `next` begins with the value's code. */
static inline __attribute__((always_inline)) void take_value(struct gorilla *state,
                                                             struct bits *bits, uint64_t next)
{
    uint32_t step;
    uint32_t head;

    if (next >> 61 >= CODE_XOR) {
        bits->at += 3;
        take_xor(state, bits, next >> 61 == CODE_WINDOW);
        return;
    }
    step = ones(next << 2);
    head = 2 + (step < 5 ? step + 1 : 5);
    bits->at += head + number_bits[step];
    if (!state->decimal) {
        bits->at = UINT32_MAX;
        return;
    }
    state->step =
        (int64_t)((uint64_t)state->step + (uint64_t)upper_signed(next << head, number_bits[step]));
    state->number = (int64_t)((uint64_t)state->number + (uint64_t)state->step);
    state->value = double_to_bits((double)state->number / powers[state->places]);
}

uint32_t gorilla_get(struct gorilla *state, const uint8_t *data, size_t size, uint32_t *at,
                     uint32_t end, struct history_sample *ret_samples, uint32_t n)
{
    struct bits bits = {data, (uint32_t)size - 8, *at};
    struct gorilla now = *state;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t next = peek(&bits);

        if (next >> 63) {
            pace_step(&now.pace, take_off(&bits, next));
            next = peek(&bits);
        } else {
            pace_step(&now.pace, 0);
            bits.at++;
            next <<= 1;
        }
        if (next >> 63) {
            take_value(&now, &bits, next);
        } else {
            now.step = 0;
            bits.at++;
        }
        if (bits.at > end) { // once more, up to here
            return gorilla_get(state, data, size, at, end, ret_samples, i);
        }
        ret_samples[i].time_ms = now.pace.time_ms;
        memcpy(&ret_samples[i].value, &now.value, sizeof now.value);
    }
    *at = bits.at;
    *state = now;
    return n;
}
