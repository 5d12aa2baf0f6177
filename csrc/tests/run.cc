#include "run.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <thread>

#include "memory.h"
#include "sluicegate/scratch.h"

namespace sluicegate::test {
namespace {

using Layout = Arrangement::Layout;

// Where the rows of an array lie.
struct Places {
  const Problem& p;
  const Arrangement& a;
  std::vector<Index> order;  // where each row lies

  Places(const Problem& problem, const Arrangement& arrangement)
      : p(problem), a(arrangement), order(p.batch) {
    std::iota(order.begin(), order.end(), 0);
    Random random(a.seed);
    if (a.ordered)
      for (Index i = p.batch - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  }
  Index cells() const { return std::accumulate(p.lengths.begin(), p.lengths.end(), Index{0}); }
  Index offset(Index t) const {
    Index before = 0;
    for (Index s = 0; s < t; ++s) before += p.active(s);
    return before;
  }
  Index row_stride(Index width) const {
    if (a.layout != Layout::kBatchFirst) return width + a.row_gap;
    return p.steps * (width + a.row_gap) + a.step_gap;
  }
  Index step_stride(Index width) const {
    if (a.layout == Layout::kBatchFirst) return width + a.row_gap;
    return p.batch * (width + a.row_gap) + a.step_gap;
  }
  Index begin(Index width, Index t, Index i) const {
    if (a.layout == Layout::kPacked) return (offset(t) + order[i]) * row_stride(width);
    return t * step_stride(width) + order[i] * row_stride(width);
  }
  // Floats of the array, without what the last row would have after it.
  Index size(Index width) const {
    if (a.layout == Layout::kPacked) return cells() ? (cells() - 1) * row_stride(width) + width : 0;
    if (p.steps == 0 || p.batch == 0) return 0;
    return (p.steps - 1) * step_stride(width) + (p.batch - 1) * row_stride(width) + width;
  }
  template <class F>
  void each(F&& f) const {
    for (Index t = 0; t < p.steps; ++t)
      for (Index i = 0; i < p.active(t); ++i) f(t, i);
  }

  // Arrays made of the problem's numbers. What is no row's stays NaN.
  Array<float> put(const std::vector<float>& from, Index width) const {
    if (from.empty()) return {};
    Array<float> to(size(width));
    each([&](Index t, Index i) {
      for (Index j = 0; j < width; ++j) to[begin(width, t, i) + j] = from[(t * p.batch + i) * width + j];
    });
    return to;
  }
  Array<float> put_states(const std::vector<float>& from) const {
    if (from.empty()) return {};
    const Index hidden = p.shape.hidden;
    Array<float> to(p.batch * hidden);
    for (Index i = 0; i < p.batch; ++i)
      for (Index j = 0; j < hidden; ++j) to[order[i] * hidden + j] = from[i * hidden + j];
    return to;
  }
  // And back, after which the arrays must be as new. Of rows of `wide` floats, `width` from `left` on.
  std::vector<float> take(const Array<float>& from, Index wide, Index left, Index width) const {
    if (from.data() == nullptr) return {};
    std::vector<float> to(p.steps * p.batch * width);
    each([&](Index t, Index i) {
      for (Index j = 0; j < width; ++j)
        to[(t * p.batch + i) * width + j] = from.take(begin(wide, t, i) + left + j);
    });
    return to;
  }
  std::vector<float> take_states(const Array<float>& from) const {
    if (from.data() == nullptr) return {};
    const Index hidden = p.shape.hidden;
    std::vector<float> to(p.batch * hidden);
    for (Index i = 0; i < p.batch; ++i)
      for (Index j = 0; j < hidden; ++j) to[i * hidden + j] = from.take(order[i] * hidden + j);
    CHECK(from.all_untouched());
    return to;
  }
};

Array<float> copy(const std::vector<float>& from) {
  if (from.empty()) return {};
  Array<float> to(static_cast<Index>(from.size()));
  std::copy(from.begin(), from.end(), to.data());
  return to;
}

Array<float> room(bool there, Index count) { return there ? Array<float>(count) : Array<float>(); }

std::vector<float> take_all(const Array<float>& from) { return {from.data(), from.data() + from.count()}; }

// The arrays of one direction.
struct Arrays {
  Array<float> weights[4], panels, backward_panels, h0, c0, h_n, c_n, saved, cell_states;
  Array<float> h_n_gradient, c_n_gradient, input_gradient, h0_gradient, c0_gradient;
  Array<float> weight_gradients[4];
};

void copy_weights(const Numbers& n, Array<float> (&weights)[4]) {
  const std::vector<float>* const all[] = {&n.input_weights, &n.hidden_weights, &n.input_bias,
                                           &n.hidden_bias};
  for (int i = 0; i < 4; ++i) weights[i] = copy(*all[i]);
}

Weights weights_at(const Array<float> (&arrays)[4]) {
  return {arrays[0].data(), arrays[1].data(), arrays[2].data(), arrays[3].data()};
}

// Packs in arrays that are gone afterwards: whatever the kernels need of the weights is in the panels.
void pack(const Kernels& kernels, const Shape& shape, const Numbers& n, bool backward, Array<float>& panels) {
  Array<float> arrays[4];
  copy_weights(n, arrays);
  const Weights weights = weights_at(arrays);
  panels = Array<float>((backward ? kernels.backward_panels : kernels.forward_panels)(shape));
  (backward ? kernels.pack_backward : kernels.pack_forward)(shape, weights, panels.data());
  for (Index i = 0; i < panels.count(); ++i)
    if (panels.untouched(panels[i])) return fail(__FILE__, __LINE__, "a part of the panels was not written");
}

// Working memory is not to be relied on: there is NaN in it. Under the address sanitizer every call has a
// thread of its own instead, whose working memory is new and exactly as large as was asked for.
template <class F>
void with_doubtful_scratch(F&& call) {
  if constexpr (kAddressSanitizer) {
    std::thread(call).join();
    return;
  }
  if constexpr (!kThreadSanitizer) {  // which takes most of its time for this
    constexpr Index kFloats = 1 << 18;
    Scratch first(kFloats), second(kFloats);
    for (Scratch* scratch : {&first, &second})
      std::memset(scratch->take(kFloats), 0xff, kFloats * sizeof(float));
  }
  call();
}

class Run {
 public:
  Run(const Kernels& kernels, const Problem& problem, const Arrangement& arrangement, const Wanted& wanted)
      : kernels_(kernels),
        p_(problem),
        a_(arrangement),
        w_(wanted),
        places_(p_, a_),
        both_(static_cast<Index>(p_.directions.size()) * p_.shape.hidden),
        lengths_(p_.batch),
        order_(p_.batch),
        offsets_(p_.steps),
        input_(places_.put(p_.input, p_.shape.input)),
        output_(room(w_.output, places_.size(both_))) {
    call_.shape = p_.shape;
    call_.sequences.steps = p_.steps;
    call_.sequences.batch = p_.batch;
    std::copy(p_.lengths.begin(), p_.lengths.end(), lengths_.data());
    std::copy(places_.order.begin(), places_.order.end(), order_.data());
    for (Index t = 0; t < p_.steps; ++t) offsets_[t] = places_.offset(t);
    const bool whole =
        std::all_of(p_.lengths.begin(), p_.lengths.end(), [&](Index n) { return n == p_.steps; });
    if (!whole || a_.seed % 2) call_.sequences.lengths = lengths_.data();
    if (a_.ordered) call_.sequences.order = order_.data();
    if (a_.layout == Layout::kPacked) call_.sequences.offsets = offsets_.data();
    call_.input = grid<const float>(input_.data(), p_.shape.input);
    call_.directions = static_cast<int>(p_.directions.size());
    call_.every = a_.every;
  }

