#include "sluicegate/scratch.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sluicegate {
namespace {

constexpr std::int64_t kKept = std::int64_t{8} << 20;  // floats
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;

struct Buffer {
  float* data = nullptr;
  std::int64_t capacity = 0;

  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data); }
};

// Two, since a call that shares its work has memory for all and memory of its own.
struct Shelf {
  Buffer kept[2];
};

thread_local Shelf shelf;

float* allocate(std::int64_t floats) {
  const std::int64_t bytes = floats * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t alignment = bytes >= kHugePage ? kHugePage : 64;
  void* data = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (data == nullptr) throw std::bad_alloc();
  prefer_large_pages(data, bytes);
  return static_cast<float*>(data);
}

}  // namespace

void prefer_large_pages(void* begin, std::int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t from = (address + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t to = (address + static_cast<std::uintptr_t>(bytes)) / kHugePage * kHugePage;
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#else
  static_cast<void>(begin), static_cast<void>(bytes);
#endif
}

Scratch::Scratch(std::int64_t floats) : begin_(nullptr), capacity_(0) {
  if (floats == 0) return;
  for (Buffer& buffer : shelf.kept) {
    if (buffer.capacity < floats) continue;
    begin_ = std::exchange(buffer.data, nullptr);
    capacity_ = std::exchange(buffer.capacity, 0);
    break;
  }
  if (begin_ == nullptr) {
    capacity_ = std::max<std::int64_t>(floats, 16);
    begin_ = allocate(capacity_);
  }
  static_cast<Memory&>(*this) = Memory(begin_);
}

Scratch::~Scratch() {
  if (capacity_ <= kKept)
    for (Buffer& buffer : shelf.kept)
      if (buffer.capacity < capacity_) {
        std::swap(buffer.data, begin_);
        std::swap(buffer.capacity, capacity_);
      }
  std::free(begin_);
}

}  // namespace sluicegate
