// Sigmoid and tanh whose bits every instruction set has: the quotients of activations.h, with each product,
// sum and quotient rounded by itself.
#pragma once

#include "kernels/quantized_dot.h"

namespace sluicegate::SLUICEGATE_ISA {

// out = a P(s) / Q(s) with s = a², held at `limit`; a NaN stays one.
template <int N>
SLUICEGATE_INLINE void exact_quotient(const Float (&a)[N], const float (&p)[5], const float (&q)[5],
                                      float limit, Float (&out)[N]) {
  Float s[N], above[N], below[N];
  SLUICEGATE_EACH(N) s[i] = smaller(fill(limit), multiply(a[i], a[i]));
  SLUICEGATE_EACH(N) above[i] = add(multiply(fill(p[4]), s[i]), fill(p[3]));
  SLUICEGATE_EACH(N) below[i] = add(multiply(fill(q[4]), s[i]), fill(q[3]));
#pragma GCC unroll 3
  for (int k = 2; k >= 0; --k) {
    SLUICEGATE_EACH(N) above[i] = add(multiply(above[i], s[i]), fill(p[k]));
    SLUICEGATE_EACH(N) below[i] = add(multiply(below[i], s[i]), fill(q[k]));
  }
  SLUICEGATE_EACH(N) out[i] = multiply(a[i], above[i] / below[i]);
}

template <int N>
SLUICEGATE_INLINE void exact_tanh(Float (&a)[N]) {
  constexpr float p[5] = {1.0f, 1.342586875e-01f, 3.549167886e-03f, 2.150847649e-05f, 1.464823285e-08f};
  constexpr float q[5] = {1.0f, 4.675919414e-01f, 2.607994527e-02f, 3.373948566e-04f, 8.295097587e-07f};
  exact_quotient(a, p, q, static_cast<float>(8.7 * 8.7), a);
  SLUICEGATE_EACH(N) a[i] = smaller(fill(1.0f), a[i]);
  SLUICEGATE_EACH(N) a[i] = larger(fill(-1.0f), a[i]);
}

template <int N>
SLUICEGATE_INLINE void exact_sigmoid(Float (&a)[N]) {
  constexpr float p[5] = {0.25f, 8.391167969e-03f, 5.545574822e-05f, 8.401748630e-08f, 1.430491489e-11f};
  constexpr float q[5] = {1.0f, 1.168979853e-01f, 1.629996579e-03f, 5.271794635e-06f, 3.240272495e-09f};
  exact_quotient(a, p, q, static_cast<float>(17.4 * 17.4), a);
  SLUICEGATE_EACH(N) a[i] = add(fill(0.5f), a[i]);
  SLUICEGATE_EACH(N) a[i] = smaller(fill(1.0f), a[i]);
  SLUICEGATE_EACH(N) a[i] = larger(fill(0.0f), a[i]);
}

template <int N>
SLUICEGATE_INLINE void exact_activate(Float (&a)[N], bool is_relu) {
  if (is_relu)
    SLUICEGATE_EACH(N) a[i] = larger(fill(0.0f), a[i]);
  else
    exact_tanh(a);
}

// h' = (1 - z) n + z h, which is h to the bit where z is 1.
SLUICEGATE_INLINE Float exact_mix(Float z, Float n, Float h) {
  return add(subtract(n, multiply(z, n)), multiply(z, h));
}

}  // namespace sluicegate::SLUICEGATE_ISA
