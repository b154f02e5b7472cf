// The audio thread's calls must not touch the heap; and the counter that says so must count.
#include <cstdlib>
#include <new>

#include "counting_heap.h"
#include "fxkit/fxkit.hpp"
#include "models.h"
#include "test.h"

namespace {

TEST(the_counter_counts) {
  CHECK(test::heap_calls([] {}) == 0);
  CHECK(test::heap_calls([] { std::free(std::malloc(10)); }) == 2);
  CHECK(test::heap_calls([] { ::operator delete(::operator new(10)); }) == 2);
  CHECK(test::heap_calls([] {
          auto* p = ::operator new(100, std::align_val_t{64});
          ::operator delete(p, std::align_val_t{64});
        }) == 2);
  CHECK(test::heap_calls([] { std::vector<float> v(100); }) == 2);
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
    const long used = test::heap_calls([&] {
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
