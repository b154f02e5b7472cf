// Convolution with time along the vector lanes: a few outputs times a few vectors of frames in
// registers, every input loaded once for all of them. A dense layer has one tap.
#pragma once

#include "kernels.h"
#include "vector.h"

namespace {

using fxkit::engine::ConvCall;
using std::size_t;

// a b + c, rounded once where there is such an instruction. Spelled out, because Clang contracts
// some of the block sizes below and others not, and then the cut into blocks could be heard in the
// last bit.
FXK_INLINE Vec fused(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_fmadd_ps(reinterpret_cast<__m512>(a),
                                               reinterpret_cast<__m512>(b),
                                               reinterpret_cast<__m512>(c)));
#elif defined(__FMA__)
  return reinterpret_cast<Vec>(_mm256_fmadd_ps(reinterpret_cast<__m256>(a),
                                               reinterpret_cast<__m256>(b),
                                               reinterpret_cast<__m256>(c)));
#elif defined(__aarch64__)
  return reinterpret_cast<Vec>(vfmaq_f32(reinterpret_cast<float32x4_t>(c),
                                         reinterpret_cast<float32x4_t>(a),
                                         reinterpret_cast<float32x4_t>(b)));
#else
  return a * b + c;
#endif
}

struct Conv {
#if defined(__AVX512F__) || defined(__aarch64__)
  static constexpr int outputs = 4, vectors = 4;
#else
  static constexpr int outputs = 4, vectors = 2;
#endif

  // Blocks of outputs of falling size; each block [taps, inputs, outputs in it].
  static void pack(const float* weight, size_t output_count, size_t inputs, size_t taps,
                   float* out) {
    each_block<outputs>(0, output_count, [&](size_t first, auto count) {
      for (size_t j = 0; j < taps; ++j) {
        for (size_t i = 0; i < inputs; ++i) {
          for (size_t o = first; o < first + count; ++o) {
            *out++ = weight[(o * inputs + i) * taps + j];
          }
        }
      }
    });
  }

  static void run(const ConvCall& call) {
    if (call.step == 1) {
      run_blocks<false>(call);
    } else {
      run_blocks<true>(call);
    }
  }

 private:
  template <int Size, class F>
  static FXK_INLINE void each_block(size_t first, size_t end, F f) {
    for (; first + Size <= end; first += Size) f(first, std::integral_constant<int, Size>{});
    if constexpr (Size > 1) each_block<Size / 2>(first, end, f);
  }

  template <bool Strided>
  static FXK_INLINE void run_blocks(const ConvCall& call) {
    const float* weights = call.weights;
    const size_t vector_count = (call.frames + width - 1) / width;
    each_block<outputs>(0, call.outputs, [&](size_t output, auto count) {
      each_block<vectors>(0, vector_count, [&](size_t vector, auto size) {
        block<count, size, Strided>(call, weights, output, vector * width);
      });
      weights += call.tap_count * call.inputs * count;
    });
  }

  // Of a stride only the frames that exist are read: the next ones may be far away.
  template <bool Strided>
  static FXK_INLINE Vec input(const float* x, size_t step, size_t frames) {
    if constexpr (!Strided) return load_unaligned(x);
    Vec gathered{};
    for (size_t i = 0; i < width && i < frames; ++i) gathered[i] = x[i * step];
    return gathered;
  }

  template <int Outputs, int Size, bool Strided>
  static FXK_INLINE void block(const ConvCall& call, const float* weights, size_t output,
                               size_t frame) {
    Vec sums[Outputs * Size];
    unroll<Outputs>([&](auto o) FXK_INLINE_LAMBDA {
      const Vec bias = splat(call.bias ? call.bias[output + o] : 0.0f);
      unroll<Size>([&](auto v) FXK_INLINE_LAMBDA { sums[o * Size + v] = bias; });
    });
    for (size_t j = 0; j < call.tap_count; ++j) {
      const float* x = call.x + call.taps[j] + frame * (Strided ? call.step : 1);
      for (size_t i = 0; i < call.inputs; ++i, x += call.x_stride, weights += Outputs) {
        Vec in[Size];
        unroll<Size>([&](auto v) FXK_INLINE_LAMBDA {
          in[v] = input<Strided>(x + v * width * (Strided ? call.step : 1), call.step,
                                 call.frames - frame - v * width);
        });
        unroll<Outputs>([&](auto o) FXK_INLINE_LAMBDA {
          const Vec w = splat(weights[o]);
          unroll<Size>([&](auto v) FXK_INLINE_LAMBDA {
            sums[o * Size + v] = fused(w, in[v], sums[o * Size + v]);
          });
        });
      }
    }
    unroll<Outputs>([&](auto o) FXK_INLINE_LAMBDA {
      const size_t row = (output + o) * call.y_stride + frame;
      unroll<Size>([&](auto v) FXK_INLINE_LAMBDA {
        Vec sum = sums[o * Size + v];
        if (call.add) sum += load(call.add + row + v * width);
        store(call.y + row + v * width, sum);
      });
    });
  }
};

}  // namespace
