// Working memory of a call.
#pragma once

#include <cstdint>

namespace sluicegate {

// Tells the system that these many bytes are better had in large pages, where they fill some. Fresh memory
// comes in pages of 4 KB else, each of which costs more to get than to fill.
void prefer_large_pages(void* begin, std::int64_t bytes);

// Floats that somebody owns, to be taken part by part. Of no memory at all it only counts what would be
// taken.
class Memory {
 public:
  explicit Memory(float* begin = nullptr) : next_(begin) {}

  // The next `floats` of it, beginning at a cache line.
  [[gnu::always_inline]] float* take(std::int64_t floats) {
    float* taken = next_;
    if (next_) next_ += padded(floats);
    taken_ += padded(floats);
    return taken;
  }
  std::int64_t taken() const { return taken_; }
  static std::int64_t padded(std::int64_t floats) { return (floats + 15) / 16 * 16; }

 private:
  float* next_;
  std::int64_t taken_ = 0;
};

// Floats, aligned to a cache line and not initialised, until the object dies. A thread keeps what it has had
// for its next call, unless that is much, so that a small layer does not wait for the system's memory.
class Scratch : public Memory {
 public:
  explicit Scratch(std::int64_t floats);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  float* begin_;
  std::int64_t capacity_;
};

}  // namespace sluicegate
