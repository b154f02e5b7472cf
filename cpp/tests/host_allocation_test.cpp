// What hosts a model must not touch the heap on the audio thread, and give back all it took.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "backend_library.h"
#include "counting_heap.h"
#include "fxkit/host/slot.h"
#include "host_models.h"
#include "test.h"
#include "window_source.h"

namespace {

using fxkit::host::Slot;
using fxkit::host::Sound;
using fxkit::host::WindowProgram;
using fxkit::host::WindowSource;

std::unique_ptr<Sound> prepared(const std::string& path) {
  auto sound = Sound::open(path);
  sound->prepare(44100, 64, 2);
  return sound;
}

TEST(the_counter_counts) {
  CHECK(test::heap_calls([] {}) == 0);
  CHECK(test::heap_calls([] { std::vector<float> v(100); }) == 2);
  const auto elsewhere = [] { std::thread([] { std::vector<float> v(100); }).join(); };
  CHECK(test::heap_calls_of_all(elsewhere) >= test::heap_calls(elsewhere) + 2);
  const long before = test::heap_balance();
  auto kept = std::make_unique<int>(1);
  CHECK(test::heap_balance() == before + 1);
}

TEST(playing_swapping_and_turning_allocate_nothing) {
  const test::Folder folder;
  const std::string paths[] = {folder.file("a.fxkit", test::late_gru(100, 48000).bytes()),
                               folder.file("b.fxkit", test::knob(44100).bytes()),
                               folder.file("c.fxkit", test::gain(0.5f, 44101).bytes())};
  Slot slot;
  slot.prepare(44100, 64, 2);
  std::vector<float> left(5000, 0.1f), right(5000, 0.2f);
  float* rows[] = {left.data(), right.data()};
  for (int i = 0; i < 9; ++i) {
    slot.offer(i % 4 == 3 ? nullptr : prepared(paths[i % 3]));
    const long calls = test::heap_calls([&] {
      for (const std::size_t n : {64, 1, 0, 7, 5000, 64}) slot.process(rows, rows, n);
      slot.set_control(0, 0.9f);
      slot.set_offline(i % 2 == 0);
      slot.process(rows, rows, 64);
      slot.reset();
      slot.process(rows, rows, 64);
    });
    CHECK_MORE(calls == 0, std::to_string(calls));
  }
}

// The worker has its first window behind it when the counting begins.
TEST(windows_allocate_nothing_on_either_thread) {
  constexpr std::size_t window = 512, hop = 256;
  for (const bool offline : {false, true}) {
    WindowSource source(std::make_unique<WindowProgram>(fxkit::host::find_backend("fake"),
                                                        "gain 512 1 200"),
                        {48000, window, hop, {0.5f}});
    source.prepare(64, 2);
    source.set_offline(offline);
    std::vector<float> left(2000, 0.1f), right(2000, 0.2f);
    float* rows[] = {left.data(), right.data()};
    const auto play = [&] {
      for (const std::size_t n : {64, 1, 0, 7, 2000, 64}) {
        source.process(rows, rows, n);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    };
    play();
    const long calls = test::heap_calls_of_all([&] {
      for (int i = 0; i < 20; ++i) {
        play();
        source.set_control(0, 0.05f * static_cast<float>(i));
        if (i % 7 == 6) source.reset();
      }
    });
    CHECK_MORE(calls == 0, std::to_string(calls));
  }
}

TEST(nothing_is_leaked) {
  const test::Folder folder;
  const auto path = folder.file("a.fxkit", test::late_gru(10, 48000).bytes());
  std::vector<float> x(64, 0.1f);
  float* rows[] = {x.data(), x.data()};
  const auto swap = [&] {
    Slot slot;
    slot.prepare(44100, 64, 2);
    for (int i = 0; i < 20; ++i) {
      slot.offer(prepared(path));
      if (i % 3 == 0) slot.offer(prepared(path));
      for (int n = 0; n < i; ++n) slot.process(rows, rows, 64);
      if (i % 5 == 0) slot.collect();
    }
  };
  swap();  // what the library keeps for good
  const long before = test::heap_balance();
  swap();
  CHECK_MORE(test::heap_balance() == before, std::to_string(test::heap_balance() - before));
}

}  // namespace