  Result<float> result() {
    forward();
    if (w_.backward) backward();
    Result<float> all;
    for (std::size_t d = 0; d < p_.directions.size(); ++d)
      all.directions.push_back(taken(static_cast<int>(d)));
    if (output_.data()) CHECK(output_.all_untouched());
    if (output_gradient_.data()) CHECK(output_gradient_.count() == places_.size(both_));
    return all;
  }

 private:
  template <class T>
  Grid<T> grid(T* data, Index width) const {
    const bool packed = a_.layout == Layout::kPacked;
    return {data, packed ? -1 : places_.step_stride(width), places_.row_stride(width)};
  }
  bool as_they_lie() const {
    return a_.as_they_lie && p_.shape.recurrent() && !a_.every && p_.shape.precision == Precision::kFp32;
  }
  Index cells() const { return a_.layout == Layout::kPacked ? places_.cells() : p_.steps * p_.batch; }

  void forward() {
    const Shape& s = p_.shape;
    const bool cell_state = s.traits().has_cell_state();
    for (int i = 0; i < call_.directions; ++i) {
      const Numbers& n = p_.directions[i];
      Arrays& own = own_[i];
      Direction& d = call_.direction[i];
      if (as_they_lie()) {
        copy_weights(n, own.weights);
        d.weights = weights_at(own.weights);
      } else {
        pack(kernels_, s, n, false, own.panels);
      }
      own.h0 = places_.put_states(n.h0);
      own.c0 = places_.put_states(n.c0);
      own.h_n = room(w_.h_n, p_.batch * s.hidden);
      own.c_n = room(cell_state && w_.c_n, p_.batch * s.hidden);
      own.saved = room(w_.backward && !a_.every, cells() * s.saved() * s.hidden);
      const Index chunks = a_.every ? (p_.steps + a_.every - 1) / a_.every : 0;
      own.cell_states = room(w_.backward && a_.every && cell_state, chunks * p_.batch * s.hidden);
      d.reverse = n.reverse;
      d.panels = own.panels.data();
      d.h0 = own.h0.data();
      d.c0 = own.c0.data();
      if (w_.output) d.output = grid(output_.data() + i * s.hidden, both_);
      d.h_n = own.h_n.data();
      d.c_n = own.c_n.data();
      d.saved = own.saved.data();
      d.cell_states = own.cell_states.data();
    }
    call_.threads = a_.threads;
    with_doubtful_scratch([this] { kernels_.forward(call_); });
  }

