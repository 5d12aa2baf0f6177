// Working memory: aligned, apart from what is in use, and had again.

#include "sluicegate/scratch.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "check.h"

namespace sluicegate::test {
namespace {

bool aligned(const float* p) { return reinterpret_cast<std::uintptr_t>(p) % 64 == 0; }

// The shelf of a thread holds what its calls before have had: every test begins with an empty one.
template <class F>
void in_a_new_thread(F&& test) {
  std::thread(test).join();
}

}  // namespace

TEST(scratch_is_aligned_and_its_parts_do_not_touch) {
  in_a_new_thread([] {
    for (std::int64_t size : {1, 15, 16, 17, 1000, 700000}) {
      Scratch scratch(3 * Scratch::padded(size));
      float* parts[3];
      for (float*& part : parts) {
        part = scratch.take(size);
        CHECK(aligned(part));
        std::fill(part, part + size, static_cast<float>(&part - parts));
      }
      for (int i = 0; i < 3; ++i) CHECK(std::count(parts[i], parts[i] + size, static_cast<float>(i)) == size);
    }
    Scratch nothing(0);
    CHECK(aligned(nothing.take(0)));
  });
}

TEST(scratch_in_use_is_not_given_out_again) {
  in_a_new_thread([] {
    for (int round = 0; round < 3; ++round) {
      std::vector<std::unique_ptr<Scratch>> nested;
      std::vector<float*> parts;
      for (int depth = 0; depth < 5; ++depth) {
        nested.push_back(std::make_unique<Scratch>(100 + depth));
        parts.push_back(nested.back()->take(100));
        std::fill_n(parts.back(), 100, static_cast<float>(depth));
      }
      for (int depth = 0; depth < 5; ++depth)
        CHECK(std::count(parts[depth], parts[depth] + 100, depth) == 100);
      // In the order in which nobody nests them.
      for (int i : {2, 0, 4, 1, 3}) nested[i].reset();
    }
  });
}

TEST(scratch_is_kept_for_two) {
  in_a_new_thread([] {
    const float *first, *second;
    {
      Scratch one(1000), other(2000);
      first = one.take(1000);
      second = other.take(2000);
    }
    for (int round = 0; round < 3; ++round) {
      Scratch one(2000), other(1000);
      CHECK(one.take(2000) == second);
      CHECK(other.take(1000) == first);
    }
    // A smaller call in between does not lose the larger memory.
    {
      Scratch small(10);
    }
    Scratch again(2000);
    CHECK(again.take(2000) == second);
  });
}

TEST(scratch_of_threads_is_their_own) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([i] {
      for (int round = 0; round < 200; ++round) {
        Scratch scratch(500 + round);
        float* mine = scratch.take(500);
        std::fill_n(mine, 500, static_cast<float>(i));
        std::this_thread::yield();
        CHECK(std::count(mine, mine + 500, static_cast<float>(i)) == 500);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sluicegate::test
