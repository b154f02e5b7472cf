// A column of the hidden state times the recurrent weights, accumulated in registers.
#pragma once

#include "vector.h"

#define FXK_NOINLINE __attribute__((noinline))

namespace {

using std::size_t;

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int accumulators = 24;  // of 32 vector registers
#else
constexpr int accumulators = 12;  // of 16
#endif

// Whether so many sums are computed in one walk, of two streams too. In two walks the first one's
// activations would hide behind the second, but each walk reads the state; what gains is few sums, whose
// walk is short, and where there are not the registers.
constexpr bool sums_at_once(int sums) { return accumulators == 24 && sums > 4 && sums <= 12; }

// Columns are padded to a multiple of this, with zeros.
constexpr size_t column_unit = 4;

// An FMA takes 4 cycles and two can start in each: at least 8 sums must be under way.
constexpr int chains_for(int sums) { return sums >= 8 ? 1 : sums >= 4 ? 2 : 4; }

// total[s * N + v] += sum over k of weights[k][v] h[s][k]
//
// The weights lie in the order in which they are read, [columns, N vectors]. Every other sample
// walks them from the end: what does not fit into the first-level cache is then found there half of
// the time instead of never.
template <int N, int Streams>
FXK_INLINE void accumulate(const float* weights, size_t columns, const float* const (&h)[Streams],
                           bool backwards, Vec (&total)[N * Streams]) {
  constexpr int chains = chains_for(N * Streams);
  Vec sums[chains * N * Streams];
  unroll<N * Streams>([&](auto i) FXK_INLINE_LAMBDA { sums[i] = total[i]; });
  unroll<(chains - 1) * N * Streams>(
      [&](auto i) FXK_INLINE_LAMBDA { sums[N * Streams + i] = Vec{}; });
  std::ptrdiff_t k = backwards ? static_cast<std::ptrdiff_t>(columns) - chains : 0;
  const std::ptrdiff_t step = backwards ? -chains : chains;
  for (size_t done = 0; done < columns; done += chains, k += step) {
    const float* row = weights + k * (N * width);
    unroll<chains>([&](auto chain) FXK_INLINE_LAMBDA {
      Vec column[Streams];
      unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA { column[s] = splat(h[s][k + chain]); });
      unroll<N>([&](auto v) FXK_INLINE_LAMBDA {
        Vec w = load(row + (chain * N + v) * width);
        if constexpr (Streams > 1) w = in_register(w);
        unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
          sums[(chain * Streams + s) * N + v] += w * column[s];
        });
      });
    });
  }
  // As a tree: the activations wait for it.
  unroll<N * Streams>([&](auto i) FXK_INLINE_LAMBDA {
    constexpr int next = N * Streams;
    if constexpr (chains == 4) {
      total[i] = (sums[i] + sums[next + i]) + (sums[2 * next + i] + sums[3 * next + i]);
    } else if constexpr (chains == 2) {
      total[i] = sums[i] + sums[next + i];
    } else {
      total[i] = sums[i];
    }
  });
}

// Cuts `vectors` into as few blocks of at most `Max` as possible, equally large but for one.
template <int Max>
struct Blocks {
  size_t count, small, larger;

  explicit Blocks(size_t vectors)
      : count((vectors + Max - 1) / Max), small(vectors / count), larger(vectors % count) {}
  size_t first(size_t block) const { return block * small + (block < larger ? block : larger); }
  size_t size(size_t block) const { return small + (block < larger ? 1 : 0); }
};

// Calls f(integral_constant<int, n>) for 1 <= n <= Max.
template <int Max, class F>
FXK_INLINE void with_constant(size_t n, F f) {
  unroll<Max>([&](auto i) FXK_INLINE_LAMBDA {
    if (n == i + 1) f(std::integral_constant<int, i + 1>{});
  });
}

}  // namespace
