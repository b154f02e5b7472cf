#define FXK_WIDTH 4
#include "define.h"

FXK_DEFINE_ENGINE_KERNELS(baseline_kernels);