  void backward() {
    const Shape& s = p_.shape;
    const bool cell_state = s.traits().has_cell_state();
    gather_output_gradients();
    for (int i = 0; i < call_.directions; ++i) {
      const Numbers& n = p_.directions[i];
      Arrays& own = own_[i];
      Direction& d = call_.direction[i];
      if (!as_they_lie()) pack(kernels_, s, n, true, own.backward_panels);
      own.h_n_gradient = places_.put_states(n.h_n_gradient);
      own.c_n_gradient = places_.put_states(n.c_n_gradient);
      own.input_gradient = room(w_.input, places_.size(s.input));
      own.h0_gradient = room(w_.h0, p_.batch * s.hidden);
      own.c0_gradient = room(cell_state && w_.c0, p_.batch * s.hidden);
      const Index gates = s.gates() * s.hidden;
      own.weight_gradients[0] = room(w_.input_weights, gates * s.input);
      own.weight_gradients[1] = room(w_.hidden_weights && s.recurrent(), gates * s.hidden);
      own.weight_gradients[2] = room(w_.input_bias, gates);
      own.weight_gradients[3] = room(w_.hidden_bias && s.recurrent(), gates);
      if (!a_.every && s.recurrent()) d.panels = nullptr;
      d.h_n = d.c_n = nullptr;
      if (a_.states_from_saved && s.traits().saves_state() && !a_.every) {
        const Index width = s.saved() * s.hidden;
        d.output = {own.saved.data() + width - s.hidden, p_.batch * width, width};
      }
      d.backward_panels = own.backward_panels.data();
      if (!n.output_gradient.empty())
        d.output_gradient = grid<const float>(output_gradient_.data() + i * s.hidden, both_);
      d.h_n_gradient = own.h_n_gradient.data();
      d.c_n_gradient = own.c_n_gradient.data();
      if (w_.input) d.input_gradient = grid(own.input_gradient.data(), s.input);
      d.h0_gradient = own.h0_gradient.data();
      d.c0_gradient = own.c0_gradient.data();
      d.input_weight_gradient = own.weight_gradients[0].data();
      d.hidden_weight_gradient = own.weight_gradients[1].data();
      d.input_bias_gradient = own.weight_gradients[2].data();
      d.hidden_bias_gradient = own.weight_gradients[3].data();
    }
    call_.threads = a_.backward_threads ? a_.backward_threads : a_.threads;
    with_doubtful_scratch([this] { kernels_.backward(call_); });
  }

  // Side by side, as the outputs of the two directions are.
  void gather_output_gradients() {
    if (p_.directions[0].output_gradient.empty()) return;
    const Index hidden = p_.shape.hidden;
    output_gradient_ = Array<float>(places_.size(both_));
    for (int d = 0; d < call_.directions; ++d)
      places_.each([&](Index t, Index i) {
        for (Index j = 0; j < hidden; ++j)
          output_gradient_[places_.begin(both_, t, i) + d * hidden + j] =
              p_.directions[d].output_gradient[(t * p_.batch + i) * hidden + j];
      });
  }

