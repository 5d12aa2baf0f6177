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

bool read_tensor(PyObject* tensor, Row& row) {
  nb::dlpack::dltensor found;
  // Its numbers may stand for their negatives, of which DLPack does not tell.
  const nb::object negated = nb::steal(PyObject_CallOneArg(is_neg, tensor));
  if (!negated.is_valid() || exchange->look(tensor, &found) != 0) {
    PyErr_Clear();
    return false;
  }
  const bool floats = found.dtype == nb::dtype<float>() && found.device.device_type == nb::device::cpu::value;
  if (negated.is(Py_True) || !floats || found.ndim != 1 || found.data == nullptr) return false;
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
  const bool fits = found.ndim == 1 && std::strcmp(found.format, "f") == 0;
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
