// The audio thread's calls must not touch the heap; and the counter that says so must count.
#include <atomic>
#include <cstdlib>
#include <new>

#include "fxkit/fxkit.hpp"
#include "models.h"
#include "test.h"

namespace {

std::atomic<long> calls{0};

}  // namespace

// glibc's malloc by its other name, so that C code is counted as well. Operator new ends up here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) { ++calls; return __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) { ++calls; return __libc_calloc(count, size); }
void* realloc(void* p, std::size_t size) { ++calls; return __libc_realloc(p, size); }
void* aligned_alloc(std::size_t align, std::size_t size) { ++calls; return __libc_memalign(align, size); }
void free(void* p) { if (p) ++calls; __libc_free(p); }
}

namespace {

template <class F>
long count(F f) {
  const long before = calls;
  f();
  return calls - before;
}

TEST(the_counter_counts) {
  CHECK(count([] {}) == 0);
  CHECK(count([] { std::free(std::malloc(10)); }) == 2);
  CHECK(count([] { ::operator delete(::operator new(10)); }) == 2);
  CHECK(count([] {
          auto* p = ::operator new(100, std::align_val_t{64});
          ::operator delete(p, std::align_val_t{64});
        }) == 2);
  CHECK(count([] { std::vector<float> v(100); }) == 2);
}

TEST(playing_allocates_nothing) {
  for (auto& [name, file] : test::all_models()) {
    file.add_probe();
    const std::string bytes = file.bytes();
    auto engine = fxkit::Engine::open(bytes.data(), bytes.size());
    engine.prepare(48000, 64, 2);
    const auto x = file.noise(1000, 0.5);
    std::vector<float> y(1000), z(1000);
    const float* in[] = {x.data(), x.data()};
    float* out[] = {y.data(), z.data()};
    const long used = count([&] {
      for (const std::size_t n : {64, 1, 0, 7, 1000}) engine.process(in, out, n);
      engine.set_control(0, 0.9f);
      engine.process(in, out, 64);
      engine.reset();
      engine.process(in, out, 64);
    });
    CHECK_MORE(used == 0, name + ": " + std::to_string(used));
  }
}

}  // namespace
