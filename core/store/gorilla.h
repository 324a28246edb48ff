/*
 * gorilla.h: the samples of one series as a run of bits, after "Gorilla: A Fast, Scalable,
 * In-Memory Time Series Database" (2015): a time as how far it is off where those before let expect
 * it, a value as the XOR with the one before.
 *
 * Two things are ours.  What is expected is a schedule (pace.h), not the last distance again, since
 * that pays for one late sample three times.  And a value that is a decimal of few places (most
 * are: counters, bytes, hundredths of a second) may also be told by the change of its distance to
 * the one before, in units of its last place: as doubles, 0.1 and 0.2 have no bits in common.
 *
 * The first sample of a run is kept beside it as it is.  Values are bits, not numbers: NaNs keep
 * theirs, and a zero its sign.  Times may be any; what is a minute apart again and again costs a
 * bit.
 *
 * Threads: none of its own.
 */
#ifndef STORE_GORILLA_H
#define STORE_GORILLA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/history.h"
#include "store/pace.h"

/* Where the coding stands: what the next sample is told apart from. */
struct gorilla {
    struct pace pace;
    uint64_t value;
    int64_t number; /* value = number / 10^places, if decimal */
    int64_t step;   /* from the number before */
    uint8_t lead;   /* the window of the last XOR that had its own: zeros in front of it */
    uint8_t len;    /* and bits in it; 0: there was none */
    uint8_t places;
    uint8_t misses; /* numbers that were no such decimals */
    bool decimal;
};

#define GORILLA_LEAST_BYTES 8    /* of a run, so that it can be read in words */
#define GORILLA_SAMPLE_BITS 147u /* of one sample at most; two at least */

void gorilla_start(struct gorilla *state, int64_t time_ms, uint64_t value);

/* Writes a sample at bit *bits of data, which is zero from there on.  False, and nothing is done:
 * `size` bytes do not hold it. */
bool gorilla_put(struct gorilla *state, uint8_t *data, size_t size, uint16_t *bits, int64_t time_ms,
                 uint64_t value);

/* Reads n samples from bit *at on, of a run that ends at bit `end`.  How many there were: fewer
 * than n only where the bits are not what gorilla_put() wrote.  Reads within `size` bytes whatever
 * they are. */
uint32_t gorilla_get(struct gorilla *state, const uint8_t *data, size_t size, uint32_t *at,
                     uint32_t end, struct history_sample *ret_samples, uint32_t n);

#endif
