// The table of kernels of one instruction set; each isa_*.cpp includes this once.
#pragma once

#include "gru.h"
#include "lstm.h"
#include "tile_backward.h"
#include "tile_forward.h"
#include "tile_readout.h"

namespace {

template <class Cell, int Vectors>
constexpr fxkit::kernels::TileKernels tile_kernels() {
  using Forward = TileForward<Cell, Vectors>;
  using Backward = TileBackward<Cell, Vectors>;
  return {Forward::lanes,        &Forward::Slot::size,   &Forward::packed_size,
          &Forward::pack,        &Forward::run,          &Backward::packed_size,
          &Backward::pack,       &Backward::scratch_size, &Backward::run,
          &Backward::sums_size,  &Backward::finish,
          &TileReadout<Vectors>::sums_size, &TileReadout<Vectors>::finish};
}

}  // namespace

#define FXK_DEFINE_KERNELS(name)                                              \
  const fxkit::kernels::TileKernelTable fxkit::kernels::name = {              \
      {tile_kernels<Gru, 1>(), tile_kernels<Gru, 2>()},                       \
      {tile_kernels<Lstm, 1>(), tile_kernels<Lstm, 2>()},                     \
  }