  Result<float>::One taken(int i) const {
    const Arrays& own = own_[i];
    const Index hidden = p_.shape.hidden;
    Result<float>::One r;
    r.output = places_.take(output_, both_, i * hidden, hidden);
    r.h_n = places_.take_states(own.h_n);
    r.c_n = places_.take_states(own.c_n);
    if (!w_.backward) return r;
    r.input_gradient = places_.take(own.input_gradient, p_.shape.input, 0, p_.shape.input);
    if (own.input_gradient.data()) CHECK(own.input_gradient.all_untouched());
    r.h0_gradient = places_.take_states(own.h0_gradient);
    r.c0_gradient = places_.take_states(own.c0_gradient);
    r.input_weight_gradient = take_all(own.weight_gradients[0]);
    r.hidden_weight_gradient = take_all(own.weight_gradients[1]);
    r.input_bias_gradient = take_all(own.weight_gradients[2]);
    r.hidden_bias_gradient = take_all(own.weight_gradients[3]);
    return r;
  }

  const Kernels& kernels_;
  const Problem& p_;
  const Arrangement& a_;
  const Wanted& w_;
  const Places places_;
  const Index both_;  // units of all directions
  Array<Index> lengths_, order_, offsets_;
  Array<float> input_, output_, output_gradient_;
  Arrays own_[2];
  Call call_;
};

}  // namespace

Result<float> run(const Kernels& kernels, const Problem& problem, const Arrangement& arrangement,
                  const Wanted& wanted) {
  return Run(kernels, problem, arrangement, wanted).result();
}

Arrangement draw_arrangement(const Problem& p, Random& random) {
  Arrangement a;
  a.layout = random.one_of({Layout::kTimeFirst, Layout::kBatchFirst, Layout::kPacked});
  a.row_gap = random.one_in(2) ? 0 : random.below(20);
  a.step_gap = random.one_in(2) ? 0 : random.below(40);
  a.ordered = a.layout != Layout::kPacked && random.one_in(2);
  a.states_from_saved = random.one_in(2);
  a.as_they_lie = random.one_in(3);
  a.every = random.one_of({0, 0, 0, 1, 2, 3});
  a.threads = static_cast<int>(random.one_of({1, 2, 3}));
  a.backward_threads = random.one_in(4) ? static_cast<int>(random.one_of({1, 2, 3})) : 0;
  a.seed = random.bits();
  // A packed sequence begins with its longest row and has no step without one.
  if (a.layout == Layout::kPacked && (p.batch == 0 || p.lengths[0] < p.steps)) a.layout = Layout::kTimeFirst;
  return a;
}

Wanted draw_wanted(Random& random) {
  Wanted w;
  w.backward = !random.one_in(6);
  w.output = w.backward || !random.one_in(2);
  for (bool* one : {&w.h_n, &w.c_n, &w.input, &w.h0, &w.c0, &w.input_weights, &w.hidden_weights,
                    &w.input_bias, &w.hidden_bias})
    *one = !random.one_in(6);
  return w;
}

std::string name_of(const Arrangement& a) {
  constexpr const char* layouts[] = {"time first", "batch first", "packed"};
  std::ostringstream text;
  text << layouts[static_cast<int>(a.layout)] << ", gaps " << a.row_gap << " " << a.step_gap
       << (a.ordered ? ", ordered" : "") << (a.as_they_lie ? ", weights as they lie" : "")
       << (a.states_from_saved ? ", states from saved" : "") << ", every " << a.every << ", threads "
       << a.threads;
  if (a.backward_threads) text << " and " << a.backward_threads;
  return text.str();
}

const std::vector<const Kernels*>& all_kernels() {
  static const std::vector<const Kernels*> all = [] {
    std::vector<const Kernels*> found;
    for (const char* name : {"avx512_bf16", "avx512", "avx2", "neon", "scalar"})
      if (const Kernels* kernels = find_kernels(name)) found.push_back(kernels);
    return found;
  }();
  return all;
}

std::vector<const Kernels*> kernels_in_turn() {
  static std::size_t turn = 0;
  if (!kThreadSanitizer) return all_kernels();
  return {all_kernels()[turn++ % all_kernels().size()]};
}

}  // namespace sluicegate::test
