// A layer in int8, forward: its rows and steps shared out, its products, and the table of all of it.
#pragma once

#include "kernels/quantized_cells.h"
#include "sluicegate/scratch.h"
#include "sluicegate/threads.h"

namespace sluicegate::SLUICEGATE_ISA {

// Rows that are computed by one thread, and inputs whose share is computed together, at most.
inline constexpr Index kGroup = 64;
// Rows of a tile, at most.
inline constexpr int kTileRows = 4;

// Blocks of units that a tile of R rows takes at once of V gates, so that its sums fill the registers.
template <int V, int R>
inline constexpr int kBlocks = V * R * 8 <= kRegisters * 3 / 4   ? 8
                               : V * R * 4 <= kRegisters * 3 / 4 ? 4
                               : V * R * 2 <= kRegisters * 3 / 4 ? 2
                                                                 : 1;

// Calls f with R and P for tiles that cover so many rows and blocks.
template <int V, class F>
SLUICEGATE_INLINE void quantized_tiles(Index rows, Index blocks, F&& f) {
  auto blocks_of = [&]<int R>(Index row) {
    constexpr int P = kBlocks<V, R>;
    Index block = 0;
    for (; block + P <= blocks; block += P) f.template operator()<R, P>(row, block);
    if constexpr (P > 1)
      for (; block < blocks; ++block) f.template operator()<R, 1>(row, block);
  };
  Index row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) blocks_of.template operator()<kTileRows>(row);
  for (; row < rows; ++row) blocks_of.template operator()<1>(row);
}

// Calls f with V = count, from 1 to 4.
template <class F>
SLUICEGATE_INLINE void with_gates(int count, F&& f) {
  if (count == 1) f.template operator()<1>();
  if (count == 2) f.template operator()<2>();
  if (count == 3) f.template operator()<3>();
  if (count == 4) f.template operator()<4>();
}

// sums[r][p V + v] += of row r and gate v of panel p, for so many words.
template <int R, int P, int V>
SLUICEGATE_INLINE void add_products(Ints (&sums)[R][P * V], const std::uint32_t* const (&rows)[R],
                                    const std::int8_t* panel, Index count) {
  constexpr Index kVector = kWidth * kDepth;
  const Index stride = count * V * kVector;
  for (Index k = 0; k < count; ++k, panel += V * kVector) {
    Weights word[R];
    SLUICEGATE_EACH(R) word[i] = fill_word(rows[i][k]);
#pragma GCC unroll 32
    for (int v = 0; v < P * V; ++v) {
      const Weights w = weights(panel + v / V * stride + v % V * kVector);
      SLUICEGATE_EACH(R) sums[i][v] = dot(sums[i][v], word[i], w);
    }
  }
}

// The group of rows that one thread computes.
class QuantizedGroup {
 public:
  QuantizedGroup(const QuantizedCall& call, Index first, Index rows, Memory& memory)
      : call_(call), l_(call.shape), panels_(call.panels), first_(first), rows_(rows) {
    const Index hidden = l_.blocks * kWidth;
    shares_ = memory.take(kGroup * l_.width);
    input_words_ = words_from(memory, kGroup * row_words(call.shape.input));
    hidden_words_ = words_from(memory, rows * row_words(call.shape.hidden));
    if (call.shape.traits().phases == 2) {
      update_ = memory.take(rows * hidden);
      gated_ = memory.take(rows * hidden);
    }
  }

  void run() {
    begin();
    const Index at_once = most(1, kGroup / rows_);
    for (Index t = 0; t < call_.steps; t += at_once) {
      const Index end = least(call_.steps, t + at_once);
      share_steps(t, end);
      for (Index now = t; now < end; ++now)
        if (const Index count = active(now)) step(now, (now - t) * rows_, count);
    }
  }

 private:
  static std::uint32_t* words_from(Memory& memory, Index count) {
    return reinterpret_cast<std::uint32_t*>(memory.take(count));
  }

  // How many of the rows have this step: they are the first ones.
  Index active(Index step) const {
    if (!call_.lengths) return rows_;
    Index count = 0;
    while (count < rows_ && call_.lengths[first_ + count] > step) ++count;
    return count;
  }

  float* state(float* all, Index row) const { return all + (first_ + row) * call_.shape.hidden; }

  void begin() {
    const Index count = rows_ * call_.shape.hidden;
    copy(call_.h0, call_.h_n, count);
    if (call_.c_n) copy(call_.c0, call_.c_n, count);
  }
  void copy(const float* from, float* to, Index count) const {
    const Index begin = first_ * call_.shape.hidden;
    for (Index i = begin; i < begin + count; ++i) to[i] = from ? from[i] : 0.0f;
  }

