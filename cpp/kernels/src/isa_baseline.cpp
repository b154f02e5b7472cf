#define FXK_WIDTH 4
#include "table.h"

FXK_DEFINE_KERNELS(baseline_kernels);
