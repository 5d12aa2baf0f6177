"""`model_test.c`: a program that holds the C to what this package computes."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from .numbers import constant


def test_program(name: str, inputs: ndarray, expected: ndarray, tolerance: float) -> str:
    """Write the program, which prints the largest error and ends with 0 if it is no larger than allowed.

    Args:
        name: what all names of the C begin with.
        inputs: 32-bit floats `[steps inputs]`.
        expected: 32-bit floats `[steps outputs]`.
        tolerance: how large an error is allowed; 0 asks for the same bits.
    """
    big = name.upper()
    steps, wide, out = len(inputs), inputs.shape[1], expected.shape[1]
    return f"""\
/* Holds {name}.c to what Sluicegate computes, and to its own bits after a copy of the state. */
#include <stdio.h>
#include <string.h>

#include "{name}.h"

{constant("float", "inputs", np.asarray(inputs, np.float32))}
{constant("float", "expected", np.asarray(expected, np.float32))}

static int differ(const float *a, const float *b, int count) {{
  return memcmp(a, b, sizeof(float) * (size_t)count) != 0;
}}

int main(void) {{
  struct {name}_state state;
  struct {name}_state copied;
  float output[{big}_OUTPUTS];
  float again[{big}_OUTPUTS];
  double largest = 0.0;
  int differing = 0;
  int t;
  int k;
  {name}_init(&state);
  {name}_init(&copied);
  for (t = 0; t < {steps}; t++) {{
    if (t == {steps // 2}) memcpy(&copied, &state, sizeof state);
    {name}_step(&state, inputs + {wide} * t, output);
    if (t >= {steps // 2}) {{
      {name}_step(&copied, inputs + {wide} * t, again);
      differing += differ(output, again, {out});
    }}
    for (k = 0; k < {out}; k++) {{
      double error = (double)output[k] - (double)expected[{out} * t + k];
      error = error < 0.0 ? -error : error;
      if (!(error <= largest)) largest = error;
    }}
    if ({1 if tolerance == 0 else 0}) differing += differ(output, expected + {out} * t, {out});
  }}
  {name}_reset(&state);
  {name}_step(&state, inputs, output);
  {name}_init(&copied);
  {name}_step(&copied, inputs, again);
  differing += differ(output, again, {out});
  printf("%s: {steps} steps, largest error %.3g, %d that differ in bits\\n", {big}_FINGERPRINT, largest, differing);
  return differing == 0 && largest <= {tolerance!r} ? 0 : 1;
}}
"""
