"""The functions of C that every exported model computes with: each only where it is used."""

from __future__ import annotations

OPERATIONS = """\
/* One operation each, rounded by itself: the assignment takes away what wider registers would keep. */
static inline float plus(float a, float b) { float c = a + b; return c; }
static inline float minus(float a, float b) { float c = a - b; return c; }
static inline float times(float a, float b) { float c = a * b; return c; }
static inline float over(float a, float b) { float c = a / b; return c; }
"""

CURVES = """\
/* a P(s) / Q(s) with s = a * a, held at the limit. */
static float quotient(float a, const float *p, const float *q, float limit) {
  float s = times(a, a);
  float above;
  float below;
  s = limit < s ? limit : s;
  above = plus(times(p[4], s), p[3]);
  below = plus(times(q[4], s), q[3]);
  above = plus(times(above, s), p[2]);
  below = plus(times(below, s), q[2]);
  above = plus(times(above, s), p[1]);
  below = plus(times(below, s), q[1]);
  above = plus(times(above, s), p[0]);
  below = plus(times(below, s), q[0]);
  return times(a, over(above, below));
}
"""

SIGMOID = """\
static float sigmoid(float a) {
  static const float p[5] = {0.25f, 8.391167969e-03f, 5.545574822e-05f, 8.401748630e-08f, 1.430491489e-11f};
  static const float q[5] = {1.0f, 1.168979853e-01f, 1.629996579e-03f, 5.271794635e-06f, 3.240272495e-09f};
  float t = plus(0.5f, quotient(a, p, q, 302.76f));
  t = t > 1.0f ? 1.0f : t;
  return t < 0.0f ? 0.0f : t;
}
"""

TANH = """\
static float squash(float a) {
  static const float p[5] = {1.0f, 1.342586875e-01f, 3.549167886e-03f, 2.150847649e-05f, 1.464823285e-08f};
  static const float q[5] = {1.0f, 4.675919414e-01f, 2.607994527e-02f, 3.373948566e-04f, 8.295097587e-07f};
  float t = quotient(a, p, q, 75.69f);
  t = t > 1.0f ? 1.0f : t;
  return t < -1.0f ? -1.0f : t;
}
"""

RELU = """\
static inline float rectify(float a) { return a < 0.0f ? 0.0f : a; }
"""

MIX = """\
static inline float mix(float z, float n, float h) { return plus(minus(n, times(z, n)), times(z, h)); }
"""

LANES = """\
/* A product of floats in four sums side by side, which is the same with vectors and without. */
static float lanes(const float *w, const float *x, int count) {
  float s[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  int k = 0;
  int i;
  for (; k + 4 <= count; k += 4)
    for (i = 0; i < 4; i++) s[i] = plus(s[i], times(w[k + i], x[k + i]));
  for (i = 0; k < count; k++, i++) s[i] = plus(s[i], times(w[k], x[k]));
  return plus(plus(s[0], s[1]), plus(s[2], s[3]));
}
"""

SERIAL = """\
/* A product of floats, number by number behind the bias. */
static float serial(float bias, const float *w, const float *x, int count) {
  int k;
  for (k = 0; k < count; k++) bias = plus(bias, times(w[k], x[k]));
  return bias;
}
"""

WHOLE = """\
/* To whole numbers from -127 to 127, the nearest, of two the even one; rows are filled up with zeros. */
static inline int16_t whole(float x, float factor) {
  float v = times(x, factor);
  v = v < 127.0f ? v : 127.0f;
  v = v > -127.0f ? v : -127.0f;
  return (int16_t)minus(plus(v, 12582912.0f), 12582912.0f);
}

/* Cortex-M multiplies two pairs at once, of which one is every second number. */
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && defined(__arm__)
#define PLACE(k) (((k) & ~3) | (((k) & 1) << 1) | (((k) & 2) >> 1))
static inline int32_t four(const int8_t *q, uint32_t even, uint32_t odd, int32_t sum) {
  uint32_t all, some;
  memcpy(&all, q, 4);
  __asm__("sxtb16 %1, %2\\n\\tsxtb16 %2, %2, ror #8\\n\\tsmlad %0, %1, %3, %0\\n\\tsmlad %0, %2, %4, %0"
          : "+r"(sum), "=&r"(some), "+r"(all)
          : "r"(even), "r"(odd));
  return sum;
}
#else
#define PLACE(k) (k)
#endif
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif
"""

