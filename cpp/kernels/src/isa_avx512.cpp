#define FXK_WIDTH 16
#include "table.h"

FXK_DEFINE_KERNELS(avx512_kernels);
