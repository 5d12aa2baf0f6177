#include "rows.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace nb = nanobind;

namespace {

// The beginning of DLPack's `DLPackExchangeAPI`, the same in all of version 1.
struct Exchange {
  struct {
    std::uint32_t major, minor;
    Exchange* earlier;
  } version;
  void (*allocate)();
  void (*own)();
  void (*wrap)();
  int (*look)(void* object, nb::dlpack::dltensor* out);  // owns nothing; 0, or an error is set
};

const Exchange* exchange = nullptr;
PyObject* is_neg = nullptr;  // `Tensor.is_neg`

// What a tensor of 32-bit floats in memory is. False, and no error is set, where it is none.
bool look(PyObject* tensor, nb::dlpack::dltensor& found) {
  // Its numbers may stand for their negatives, of which DLPack does not tell.
  const nb::object negated = nb::steal(PyObject_CallOneArg(is_neg, tensor));
  if (!negated.is_valid() || exchange->look(tensor, &found) != 0) {
    PyErr_Clear();
    return false;
  }
  const bool floats = found.dtype == nb::dtype<float>() && found.device.device_type == nb::device::cpu::value;
  return !negated.is(Py_True) && floats && found.data != nullptr;
}

bool read_tensor(PyObject* tensor, Row& row) {
  nb::dlpack::dltensor found;
  if (!look(tensor, found) || found.ndim != 1) return false;
  row = {static_cast<char*>(found.data) + found.byte_offset, found.shape[0],
         found.strides[0] * static_cast<sluicegate::Index>(sizeof(float))};
  return true;
}

bool read_buffer(PyObject* array, Row& row) {
  Py_buffer found;
  if (PyObject_GetBuffer(array, &found, PyBUF_FORMAT | PyBUF_STRIDES) != 0) {
    PyErr_Clear();
    return false;
  }
  const bool fits = found.ndim == 1 && found.format != nullptr && std::strcmp(found.format, "f") == 0;
  if (fits) row = {static_cast<char*>(found.buf), found.shape[0], found.strides[0]};
  PyBuffer_Release(&found);
  return fits;
}

}  // namespace

ReadRow reader_of(PyTypeObject* type) {
  if (type->tp_as_buffer != nullptr && type->tp_as_buffer->bf_getbuffer != nullptr) return read_buffer;
  const nb::handle tensor(reinterpret_cast<PyObject*>(type));
  if (!nb::hasattr(tensor, "__dlpack_c_exchange_api__")) return nullptr;
  const nb::object capsule = tensor.attr("__dlpack_c_exchange_api__");
  auto* found = static_cast<const Exchange*>(PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
  if (found == nullptr) throw nb::python_error();
  while (found != nullptr && found->version.major != 1) found = found->version.earlier;
  if (found == nullptr || found->look == nullptr) return nullptr;
  exchange = found;
  is_neg = nb::object(tensor.attr("is_neg")).release().ptr();
  return read_tensor;
}

bool has_blocks(PyTypeObject* type) { return reader_of(type) == read_tensor; }

bool read_block(PyObject* tensor, Block& block) {
  nb::dlpack::dltensor found;
  if (!look(tensor, found)) return false;
  sluicegate::Index expected = 1;
  for (int axis = found.ndim - 1; axis >= 0; --axis) {
    if (found.shape[axis] != 1 && found.strides[axis] != expected) return false;
    expected *= found.shape[axis];
  }
  char* const data = static_cast<char*>(found.data) + found.byte_offset;
  if (reinterpret_cast<std::uintptr_t>(data) % alignof(float) != 0) return false;
  block = {reinterpret_cast<float*>(data), found.shape, found.ndim};
  return true;
}
