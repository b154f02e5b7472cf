// Counts the calls of the heap: include it in one file of an executable, on Linux, without sanitizers.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace test {

inline std::atomic<long> heap_taken{0}, heap_freed{0};
inline thread_local long heap_of_thread = 0;

inline void heap_took() {
  ++heap_taken;
  ++heap_of_thread;
}

inline void heap_gave_back() {
  ++heap_freed;
  ++heap_of_thread;
}

// Calls that `f` makes on this thread.
template <class F>
long heap_calls(F f) {
  const long before = heap_of_thread;
  f();
  return heap_of_thread - before;
}

// Calls of all threads while `f` runs.
template <class F>
long heap_calls_of_all(F f) {
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

void* malloc(std::size_t size) {
  test::heap_took();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  test::heap_took();
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  test::heap_took();
  if (p) test::heap_gave_back();
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) {
  test::heap_took();
  return __libc_memalign(align, size);
}
void* memalign(std::size_t align, std::size_t size) {
  test::heap_took();
  return __libc_memalign(align, size);
}
int posix_memalign(void** p, std::size_t align, std::size_t size) {
  test::heap_took();
  *p = __libc_memalign(align, size);
  return *p ? 0 : ENOMEM;
}
void free(void* p) {
  if (p) test::heap_gave_back();
  __libc_free(p);
}
}
