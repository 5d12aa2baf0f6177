// Arrays of exactly the size that is promised: a single number more, read or written, ends the program.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "check.h"

namespace sluicegate::test {

// Under the address sanitizer the array is on the heap. Otherwise it lies between two pages that cannot be
// touched, against the one after it or, every other time, the one before it: this also sees the masked loads
// and stores, of which the sanitizer knows nothing, in code that is compiled as it is shipped.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(std::int64_t count) : count_(count) {
    const std::size_t bytes = count * sizeof(T);
    if constexpr (kAddressSanitizer) {
      begin_ = static_cast<char*>(std::malloc(bytes));
      data_ = reinterpret_cast<T*>(begin_);
    } else {
      thread_local bool low = false;
      const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
      const std::size_t room = (bytes + page - 1) / page * page;
      whole_ = room + 2 * page;
      void* pages = mmap(nullptr, whole_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (pages == MAP_FAILED) std::abort();
      begin_ = static_cast<char*>(pages);
      if (room && mprotect(begin_ + page, room, PROT_READ | PROT_WRITE) != 0) std::abort();
      low = !low;
      data_ = reinterpret_cast<T*>(begin_ + page + (low ? 0 : room - bytes));
    }
    if (bytes) std::memset(data_, 0xff, bytes);
  }
  Array(Array&& other) noexcept { *this = std::move(other); }
  Array& operator=(Array&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(whole_, other.whole_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Array() {
    if constexpr (kAddressSanitizer) {
      std::free(begin_);
    } else if (begin_) {
      munmap(begin_, whole_);
    }
  }

  // Null where there is no array at all.
  T* data() const { return data_; }
  std::int64_t count() const { return count_; }
  T& operator[](std::int64_t i) const { return data_[i]; }

  // Every byte of a new array is this one: of floats a NaN, and none that arithmetic makes.
  static bool untouched(const T& number) {
    const unsigned char* byte = reinterpret_cast<const unsigned char*>(&number);
    for (std::size_t i = 0; i < sizeof(T); ++i)
      if (byte[i] != 0xff) return false;
    return true;
  }
  bool all_untouched() const {
    for (std::int64_t i = 0; i < count_; ++i)
      if (!untouched(data_[i])) return false;
    return true;
  }
  // The number, which is as new afterwards.
  T take(std::int64_t i) const {
    const T number = data_[i];
    std::memset(data_ + i, 0xff, sizeof(T));
    return number;
  }

 private:
  char* begin_ = nullptr;
  std::size_t whole_ = 0;
  T* data_ = nullptr;
  std::int64_t count_ = 0;
};

}  // namespace sluicegate::test
