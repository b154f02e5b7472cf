#define FXK_WIDTH 8
#include "define.h"

FXK_DEFINE_ENGINE_KERNELS(avx2_kernels);
