/*
 * numeric.c: see numeric.h.
 *
 * exp(): the argument less k ln 2, a sixteenth of it into exp(x)-1's Taylor series, squared up four
 * times by (1+y)^2-1 = y(2+y).  log(): the mantissa between sqrt(1/2) and sqrt(2), and the series
 * of log((1+s)/(1-s)) with Remez coefficients; the method and the coefficients are those of fdlibm
 * (Sun Microsystems, 1993), which Go took over too.  pow(): powers of two by squaring, the
 * fraction of the exponent by exp and log.
 */
#include "rules/numeric.h"

#include <math.h>
#include <stdint.h>

#define LOG2_E 1.44269504088896340735992468100189214
#define LOG10_E 0.434294481903251827651128918916605082
#define LN2_HIGH 0.69314718055966295651160180568695068359375
#define LN2_LOW 0.28235290563031577122588448175013436025525412068e-12

double numeric_exp(double x)
{
    double k, y, sum;

    if (isnan(x) || x == (double)INFINITY) {
        return x;
    }
    if (x > 7.09782712893384e+02) {
        return (double)INFINITY;
    }
    if (x < -760) { /* below the smallest denormal */
        return 0;
    }
    k = nearbyint(x * LOG2_E);
    y = fma(-k, LN2_LOW, fma(-k, LN2_HIGH, x)) * 0.0625;
    sum = 2.4801587301587301587e-5;
    sum = fma(sum, y, 1.9841269841269841270e-4);
    sum = fma(sum, y, 1.3888888888888888889e-3);
    sum = fma(sum, y, 8.3333333333333333333e-3);
    sum = fma(sum, y, 4.1666666666666666667e-2);
    sum = fma(sum, y, 1.6666666666666666667e-1);
    sum = fma(sum, y, 0.5);
    sum = fma(sum, y, 1.0);
    y *= sum;
    for (int i = 0; i < 3; i++) {
        y *= y + 2;
    }
    y = fma(y + 2, y, 1);
    return k >= 1024 ? (double)INFINITY : ldexp(y, (int)k);
}

double numeric_log(double x)
{
    double f, k, s, s2, s4, odd, even, half;
    int exponent;

    if (isnan(x) || x == (double)INFINITY) {
        return x;
    }
    if (x <= 0) {
        return x < 0 ? (double)NAN : -(double)INFINITY;
    }
    f = frexp(x, &exponent);
    if (f <= 7.07106781186547524401e-01) {
        f *= 2;
        exponent--;
    }
    f -= 1;
    k = exponent;
    s = f / (2 + f);
    s2 = s * s;
    s4 = s2 * s2;
    odd = s2 * (6.666666666666735130e-01 +
                s4 * (2.857142874366239149e-01 +
                      s4 * (1.818357216161805012e-01 + s4 * 1.479819860511658591e-01)));
    even = s4 * (3.999999999940941908e-01 +
                 s4 * (2.222219843214978396e-01 + s4 * 1.531383769920937332e-01));
    half = 0.5 * f * f;
    return k * 6.93147180369123816490e-01 -
           ((half - (s * (half + (odd + even)) + k * 1.90821492927058770002e-10)) - f);
}

double numeric_log2(double x)
{
    int exponent = 0;
    double fraction = isfinite(x) ? frexp(x, &exponent) : x;

    if (fraction == 0.5) {
        return exponent - 1;
    }
    return numeric_log(fraction) * LOG2_E + exponent;
}

double numeric_log10(double x)
{
    return numeric_log(x) * LOG10_E;
}

static bool is_odd(double x)
{
    return fmod(x, 2) != 0 && floor(x) == x;
}

/* What needs no computation.  False: it does. */
static bool pow_special(double x, double y, double *ret_power)
{
    const double inf = (double)INFINITY;

    if (y == 0 || x == 1) {
        *ret_power = 1;
    } else if (y == 1) {
        *ret_power = x;
    } else if (isnan(x) || isnan(y)) {
        *ret_power = (double)NAN;
    } else if (x == 0) {
        double power = y < 0 ? inf : 0;

        *ret_power = is_odd(y) ? copysign(power, x) : power;
    } else if (isinf(y)) {
        *ret_power = x == -1 ? 1 : (fabs(x) < 1) == (y > 0) ? 0 : inf;
    } else if (isinf(x)) {
        double power = y < 0 ? 0 : inf;

        *ret_power = x < 0 && is_odd(y) ? -power : power;
    } else if (y == 0.5) {
        *ret_power = sqrt(x);
    } else if (y == -0.5) {
        *ret_power = 1 / sqrt(x);
    } else {
        return false;
    }
    return true;
}

double numeric_pow(double x, double y)
{
    double power = 1, whole, fraction, base;
    int exponent = 0, base_exponent;

    if (pow_special(x, y, &power)) {
        return power;
    }
    fraction = modf(fabs(y), &whole);
    if (fraction != 0 && x < 0) {
        return (double)NAN;
    }
    if (whole >= 9223372036854775808.0) {
        return x == -1 ? 1 : (fabs(x) < 1) == (y > 0) ? 0 : (double)INFINITY;
    }
    power = 1;
    if (fraction != 0) {
        if (fraction > 0.5) {
            fraction--;
            whole++;
        }
        power = numeric_exp(fraction * numeric_log(x));
    }
    base = frexp(x, &base_exponent);
    for (uint64_t i = (uint64_t)whole; i != 0; i >>= 1) {
        if (base_exponent < -4096 || base_exponent > 4096) {
            exponent += base_exponent; /* too large or too small for certain */
            break;
        }
        if (i & 1) {
            power *= base;
            exponent += base_exponent;
        }
        base *= base;
        base_exponent *= 2;
        if (base < 0.5) {
            base += base;
            base_exponent--;
        }
    }
    if (y < 0) {
        power = 1 / power;
        exponent = -exponent;
    }
    return ldexp(power, exponent);
}

double numeric_max(double x, double y)
{
    if (isinf(x) || isinf(y)) {
        if (x == (double)INFINITY || y == (double)INFINITY) {
            return (double)INFINITY;
        }
    }
    if (isnan(x) || isnan(y)) {
        return (double)NAN;
    }
    if (x == 0 && y == 0) {
        return signbit(x) ? y : x;
    }
    return x > y ? x : y;
}

double numeric_min(double x, double y)
{
    if (x == -(double)INFINITY || y == -(double)INFINITY) {
        return -(double)INFINITY;
    }
    if (isnan(x) || isnan(y)) {
        return (double)NAN;
    }
    if (x == 0 && y == 0) {
        return signbit(x) ? x : y;
    }
    return x < y ? x : y;
}

double numeric_sign(double x)
{
    return x < 0 ? -1 : x > 0 ? 1 : x;
}

bool numeric_is_int64(double x)
{
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0;
}

void kahan_add(struct kahan *kahan, double value)
{
    double sum = kahan->sum + value;

    if (fabs(kahan->sum) >= fabs(value)) {
        kahan->error += (kahan->sum - sum) + value;
    } else {
        kahan->error += (value - sum) + kahan->sum;
    }
    kahan->sum = sum;
}
