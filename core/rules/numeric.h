/*
 * numeric.h: private to rules/: mathematics as Go's library has it, bit for bit.
 *
 * C's pow(), exp() and log() round better, but `x ^ 0.3 > y` must not depend on who evaluates it.
 * What is mirrored is Go 1.19 on x86-64 with FMA (all of the last ten years).  Compiled without
 * contraction of a*b+c.
 */
#ifndef RULES_NUMERIC_H
#define RULES_NUMERIC_H

#include <stdbool.h>

double numeric_exp(double x);
double numeric_log(double x);
double numeric_log2(double x);
double numeric_log10(double x);
double numeric_pow(double x, double y);
/* Infinity wins over NaN, and 0 over -0 in the maximum. */
double numeric_max(double x, double y);
double numeric_min(double x, double y);
double numeric_sign(double x);
/* Whether a conversion to int64_t is defined. */
bool numeric_is_int64(double x);

/* Neumaier's sum: the error of each addition is kept. */
struct kahan {
    double sum, error;
};
void kahan_add(struct kahan *kahan, double value);

#endif
