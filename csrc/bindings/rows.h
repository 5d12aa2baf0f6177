// Floats in an array of NumPy's or a tensor of PyTorch's, found without a line of Python.
#pragma once

#include <Python.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "sluicegate/recurrent.h"

struct Row {
  char* data = nullptr;
  sluicegate::Index count = 0;
  sluicegate::Index stride = 0;  // bytes

  void copy_to(float* to) const {
    for (sluicegate::Index i = 0; i < count; ++i) std::memcpy(to + i, data + i * stride, sizeof(float));
  }
};

// Finds the row that an object is. False, and no error is set, where it is none of 32-bit floats in memory.
using ReadRow = bool (*)(PyObject* object, Row& row);

// How objects of this type are read: by the buffer protocol, or by the functions of DLPack that the tensors
// of newer releases of PyTorch have. Null where there is neither. After a step of 1,024 units nanobind's own
// way, which calls a method, took 5 us more of an array, and 40 us more of a tensor.
ReadRow reader_of(PyTypeObject* type);

// Floats that follow each other, in the shape of a tensor that must live as long.
struct Block {
  float* data = nullptr;
  const sluicegate::Index* shape = nullptr;
  int axes = 0;

  bool is(std::initializer_list<sluicegate::Index> sizes) const {
    return std::equal(shape, shape + axes, sizes.begin(), sizes.end());
  }
};

// Finds those of a tensor, as `ReadRow` a row.
bool read_block(PyObject* tensor, Block& block);

// Whether tensors of this type can be read so: those of older releases of PyTorch cannot.
bool has_blocks(PyTypeObject* type);
