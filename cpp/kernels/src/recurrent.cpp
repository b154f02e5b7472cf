// Splits a call over tiles and threads, and picks the instruction set.
#include "fxkit/kernels/recurrent.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <system_error>
#include <vector>

#include "flush_denormals.h"
#include "tile.h"

namespace fxkit::kernels {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t header_size = alignment / sizeof(float);

struct FreeAligned {
  void operator()(float* p) const { ::operator delete[](p, std::align_val_t{alignment}); }
};

// Uninitialised floats on a cache line of their own.
class Buffer {
 public:
  explicit Buffer(std::size_t size)
      : data_(static_cast<float*>(
            ::operator new[](std::max<std::size_t>(size, 1) * sizeof(float),
                             std::align_val_t{alignment}))) {}
  float* data() const { return data_.get(); }

 private:
  std::unique_ptr<float[], FreeAligned> data_;
};

std::size_t aligned(std::size_t size) { return (size + 15) / 16 * 16; }

const TileKernelTable& table(Isa isa) {
  switch (isa) {
#if defined(FXK_X86)
    case Isa::avx512:
      return avx512_kernels;
    case Isa::avx2:
      return avx2_kernels;
#endif
    default:
      return baseline_kernels;
  }
}

// The tile width that leaves the busiest thread the least to do; the wider one where they tie,
// because it uses every weight twice per load.
std::size_t choose_vectors(const TileKernels (&kernels)[tile_widths], std::size_t batch,
                           std::size_t threads) {
  std::size_t best = 1;
  std::size_t best_work = SIZE_MAX;
  for (std::size_t vectors = 1; vectors <= tile_widths; ++vectors) {
    const std::size_t lanes = kernels[vectors - 1].lanes;
    const std::size_t tiles = (batch + lanes - 1) / lanes;
    const std::size_t work = (tiles + threads - 1) / threads * vectors;
    if (work <= best_work) {
      best = vectors;
      best_work = work;
    }
  }
  return best;
}

struct Split {
  const TileKernels* kernels;
  std::size_t vectors, tiles, tile_slots;
};

Split split(Cell cell, const Shape& shape, std::size_t vectors, Isa isa) {
  const TileKernels& kernels = table(isa)[static_cast<int>(cell)][vectors - 1];
  const std::size_t tiles = (shape.batch + kernels.lanes - 1) / kernels.lanes;
  const std::size_t slots = shape.layers * (shape.time + 1) * kernels.slot_size(shape.hidden);
  return {&kernels, vectors, tiles, slots};
}

Split split_for(Cell cell, const Shape& shape, int threads, Isa isa) {
  return split(cell, shape,
               choose_vectors(table(isa)[static_cast<int>(cell)], shape.batch,
                              static_cast<std::size_t>(std::max(threads, 1))),
               isa);
}

// What `saved` begins with, so that `backward` reads it as `forward` wrote it.
struct Header {
  std::uint32_t magic, cell, isa, vectors;
  std::uint64_t batch, time, input, hidden, layers, outputs;
};

Header header_of(Cell cell, const Shape& shape, std::size_t vectors, Isa isa) {
  return {0x4b58'4601, static_cast<std::uint32_t>(cell), static_cast<std::uint32_t>(isa),
          static_cast<std::uint32_t>(vectors), shape.batch, shape.time, shape.input, shape.hidden,
          shape.layers, shape.outputs};
}

static_assert(sizeof(Header) <= header_size * sizeof(float));

Header read_header(const float* saved) {
  Header header;
  std::memcpy(&header, saved, sizeof header);
  return header;
}

std::size_t input_of(const Shape& shape, std::size_t layer) {
  return layer == 0 ? shape.input : shape.hidden;
}

// Runs work(0) ... work(count - 1), each on a thread of its own, the first on the caller's.
template <class Work>
void on_threads(std::size_t count, Work work) {
  std::vector<std::exception_ptr> errors(count);
  const auto guarded = [&](std::size_t i) {
    try {
      const FlushDenormals flush;
      work(i);
    } catch (...) {
      errors[i] = std::current_exception();
    }
  };
  {
    // Not std::jthread, which Apple's library does not have yet; a future waits as well when it goes.
    std::vector<std::future<void>> threads;
    threads.reserve(count);
    for (std::size_t i = 1; i < count; ++i) {
      try {
        threads.push_back(std::async(std::launch::async, guarded, i));
      } catch (const std::system_error&) {
        guarded(i);  // no more threads to be had: the caller does it
      }
    }
    guarded(0);
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

// A contiguous share of the tiles for each thread, always the same one.
std::size_t first_tile(std::size_t tiles, std::size_t threads, std::size_t thread) {
  return tiles * thread / threads;
}

std::size_t thread_count(std::size_t tiles, int threads) {
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), 1, tiles);
}

}  // namespace

std::size_t saved_size(Cell cell, const Shape& shape, int threads, Isa isa) {
  const Split parts = split_for(cell, shape, threads, isa);
  return header_size + parts.tiles * parts.tile_slots;
}

std::size_t saved_size_of(Cell cell, const Shape& shape, const float* saved, Isa isa) {
  const Header header = read_header(saved);
  if (header.vectors < 1 || header.vectors > tile_widths) return 0;
  const Header expected = header_of(cell, shape, header.vectors, isa);
  if (std::memcmp(&header, &expected, sizeof header) != 0) return 0;
  const Split parts = split(cell, shape, header.vectors, isa);
  return header_size + parts.tiles * parts.tile_slots;
}

