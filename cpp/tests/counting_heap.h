// Counts the calls of the heap: include it in one file of an executable, on Linux, without sanitizers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace test {

inline std::atomic<long> heap_taken{0}, heap_freed{0};

// Calls that `f` makes.
template <class F>
long heap_calls(F f) {
  const long before = heap_taken + heap_freed;
  f();
  return heap_taken + heap_freed - before;
}

// What has been taken and not given back.
inline long heap_balance() { return heap_taken - heap_freed; }

}  // namespace test

// glibc's malloc by its other name, so that C code is counted as well. Operator new ends up here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) { ++test::heap_taken; return __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) {
  ++test::heap_taken;
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  ++test::heap_taken;
  if (p) ++test::heap_freed;
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) {
  ++test::heap_taken;
  return __libc_memalign(align, size);
}
void free(void* p) {
  if (p) ++test::heap_freed;
  __libc_free(p);
}
}
