// AVX-512 for processors without it: what Debian's libsimde-dev has of it, and here what that lacks.
#pragma once
#pragma GCC system_header  // whose warnings, as of include_next, are not ours

#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <cstring>

namespace emulated {

template <class To, class From>
[[gnu::always_inline]] inline To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

inline __m512 load_some(__mmask16 lanes, const void* from) {
  float all[16] = {};
  for (int i = 0; i < 16; ++i)
    if (lanes >> i & 1) std::memcpy(all + i, static_cast<const float*>(from) + i, sizeof(float));
  return _mm512_loadu_ps(all);
}

inline void store_some(void* to, __mmask16 lanes, __m512 a) {
  float all[16];
  _mm512_storeu_ps(all, a);
  for (int i = 0; i < 16; ++i)
    if (lanes >> i & 1) std::memcpy(static_cast<float*>(to) + i, all + i, sizeof(float));
}

// As far from the reciprocal as the processor's may be.
inline __m512 reciprocal(__m512 a) {
  float all[16];
  _mm512_storeu_ps(all, a);
  for (int i = 0; i < 16; ++i) all[i] = (i % 2 ? 1.0f + 0x1p-14f : 1.0f - 0x1p-14f) / all[i];
  return _mm512_loadu_ps(all);
}

// What is too small to be normal is 0 to the products of bfloat16 and to what makes it.
inline float normal(float a) {
  std::uint32_t bits;
  std::memcpy(&bits, &a, sizeof(bits));
  return bits & 0x7f800000u ? a : same_bits<float>(bits & 0x80000000u);
}

inline __m256bh to_bf16(__m512 a) {
  float all[16];
  std::uint16_t upper[16];
  _mm512_storeu_ps(all, a);
  for (int i = 0; i < 16; ++i) {
    const std::uint32_t bits = same_bits<std::uint32_t>(normal(all[i]));
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    upper[i] =
        static_cast<std::uint16_t>((nan ? bits | 0x400000u : bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  }
  __m256bh to;
  std::memcpy(&to, upper, sizeof(to));
  return to;
}

inline __m512 add_products(__m512 sums, __m512bh a, __m512bh b) {
  float all[16];
  std::uint32_t left[16], right[16];
  _mm512_storeu_ps(all, sums);
  std::memcpy(left, &a, sizeof(left));
  std::memcpy(right, &b, sizeof(right));
  auto number = [](std::uint32_t bits) { return normal(same_bits<float>(bits)); };
  for (int i = 0; i < 16; ++i) {
    const float upper =
        __builtin_fmaf(number(left[i] & 0xffff0000u), number(right[i] & 0xffff0000u), normal(all[i]));
    all[i] = normal(__builtin_fmaf(number(left[i] << 16), number(right[i] << 16), normal(upper)));
  }
  return _mm512_loadu_ps(all);
}

}  // namespace emulated

#undef _mm512_dpbf16_ps
#define _mm512_maskz_loadu_ps emulated::load_some
#define _mm512_mask_storeu_ps emulated::store_some
#define _mm512_rcp14_ps emulated::reciprocal
#define _mm512_cvtneps_pbh emulated::to_bf16
#define _mm512_dpbf16_ps emulated::add_products
