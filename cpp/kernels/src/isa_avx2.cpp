#define FXK_WIDTH 8
#include "table.h"

FXK_DEFINE_KERNELS(avx2_kernels);