ROUNDED = """\
static void wholes(const float *x, int count, int padded, const float *factor, int each, int16_t *u) {
  int k;
  for (k = 0; k < count; k++) u[PLACE(k)] = whole(x[k], factor[each * k]);
  for (; k < padded; k++) u[PLACE(k)] = 0;
}
"""

SOFTMAX = """\
/* e to the power of x, of x from 0 down. */
static float power(float x) {
  int n = 0;
  float y;
  float s;
  if (x < -80.0f) return 0.0f;
  while (x < -0.34657359f) {
    x = plus(plus(x, 0.693145752f), 1.42860677e-06f);
    n++;
  }
  y = plus(times(x, 1.0f / 5040.0f), 1.0f / 720.0f);
  y = plus(times(y, x), 1.0f / 120.0f);
  y = plus(times(y, x), 1.0f / 24.0f);
  y = plus(times(y, x), 1.0f / 6.0f);
  y = plus(times(y, x), 0.5f);
  y = plus(times(y, x), 1.0f);
  s = plus(times(y, x), 1.0f);
  for (; n > 0; n--) s = times(s, 0.5f);
  return s;
}

static void to_probabilities(float *x, int count) {
  float largest = x[0];
  float sum = 0.0f;
  int k;
  for (k = 1; k < count; k++) largest = x[k] > largest ? x[k] : largest;
  for (k = 0; k < count; k++) {
    x[k] = power(minus(x[k], largest));
    sum = plus(sum, x[k]);
  }
  for (k = 0; k < count; k++) x[k] = over(x[k], sum);
}
"""


def sums(gates: int) -> str:
    """The sums of whole numbers of a unit's rows, of which eight of each gate lie one behind the other."""
    every = range(gates)
    begin = "".join(f"  int32_t s{g} = 0;\n" for g in every)
    dsp = "".join(
        f"    memcpy(&even, u + {4 * i}, 4);\n    memcpy(&odd, u + {4 * i + 2}, 4);\n"
        + "".join(f"    s{g} = four(q + {8 * g + 4 * i}, even, odd, s{g});\n" for g in every)
        for i in range(2)
    )
    wide = "".join(f"  v128_t v{g} = wasm_i32x4_const(0, 0, 0, 0);\n" for g in every)
    vector = "".join(
        f"    v{g} = wasm_i32x4_add(v{g}, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(q + {8 * g}), x));\n" for g in every
    )
    lanes = "".join(
        f"  found[{g}] = wasm_i32x4_extract_lane(v{g}, 0) + wasm_i32x4_extract_lane(v{g}, 1) +\n"
        f"             wasm_i32x4_extract_lane(v{g}, 2) + wasm_i32x4_extract_lane(v{g}, 3);\n"
        for g in every
    )
    plain = "".join(f"    for (k = 0; k < 8; k++) s{g} += q[{8 * g} + k] * u[k];\n" for g in every)
    end = "".join(f"  found[{g}] = s{g};\n" for g in every)
    return f"""\
static void sums_{gates}(const int8_t *q, const int16_t *u, int depth, int32_t *found) {{
  const int16_t *end = u + depth;
#if defined(__wasm_simd128__)
{wide}  for (; u < end; u += 8, q += {8 * gates}) {{
    v128_t x = wasm_v128_load(u);
{vector}  }}
{lanes}#elif defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && defined(__arm__)
{begin}  for (; u < end; u += 8, q += {8 * gates}) {{
    uint32_t even, odd;
{dsp}  }}
{end}#else
{begin}  for (; u < end; u += 8, q += {8 * gates}) {{
    int k;
{plain}  }}
{end}#endif
}}
"""
