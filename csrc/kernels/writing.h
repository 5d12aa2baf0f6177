// Products, attention and sums of exponentials for networks that write: see sluicegate/writing.h.
#pragma once

#include "kernels/activations.h"
#include "kernels/columns.h"
#include "sluicegate/threads.h"
#include "sluicegate/writing.h"

namespace sluicegate::SLUICEGATE_ISA {

// Rows whose products are computed together: they stay in the second-level cache while all weights pass by.
inline constexpr Index kProductRows = 128;

// Floats of the bias, which comes before the panels.
constexpr Index bias_floats(Index columns) { return round_up(columns, kWidth) + kColumns * kWidth; }

inline Index product_panels(Index depth, Index columns) {
  return bias_floats(columns) + Columns(columns).floats(depth);
}

inline void pack_product(const float* weights, const float* bias, Index depth, Index columns, float* panels) {
  for (Index i = 0; i < bias_floats(columns); ++i) panels[i] = bias && i < columns ? bias[i] : 0.0f;
  panels += bias_floats(columns);
  const Columns cut(columns);
  const Gates gates{weights, depth, columns, 0, 1};
  for (Index p = 0; p < cut.panels(); ++p) {
    const int vectors = p < cut.whole ? kColumns : cut.rest;
    const Index begin = cut.begin(p);
    pack_panel<float>(gates, begin, static_cast<int>(least(columns - begin, vectors * kWidth)), vectors, 0,
                      depth, panels + begin * depth);
  }
}

// Rows and panels shared out to tasks: parts of the panels too, where there are too few rows.
struct ProductWork {
  const Product& call;
  Columns columns;
  Cut rows, shares;

  explicit ProductWork(const Product& c)
      : call(c),
        columns(c.columns),
        rows(c.rows, kProductRows),
        shares(columns.panels(), divide_up(columns.panels(), most(1, 2 * c.threads / rows.tiles))) {}

  static void task(void* context, int task) {
    const auto& work = *static_cast<const ProductWork*>(context);
    work.run(task / work.shares.tiles, task % work.shares.tiles);
  }

