// The kernels of one instruction set; each isa_*.cpp includes this once, with FXK_WIDTH defined.
#pragma once

#include "conv.h"
#include "gru.h"
#include "lstm.h"
#include "pointwise.h"
#include "recurrent.h"

#define FXK_DEFINE_ENGINE_KERNELS(name)                                                   \
  const fxkit::engine::Kernels fxkit::engine::name = {                                    \
      recurrent_kernels<Gru>(), recurrent_kernels<Lstm>(), &Conv::pack, &Conv::run,       \
      &activate, &prelu, &gain, &add, &multiply, &multiply_add}
