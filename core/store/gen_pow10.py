"""Writes pow10_table.h: for each e from -292 to 324 the 128 leading bits of 10^e, rounded up.

These are the factors of the shortest-decimal conversion in number.c; exact, thanks to Python's integers.
"""
import sys

FIRST, LAST = -292, 324
BITS = 128


def factor(e):
    """ceil(10^e * 2^-r) with r such that the result has exactly 128 bits."""
    if e >= 0:
        value = 10**e
        shift = value.bit_length() - BITS
        return -(-value >> shift) if shift > 0 else value << -shift
    divisor = 10**-e
    return -(-(1 << (BITS - 1 + divisor.bit_length())) // divisor)


lines = ["/* Made by gen_pow10.py. */", f"#define POW10_FIRST ({FIRST})", f"#define POW10_LAST {LAST}",
         "static const uint64_t pow10_table[POW10_LAST - POW10_FIRST + 1][2] = {"]
for exponent in range(FIRST, LAST + 1):
    f = factor(exponent)
    assert f.bit_length() == BITS, exponent
    lines.append(f"    {{UINT64_C({f >> 64:#018x}), UINT64_C({f & (1 << 64) - 1:#018x})}}, /* 1e{exponent} */")
lines.append("};")
with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write("\n".join(lines) + "\n")