  void run(Index block, Index share) const {
    const Index first = rows.start(block), count = rows.size(block);
    const float* a[kProductRows];
    float* out[kProductRows];
    for (Index i = 0; i < count; ++i) {
      a[i] = call.a + (first + i) * call.a_row;
      out[i] = call.out + (first + i) * call.out_row;
    }
    const Index begin = shares.start(share), end = begin + shares.size(share);
    const float *bias = call.panels, *panels = bias + bias_floats(call.columns);
    product<kColumns>(count, a, Panels<float>{.laid_out = panels}, call.depth, begin,
                      least(end, columns.whole), false, true, bias, out, 0, call.columns);
    if (!columns.rest || end != columns.panels()) return;
    const Index place = columns.whole * kColumns * kWidth;
    with_constant<kColumns - 1>(columns.rest, [&]<int V>() {
      product<V>(count, a, Panels<float>{.laid_out = panels + call.depth * place}, call.depth, 0, 1, false,
                 true, bias + place, out, place, call.columns - place);
    });
  }
};

inline void multiply_rows(const Product& call) {
  if (call.rows == 0 || call.columns == 0) return;
  ProductWork work(call);
  const double sums = static_cast<double>(call.rows) * static_cast<double>(call.depth * call.columns);
  run_tasks(static_cast<int>(work.rows.tiles * work.shares.tiles), call.threads, sums / (2000.0 * kWidth),
            ProductWork::task, &work);
}

// e^x of numbers up to 0, within 2e-7 of it; of those below -86, among which -∞ is, as much as of -86.
//
// 2^n e^f for x = n ln 2 + f: n is in the lower bits of x / ln 2 + 1.5 · 2^23, and e^f a polynomial (Cephes).
template <int N>
SLUICEGATE_INLINE void exponential(Float (&a)[N]) {
  constexpr float kShift = 12582912.0f;
  constexpr float c[6] = {5.0000001201e-1f, 1.6666665459e-1f, 4.1665795894e-2f,
                          8.3334519073e-3f, 1.3981999507e-3f, 1.9875691500e-4f};
  Float t[N], f[N], y[N];
  SLUICEGATE_EACH(N) a[i] = maximum(fill(-86.0f), a[i]);
  SLUICEGATE_EACH(N) t[i] = multiply_add(a[i], fill(1.44269504088896341f), fill(kShift));
  SLUICEGATE_EACH(N) y[i] = subtract(t[i], fill(kShift));
  SLUICEGATE_EACH(N) f[i] = multiply_subtract_from(y[i], fill(0.693359375f), a[i]);
  SLUICEGATE_EACH(N) f[i] = multiply_subtract_from(y[i], fill(-2.12194440e-4f), f[i]);
  SLUICEGATE_EACH(N) y[i] = multiply_add(fill(c[5]), f[i], fill(c[4]));
  SLUICEGATE_EACH(N) y[i] = multiply_add(y[i], f[i], fill(c[3]));
  SLUICEGATE_EACH(N) y[i] = multiply_add(y[i], f[i], fill(c[2]));
  SLUICEGATE_EACH(N) y[i] = multiply_add(y[i], f[i], fill(c[1]));
  SLUICEGATE_EACH(N) y[i] = multiply_add(y[i], f[i], fill(c[0]));
  SLUICEGATE_EACH(N) y[i] = multiply_add(y[i], multiply(f[i], f[i]), f[i]);
  SLUICEGATE_EACH(N) y[i] = add(y[i], fill(1.0f));
  SLUICEGATE_EACH(N) a[i] = (Float)((Bits)y[i] + ((Bits)t[i] << 23));
}

// Vectors that go through together.
inline constexpr int kBeside = 4;

SLUICEGATE_INLINE Float load_up_to(const float* from, Index left) {
  return left >= kWidth ? load(from) : load(from, static_cast<int>(most(0, left)));
}
SLUICEGATE_INLINE void store_up_to(float* to, Float a, Index left) {
  if (left >= kWidth) return store(to, a);
  if (left > 0) store(to, a, static_cast<int>(left));
}

// The vectors as one, by f, and its lanes one after the other.
template <class F>
SLUICEGATE_INLINE float folded(const Float (&a)[kBeside], F&& f) {
  float lanes[kWidth];
  store(lanes, f(f(a[0], a[1]), f(a[2], a[3])));
  float all[kWidth] = {lanes[0]};
  for (int i = 1; i < kWidth; ++i) {
    float one[kWidth] = {lanes[i]};
    store(all, f(load(all), load(one)));
  }
  return all[0];
}

inline float largest(const float* row, Index count) {
  Float found[kBeside];
  SLUICEGATE_EACH(kBeside) found[i] = fill(row[0]);
  Index at = 0;
  for (; at + kBeside * kWidth <= count; at += kBeside * kWidth)
    SLUICEGATE_EACH(kBeside) found[i] = maximum(found[i], load(row + at + i * kWidth));
  for (; at < count; ++at) found[0] = maximum(found[0], fill(row[at]));
  return folded(found, [](Float a, Float b) { return maximum(a, b); });
}

// The exponentials of a row's numbers less so much, given to `keep` with their place and how many of them are
// of the row, and their sum.
template <class F>
SLUICEGATE_INLINE float exponentials(const float* row, Index count, float less, F&& keep) {
  Float sums[kBeside], there[kBeside];
  SLUICEGATE_EACH(kBeside) sums[i] = fill(0.0f);
  Index at = 0;
  for (; at + kBeside * kWidth <= count; at += kBeside * kWidth) {
    SLUICEGATE_EACH(kBeside) there[i] = subtract(load(row + at + i * kWidth), fill(less));
    exponential(there);
    SLUICEGATE_EACH(kBeside) sums[i] = add(sums[i], there[i]);
    SLUICEGATE_EACH(kBeside) keep(at + i * kWidth, there[i], kWidth);
  }
  for (; at < count; at += kWidth) {
    const int n = static_cast<int>(least(kWidth, count - at));
    Float one[1] = {subtract(load(row + at, n), fill(less))};
    exponential(one);
    float lanes[kWidth];
    store(lanes, one[0]);
    sums[0] = add(sums[0], load(lanes, n));
    keep(at, one[0], n);
  }
  return folded(sums, [](Float a, Float b) { return add(a, b); });
}

// The logarithms of the sums of the exponentials of each row's numbers.
struct LogSums {
  const float* rows;
  Index count, row;
  float* out;

