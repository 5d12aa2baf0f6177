"""Functions of doubles in C without the library of mathematics, within some 1e-15 of the true values."""

from __future__ import annotations

ROOTS = """\
/* e to the power of x. */
static double exponential(double x) {
  double n, r, y, s;
  uint64_t bits;
  int k;
  x = x > 700.0 ? 700.0 : x < -700.0 ? -700.0 : x;
  n = (double)(int)(x * 1.4426950408889634 + (x < 0.0 ? -0.5 : 0.5));
  r = (x - n * 0.69314718036912382) - n * 1.9082149292705877e-10;
  for (k = 13, y = 1.0; k > 0; k--) y = 1.0 + y * r / (double)k;
  bits = (uint64_t)((int)n + 1023) << 52;
  memcpy(&s, &bits, 8);
  return y * s;
}

/* The logarithm of x above 0. */
static double logarithm(double x) {
  double m, s, y, power;
  uint64_t bits;
  int k, n;
  memcpy(&bits, &x, 8);
  n = (int)(bits >> 52) - 1023;
  bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff0000000000000);
  memcpy(&m, &bits, 8);
  if (m > 1.4142135623730951) {
    m = 0.5 * m;
    n++;
  }
  s = (m - 1.0) / (m + 1.0);
  power = s * s;
  for (k = 21, y = 1.0 / 23.0; k > 0; k -= 2) y = 1.0 / (double)k + y * power;
  return 2.0 * s * y + (double)n * 0.6931471805599453;
}

/* The root of x from 0 up. */
static double root(double x) {
  double y;
  uint64_t bits;
  int k;
  if (x <= 0.0) return 0.0;
  memcpy(&bits, &x, 8);
  bits = (bits >> 1) + (UINT64_C(1023) << 51);
  memcpy(&y, &bits, 8);
  for (k = 0; k < 5; k++) y = 0.5 * (y + x / y);
  return y;
}

static double arcsinh(double x) {
  double size = x < 0.0 ? -x : x;
  double y = logarithm(size + root(size * size + 1.0));
  return x < 0.0 ? -y : y;
}

static double hyperbolic_sine(double x) {
  double e = exponential(x);
  return 0.5 * (e - 1.0 / e);
}
"""

TURNS = """\
/* The sine of so many turns, from 0 up. */
static double sine(double turns) {
  double r, s, y;
  int quarter, k;
  turns = turns - (double)(int)turns;
  quarter = (int)(4.0 * turns + 0.5);
  r = (4.0 * turns - (double)quarter) * 1.5707963267948966;
  s = r * r;
  k = quarter % 2 ? 16 : 17;
  for (y = 1.0; k > 1; k -= 2) y = 1.0 - y * s / (double)(k * (k - 1));
  y = quarter % 2 ? y : y * r;
  return quarter % 4 > 1 ? -y : y;
}
"""

MONTHS = """\
/* Days from 1970-01-01 to the first of a month, which is counted from the year 0. */
static int64_t local_time(int64_t tick) {
  int64_t year = tick / 12 - (tick % 12 < 2 ? 1 : 0);
  int64_t era = year / 400;
  int64_t of_era = year - 400 * era;
  int64_t month = (tick % 12 + 10) % 12;
  int64_t days = 365 * of_era + of_era / 4 - of_era / 100 + (153 * month + 2) / 5;
  return (146097 * era + days - 719468) * INT64_C(86400000000);
}
"""

MOMENTS = """\
static int64_t local_time(int64_t tick) { return tick; }
"""
