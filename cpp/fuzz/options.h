// Included once by each fuzzer: sanitizer settings that make an execution twice as cheap. Memory
// that was freed is handed out again sooner, and no stack of its allocation is kept.
#pragma once

extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:malloc_context_size=0:quarantine_size_mb=4:"
         "thread_local_quarantine_size_kb=64";
}