  static void task(void* context, int task) {
    const auto& work = *static_cast<const LogSums*>(context);
    const float* row = work.rows + task * work.row;
    const float top = largest(row, work.count);
    const float sum = exponentials(row, work.count, top, [](Index, Float, int) {});
    work.out[task] = top + __builtin_logf(sum);
  }
};

inline void log_sums(const float* rows, Index number, Index count, Index row, float* out, int threads) {
  LogSums work{rows, count, row, out};
  constexpr double kExponentials = 200.0 * kWidth;  // in a microsecond
  run_tasks(static_cast<int>(number), threads,
            static_cast<double>(number) * static_cast<double>(count) / kExponentials, LogSums::task, &work);
}

// A row's queries one by one: its keys and states stay in the caches.
struct AttentionWork {
  const Attention& call;

  static void task(void* context, int task) {
    const Attention& c = static_cast<const AttentionWork*>(context)->call;
    const Index source = c.sources[task / c.queries];
    const float* keys = c.keys + source * c.steps * c.hidden;
    float* weights = c.weights + task * c.steps;
    const Index length = c.lengths[source];
    for (Index j = 0; j < length; ++j) weights[j] = score(c, c.query + task * c.hidden, keys + j * c.hidden);
    for (Index j = length; j < c.steps; ++j) weights[j] = 0.0f;
    const float top = largest(weights, length);
    const float sum = exponentials(weights, length, top,
                                   [&](Index at, Float a, int n) { store_up_to(weights + at, a, n); });
    for (Index j = 0; j < length; ++j) weights[j] /= sum;
    sum_up(c, weights, c.states + source * c.steps * c.memory, length, c.context + task * c.memory);
  }

  static float score(const Attention& c, const float* query, const float* key) {
    Float sums[kBeside], seen[kBeside];
    SLUICEGATE_EACH(kBeside) sums[i] = fill(0.0f);
    for (Index at = 0; at < c.hidden; at += kBeside * kWidth) {
      const Index left = c.hidden - at;
      SLUICEGATE_EACH(kBeside)
      seen[i] = add(load_up_to(query + at + i * kWidth, left - i * kWidth),
                    load_up_to(key + at + i * kWidth, left - i * kWidth));
      tanh(seen);
      SLUICEGATE_EACH(kBeside)
      sums[i] = multiply_add(seen[i], load_up_to(c.score + at + i * kWidth, left - i * kWidth), sums[i]);
    }
    return folded(sums, [](Float a, Float b) { return add(a, b); });
  }

  static void sum_up(const Attention& c, const float* weights, const float* states, Index length,
                     float* context) {
    for (Index at = 0; at < c.memory; at += kBeside * kWidth) {
      const Index left = c.memory - at;
      Float sums[kBeside];
      SLUICEGATE_EACH(kBeside) sums[i] = fill(0.0f);
      for (Index j = 0; j < length; ++j) {
        const float* state = states + j * c.memory + at;
        const Float weight = fill(weights[j]);
        SLUICEGATE_EACH(kBeside)
        sums[i] = multiply_add(weight, load_up_to(state + i * kWidth, left - i * kWidth), sums[i]);
      }
      SLUICEGATE_EACH(kBeside) store_up_to(context + at + i * kWidth, sums[i], left - i * kWidth);
    }
  }
};

inline void attend(const Attention& call) {
  AttentionWork work{call};
  const Index queries = call.rows * call.queries;
  const double numbers =
      static_cast<double>(queries * call.steps) * static_cast<double>(call.hidden + call.memory / 8);
  run_tasks(static_cast<int>(queries), call.threads, numbers / (200.0 * kWidth), AttentionWork::task, &work);
}

}  // namespace sluicegate::SLUICEGATE_ISA