void forward(Cell cell, const Shape& shape, const Forward& call, int threads, Isa isa) {
  const Split parts = split_for(cell, shape, threads, isa);
  const TileKernels& kernels = *parts.kernels;
  if (call.saved) {
    const Header header = header_of(cell, shape, parts.vectors, isa);
    std::memset(call.saved, 0, header_size * sizeof(float));
    std::memcpy(call.saved, &header, sizeof header);
  }

  std::vector<Buffer> packed;
  std::vector<const float*> packed_data;
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    const std::size_t input = input_of(shape, layer);
    packed.emplace_back(kernels.packed_size(input, shape.hidden));
    kernels.pack(input, shape.hidden, call.weights[layer], packed.back().data());
    packed_data.push_back(packed.back().data());
  }

  const std::size_t workers = thread_count(parts.tiles, threads);
  on_threads(workers, [&](std::size_t thread) {
    const Buffer scratch((shape.input + shape.outputs) * kernels.lanes);
    const Buffer ring(call.saved ? 0 : shape.layers * 2 * kernels.slot_size(shape.hidden));
    const std::size_t end = first_tile(parts.tiles, workers, thread + 1);
    for (std::size_t i = first_tile(parts.tiles, workers, thread); i < end; ++i) {
      const std::size_t item = i * kernels.lanes;
      const std::size_t state = item * shape.hidden;
      const bool lstm = cell == Cell::lstm;
      kernels.forward(ForwardTile{
          .shape = &shape,
          .items = std::min(kernels.lanes, shape.batch - item),
          .x = call.x + item * shape.time * shape.input,
          .hidden_state = call.hidden_state + state,
          .cell_state = lstm ? call.cell_state + state : nullptr,
          .y = call.y + item * shape.time * shape.width(),
          .last_hidden = call.last_hidden + state,
          .last_cell = lstm ? call.last_cell + state : nullptr,
          .packed = packed_data.data(),
          .slots = call.saved ? call.saved + header_size + i * parts.tile_slots : ring.data(),
          .keep = call.saved != nullptr,
          .scratch = scratch.data(),
          .readout = call.readout,
      });
    }
  });
}

void backward(Cell cell, const Shape& shape, const Backward& call, int threads, Isa isa) {
  const Split parts = split(cell, shape, read_header(call.saved).vectors, isa);
  const TileKernels& kernels = *parts.kernels;
  const std::size_t workers = thread_count(parts.tiles, threads);

  std::vector<Buffer> packed;
  std::vector<const float*> packed_data;
  std::vector<std::size_t> sums_at;  // where each layer's sums begin in a thread's buffer
  std::size_t sums_size = 0;
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    const std::size_t input = input_of(shape, layer);
    packed.emplace_back(kernels.backward_packed_size(input, shape.hidden));
    kernels.pack_backward(input, shape.hidden, call.weights[layer], packed.back().data());
    packed_data.push_back(packed.back().data());
    sums_at.push_back(sums_size);
    sums_size += aligned(kernels.sums_size(input, shape.hidden));
  }
  sums_at.push_back(sums_size);
  sums_size += kernels.readout_sums_size(shape.hidden, shape.outputs);
  std::vector<Buffer> sums;
  for (std::size_t i = 0; i < workers; ++i) sums.emplace_back(sums_size);

  on_threads(workers, [&](std::size_t thread) {
    const Buffer scratch(kernels.backward_scratch_size(shape));
    std::fill_n(sums[thread].data(), sums_size, 0.0f);
    std::vector<float*> layer_sums;
    for (const std::size_t at : sums_at) layer_sums.push_back(sums[thread].data() + at);
    const std::size_t end = first_tile(parts.tiles, workers, thread + 1);
    for (std::size_t i = first_tile(parts.tiles, workers, thread); i < end; ++i) {
      const std::size_t item = i * kernels.lanes;
      const std::size_t state = item * shape.hidden;
      const bool lstm = cell == Cell::lstm;
      kernels.backward(BackwardTile{
          .shape = &shape,
          .items = std::min(kernels.lanes, shape.batch - item),
          .x = call.x + item * shape.time * shape.input,
          .slots = call.saved + header_size + i * parts.tile_slots,
          .y_gradient = call.y_gradient + item * shape.time * shape.width(),
          .last_hidden_gradient = call.last_hidden_gradient + state,
          .last_cell_gradient = lstm ? call.last_cell_gradient + state : nullptr,
          .x_gradient =
              call.x_gradient ? call.x_gradient + item * shape.time * shape.input : nullptr,
          .hidden_state_gradient = call.hidden_state_gradient + state,
          .cell_state_gradient = lstm ? call.cell_state_gradient + state : nullptr,
          .packed = packed_data.data(),
          .sums = layer_sums.data(),
          .scratch = scratch.data(),
          .readout = call.readout,
      });
    }
  });

  for (std::size_t part = 0; part <= shape.layers; ++part) {
    std::vector<const float*> of_part;
    for (const Buffer& buffer : sums) of_part.push_back(buffer.data() + sums_at[part]);
    if (part < shape.layers) {
      kernels.finish(input_of(shape, part), shape.hidden, of_part.data(), of_part.size(),
                     call.weight_gradients[part]);
    } else {
      kernels.finish_readout(shape.hidden, shape.outputs, of_part.data(), of_part.size(),
                             call.readout_gradients);
    }
  }
}

}  // namespace fxkit::kernels