  // The input's share of all gates at steps [begin, end), of all rows.
  void share_steps(Index begin, Index end) {
    const Index input = call_.shape.input;
    const float* x[kGroup];
    std::uint32_t* words_of[kGroup];
    Index entries = 0;
    for (Index t = begin; t < end; ++t) {
      const Index count = active(t);
      for (Index row = 0; row < rows_; ++row, ++entries) {
        // A row that is over is computed as the one before it, and of no account.
        const Index from = row < count ? row : 0, own = row < count ? t : begin;
        x[entries] = call_.input + (own * call_.rows + first_ + from) * input;
        words_of[entries] = input_words_ + entries * row_words(input);
      }
    }
    if (!call_.shape.floats) {
      const float* factor = at<float>(panels_, l_.factor);
      for (Index i = 0; i < entries; ++i) to_words(x[i], input, factor, 0.0f, words_of[i]);
    }
    with_gates(l_.gates, [&]<int V>() {
      quantized_tiles<V>(entries, l_.blocks, [&]<int R, int P>(Index row, Index block) {
        Float found[R][P * V];
        if (call_.shape.floats)
          share_floats<R, P, V>(x + row, block, found);
        else
          share_whole<R, P, V>(words_of + row, block, found);
        SLUICEGATE_EACH(R)
#pragma GCC unroll 32
        for (int v = 0; v < P * V; ++v)
          store(shares_ + (row + i) * l_.width + (block * V + v) * kWidth, found[i][v]);
      });
    });
  }

  template <int R, int P, int V>
  SLUICEGATE_INLINE void share_floats(const float* const* x, Index block, Float (&found)[R][P * V]) const {
    const Index input = call_.shape.input, first = block * V * kWidth;
    const float* const bias = at<float>(panels_, l_.bias) + first;
    const float* panel = at<float>(panels_, l_.input) + first * input;
    SLUICEGATE_EACH(R)
#pragma GCC unroll 32
    for (int v = 0; v < P * V; ++v) found[i][v] = load(bias + v * kWidth);
    for (Index k = 0; k < input; ++k, panel += V * kWidth)
#pragma GCC unroll 32
      for (int v = 0; v < P * V; ++v) {
        const Float w = load(panel + v / V * input * V * kWidth + v % V * kWidth);
        SLUICEGATE_EACH(R) found[i][v] = add(found[i][v], multiply(fill(x[i][k]), w));
      }
  }

  template <int R, int P, int V>
  SLUICEGATE_INLINE void share_whole(std::uint32_t* const* rows, Index block,
                                     Float (&found)[R][P * V]) const {
    const Index first = block * V * kWidth, count = words(call_.shape.input);
    Ints sums[R][P * V];
    multiply_rows<R, P, V>(sums, rows, at<std::int32_t>(panels_, l_.input_start) + first, V,
                           at<std::int8_t>(panels_, l_.input) + first * count * kDepth, count);
    const float* const scale = at<float>(panels_, l_.input_scale) + first;
    const float* const bias = at<float>(panels_, l_.bias) + first;
    SLUICEGATE_EACH(R)
#pragma GCC unroll 32
    for (int v = 0; v < P * V; ++v)
      found[i][v] = add(multiply(to_floats(sums[i][v]), load(scale + v * kWidth)), load(bias + v * kWidth));
  }

  // Sums that begin at `start`, where the gates of a block lie with so many of all gates.
  template <int R, int P, int V>
  SLUICEGATE_INLINE static void multiply_rows(Ints (&sums)[R][P * V], const std::uint32_t* const* rows,
                                              const std::int32_t* start, int gates, const std::int8_t* panel,
                                              Index count) {
    const std::uint32_t* own[R];
    SLUICEGATE_EACH(R) own[i] = rows[i];
    SLUICEGATE_EACH(R)
#pragma GCC unroll 32
    for (int v = 0; v < P * V; ++v) sums[i][v] = load_ints(start + (v / V * gates + v % V) * kWidth);
    add_products<R, P, V>(sums, own, panel, count);
  }

  // The step of the first `count` rows, whose input's shares begin at this entry.
  void step(Index t, Index entry, Index count) {
    const QuantizedShape& s = call_.shape;
    Place places[kGroup];
    for (Index row = 0; row < count; ++row) {
      Place& p = places[row];
      p.share = shares_ + (entry + row) * l_.width;
      p.h = state(call_.h_n, row);
      p.c = call_.c_n ? state(call_.c_n, row) : nullptr;
      p.update = update_ ? update_ + row * l_.blocks * kWidth : nullptr;
      p.gated = gated_ ? gated_ + row * l_.blocks * kWidth : nullptr;
      p.output = call_.output ? call_.output + (t * call_.rows + first_ + row) * s.hidden : nullptr;
    }
    switch (s.cell) {
      case Cell::kGru:
        return phase<Cell::kGru, 0>(places, count);
      case Cell::kGruBefore:
        phase<Cell::kGruBefore, 0>(places, count);
        return phase<Cell::kGruBefore, 1>(places, count);
      case Cell::kLstm:
        return phase<Cell::kLstm, 0>(places, count);
      case Cell::kRnn:
        return phase<Cell::kRnn, 0>(places, count);
      case Cell::kLiGru:
        return phase<Cell::kLiGru, 0>(places, count);
      case Cell::kMinGru:
        return mingru(places, count);
    }
  }

