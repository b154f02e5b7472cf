// How rows are cut into register blocks: as many big ones as fit, then small ones.
#pragma once

#include "vector.h"

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr bool many_registers = true;  // 32 vector registers
#else
constexpr bool many_registers = false;  // 16
#endif

template <int Big, int Small>
struct Blocks {
  static size_t padded(size_t rows) {
    const size_t rest = rows % Big;
    return rows - rest + (rest + Small - 1) / Small * Small;
  }

  // Calls f(first row, integral_constant<int, rows in the block>).
  template <class F>
  FXK_INLINE static void each(size_t rows, F f) {
    size_t row = 0;
    for (; row + Big <= rows; row += Big) f(row, std::integral_constant<int, Big>{});
    for (; row < rows; row += Small) f(row, std::integral_constant<int, Small>{});
  }
};

}  // namespace
