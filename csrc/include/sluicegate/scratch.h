// Working memory of a call.
#pragma once

#include <cstdint>

namespace sluicegate {

// Floats, aligned to a cache line and not initialised, until the object dies. A thread keeps what it has had
// for its next call, unless that is much, so that a small layer does not wait for the system's memory.
class Scratch {
 public:
  explicit Scratch(std::int64_t floats);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // The next `floats` of it, beginning at a cache line.
  float* take(std::int64_t floats) {
    float* taken = next_;
    next_ += padded(floats);
    return taken;
  }
  static std::int64_t padded(std::int64_t floats) { return (floats + 15) / 16 * 16; }

 private:
  float* begin_;
  float* next_;
  std::int64_t capacity_;
};

}  // namespace sluicegate
