// Sigmoid and tanh: rational functions of degree 9 over 8, within 4e-7 of the true value everywhere.
//
// tanh x = x P(x²) / Q(x²) was fitted for the least largest relative error (9e-9) over 0 < x < 8.3, beyond
// which tanh is 1 in single precision. x² is held where the quotient has just passed 1, and the result is
// clamped to 1: a gate that is shut is exactly shut. sigmoid x = 1/2 + tanh(x/2)/2 has the halves folded into
// its coefficients. Against exponentials this saves the reduction of the argument and is as exact near 0 as
// far from it.
//
// Several vectors go through at once, operation by operation: one alone is a chain of some 50 cycles in which
// every operation waits for the one before, and a processor looks ahead no further than a hundred
// instructions for others to do meanwhile. So written, the gates of a GRU take half the time.
#pragma once

#include SLUICEGATE_SIMD

namespace sluicegate::SLUICEGATE_ISA {

// out = a P(s) / Q(s) with s = a², held at `limit`. A NaN stays one, since it stands in the second place.
template <int N>
SLUICEGATE_INLINE void quotient(const Float (&a)[N], const float (&p)[5], const float (&q)[5], float limit,
                                Float (&out)[N]) {
  Float s[N], above[N], below[N];
  SLUICEGATE_EACH(N) s[i] = minimum(fill(limit), multiply(a[i], a[i]));
  SLUICEGATE_EACH(N) above[i] = multiply_add(fill(p[4]), s[i], fill(p[3]));
  SLUICEGATE_EACH(N) below[i] = multiply_add(fill(q[4]), s[i], fill(q[3]));
  SLUICEGATE_EACH(N) above[i] = multiply_add(above[i], s[i], fill(p[2]));
  SLUICEGATE_EACH(N) below[i] = multiply_add(below[i], s[i], fill(q[2]));
  SLUICEGATE_EACH(N) above[i] = multiply_add(above[i], s[i], fill(p[1]));
  SLUICEGATE_EACH(N) below[i] = multiply_add(below[i], s[i], fill(q[1]));
  SLUICEGATE_EACH(N) above[i] = multiply_add(above[i], s[i], fill(p[0]));
  SLUICEGATE_EACH(N) below[i] = multiply_add(below[i], s[i], fill(q[0]));
  divide(above, below);
  SLUICEGATE_EACH(N) out[i] = multiply(a[i], above[i]);
}

template <int N>
SLUICEGATE_INLINE void tanh(Float (&a)[N]) {
  constexpr float p[5] = {1.0f, 1.342586875e-01f, 3.549167886e-03f, 2.150847649e-05f, 1.464823285e-08f};
  constexpr float q[5] = {1.0f, 4.675919414e-01f, 2.607994527e-02f, 3.373948566e-04f, 8.295097587e-07f};
  quotient(a, p, q, 8.7f * 8.7f, a);
  SLUICEGATE_EACH(N) a[i] = minimum(fill(1.0f), a[i]);
  SLUICEGATE_EACH(N) a[i] = maximum(fill(-1.0f), a[i]);
}

template <int N>
SLUICEGATE_INLINE void sigmoid(Float (&a)[N]) {
  constexpr float p[5] = {0.25f, 8.391167969e-03f, 5.545574822e-05f, 8.401748630e-08f, 1.430491489e-11f};
  constexpr float q[5] = {1.0f, 1.168979853e-01f, 1.629996579e-03f, 5.271794635e-06f, 3.240272495e-09f};
  quotient(a, p, q, 17.4f * 17.4f, a);
  SLUICEGATE_EACH(N) a[i] = add(fill(0.5f), a[i]);
  SLUICEGATE_EACH(N) a[i] = minimum(fill(1.0f), a[i]);
  SLUICEGATE_EACH(N) a[i] = maximum(fill(0.0f), a[i]);
}

SLUICEGATE_INLINE Float relu(Float a) { return maximum(fill(0.0f), a); }

// The activation of a cell's candidate, and the gradient through it given what came out of it.
template <int N>
SLUICEGATE_INLINE void activate(Float (&a)[N], bool is_relu) {
  if (is_relu)
    SLUICEGATE_EACH(N) a[i] = relu(a[i]);
  else
    tanh(a);
}
SLUICEGATE_INLINE Float through_activation(Float gradient, Float out, bool is_relu) {
  return is_relu ? where_positive(out, gradient)
                 : multiply_subtract_from(multiply(gradient, out), out, gradient);
}
SLUICEGATE_INLINE Float through_sigmoid(Float gradient, Float out) {
  const Float scaled = multiply(gradient, out);
  return multiply_subtract_from(scaled, out, scaled);
}

}  // namespace sluicegate::SLUICEGATE_ISA