  template <Cell cell, int number>
  void phase(const Place* places, Index count) {
    using Step = QuantizedStep<cell, number>;
    constexpr int V = Step::kGates;
    const Index hidden = call_.shape.hidden, depth = words(hidden),
                first = call_.shape.traits().phase_begin(number);
    const Gates gates{at<float>(panels_, l_.hidden_bias), call_.shape.activation == Activation::kRelu};
    const std::uint32_t* rows[kGroup];
    for (Index row = 0; row < count; ++row) {
      std::uint32_t* own = hidden_words_ + row * row_words(hidden);
      to_words(number ? places[row].gated : places[row].h, hidden, nullptr, *at<float>(panels_, l_.factors),
               own);
      rows[row] = own;
    }
    quantized_tiles<V>(count, l_.blocks, [&]<int R, int P>(Index row, Index block) {
      const Index begin = (block * l_.gates + first) * kWidth;
      Ints sums[R][P * V];
      multiply_rows<R, P, V>(
          sums, rows + row, at<std::int32_t>(panels_, l_.hidden_start) + begin, l_.gates,
          at<std::int8_t>(panels_, l_.hidden[number]) + block * V * kWidth * depth * kDepth, depth);
      const float* const scale = at<float>(panels_, l_.hidden_scale) + begin;
      for (int r = 0; r < R; ++r) finish<Step, P>(gates, places[row + r], block, sums[r], scale);
    });
  }

  template <class Step, int P, int PV>
  SLUICEGATE_INLINE void finish(const Gates& gates, const Place& place, Index block, const Ints (&sums)[PV],
                                const float* scale) const {
    constexpr int V = PV / P;
    const bool whole = (block + P) * kWidth <= call_.shape.hidden;
    if (whole) return finish_blocks<Step, P, V>(gates, place, block, sums, scale, All{});
    for (int p = 0; p < P; ++p) {
      Ints own[V];
      SLUICEGATE_EACH(V) own[i] = sums[p * V + i];
      const int lanes = static_cast<int>(least(kWidth, call_.shape.hidden - (block + p) * kWidth));
      finish_blocks<Step, 1, V>(gates, place, block + p, own, scale + p * l_.gates * kWidth, lanes);
    }
  }

  template <class Step, int P, int V, class L>
  SLUICEGATE_INLINE void finish_blocks(const Gates& gates, const Place& place, Index block,
                                       const Ints (&sums)[P * V], const float* scale, L lanes) const {
    Float sum[V][P];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) SLUICEGATE_EACH(P)
    sum[v][i] = multiply(to_floats(sums[i * V + v]), load(scale + (i * l_.gates + v) * kWidth));
    const float* const share = place.share + block * l_.gates * kWidth;
    const auto x = [&](int gate, int i) { return load(share + (i * l_.gates + gate) * kWidth); };
    Step::finish(gates, place, block * kWidth, sum, x, lanes);
  }

  void mingru(const Place* places, Index count) const {
    for (Index row = 0; row < count; ++row)
      for (Index block = 0; block < l_.blocks; ++block) {
        const float* const share = places[row].share + block * 2 * kWidth;
        const Index unit = block * kWidth;
        if (unit + kWidth <= call_.shape.hidden)
          finish_mingru(places[row], unit, load(share), load(share + kWidth), All{});
        else
          finish_mingru(places[row], unit, load(share), load(share + kWidth),
                        static_cast<int>(call_.shape.hidden - unit));
      }
  }

  const QuantizedCall& call_;
  const QuantizedLayout l_;
  const void* panels_;
  Index first_, rows_;
  float* shares_;
  std::uint32_t *input_words_, *hidden_words_;
  float *update_ = nullptr, *gated_ = nullptr;
};

struct QuantizedWork {
  const QuantizedCall& call;
  Index groups, rows;  // of a group, at most

  static void task(void* context, int number) {
    const auto& work = *static_cast<QuantizedWork*>(context);
    const Index first = number * work.rows, rows = least(work.rows, work.call.rows - first);
    Memory counted;
    {
      QuantizedGroup only_counts(work.call, first, rows, counted);
    }
    Scratch scratch(counted.taken());
    QuantizedGroup(work.call, first, rows, scratch).run();
  }
};

inline void quantized_forward(const QuantizedCall& call) {
  if (call.rows == 0) return;
  const Index threads = most(1, least(call.threads, call.rows));
  const Index groups = round_up(divide_up(call.rows, kGroup), threads);
  QuantizedWork work{call, 0, divide_up(call.rows, groups)};
  work.groups = divide_up(call.rows, work.rows);
  // How long one thread takes, roughly.
  const double products = static_cast<double>(call.rows * call.steps) *
                          static_cast<double>(call.shape.traits().gates.count * call.shape.hidden *
                                              (call.shape.input + call.shape.hidden + 32));
  run_tasks(static_cast<int>(work.groups), call.threads, products / (8000.0 * kWidth), QuantizedWork::task,
            &work);
}

inline constexpr QuantizedKernels quantized_table(const char* name) {
  return {name, quantized_bytes, quantized_pack, quantized_forward};
}

}  // namespace sluicegate::SLUICEGATE_ISA
