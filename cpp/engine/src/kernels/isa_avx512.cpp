#define FXK_WIDTH 16
#include "define.h"

FXK_DEFINE_ENGINE_KERNELS(avx512_kernels);
