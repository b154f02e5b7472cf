// Swapping Sounds while they play.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fxkit/host/slot.h"
#include "host_models.h"
#include "test.h"

namespace {

using fxkit::host::Slot;
using fxkit::host::Sound;
using Samples = std::vector<float>;

constexpr std::uint32_t rate = 48000;
constexpr std::size_t fade = 960;  // 20 ms

struct Models {
  test::Folder folder;
  std::string file(float gain, std::uint32_t sample_rate = rate, std::size_t latency = 0) const {
    return folder.file("m.fxkit", test::gain(gain, sample_rate, latency).bytes());
  }
  std::unique_ptr<Sound> sound(float gain, std::uint32_t sample_rate = rate,
                               std::size_t latency = 0) const {
    auto sound = Sound::open(file(gain, sample_rate, latency));
    sound->prepare(rate, 64, 1);
    return sound;
  }
};

// Plays a constant 1 and returns what comes out.
Samples play(Slot& slot, std::size_t frames, std::size_t block = 64) {
  Samples y(frames, 1.0f);
  for (std::size_t at = 0; at < frames; at += block) {
    float* row = y.data() + at;
    slot.process(&row, &row, std::min(block, frames - at));
  }
  return y;
}

TEST(without_a_sound_the_input_passes) {
  Slot slot;
  slot.prepare(rate, 64, 2);
  const Samples a{0.1f, 0.2f}, b{0.3f, 0.4f};
  Samples c(2), d(2);
  const float* in[] = {a.data(), b.data()};
  float* out[] = {c.data(), d.data()};
  slot.process(in, out, 2);
  CHECK(c == a && d == b && slot.latency() == 0 && !slot.busy());
}

TEST(a_sound_fades_in_on_a_straight_line) {
  const Models models;
  for (const std::size_t block : {1, 64, 333, 5000}) {
    Slot slot;
    slot.prepare(rate, 64, 1);
    slot.offer(models.sound(0.5f));
    CHECK(slot.busy());
    const Samples y = play(slot, 3000, block);
    CHECK(!slot.busy());
    for (std::size_t t = 0; t < y.size(); ++t) {
      const float share = std::min(1.0f, static_cast<float>(t + 1) / fade);
      if (std::abs(y[t] - (1 - 0.5f * share)) > 1e-6f) {
        CHECK_MORE(false, std::to_string(t) + ": " + std::to_string(y[t]));
        break;
      }
    }
    slot.offer(nullptr);
    CHECK(std::abs(play(slot, 2000, block).back() - 1.0f) < 1e-7f);
  }
}

TEST(a_late_sound_is_waited_for) {
  // At another rate and with a latency of its own: nothing but the fade is heard of it.
  const Models models;
  Slot slot;
  slot.prepare(rate, 64, 1);
  auto sound = models.sound(0.5f, 44100, 3000);
  const std::size_t latency = sound->latency();
  CHECK(latency > 3000);
  slot.offer(std::move(sound));
  const Samples y = play(slot, latency + 2 * fade, 100);
  CHECK(slot.latency() == latency);
  for (std::size_t t = 0; t < latency; ++t) {
    if (y[t] != 1.0f) {
      CHECK_MORE(false, std::to_string(t));
      break;
    }
  }
  float step = 0;
  for (std::size_t t = 1; t < y.size(); ++t) step = std::max(step, std::abs(y[t] - y[t - 1]));
  CHECK_MORE(step < 0.002f, std::to_string(step));
  CHECK(std::abs(y.back() - 0.5f) < 1e-3f);
}

TEST(of_several_the_newest_wins) {
  const Models models;
  Slot slot;
  slot.prepare(rate, 64, 1);
  for (const float gain : {0.1f, 0.2f, 0.3f}) slot.offer(models.sound(gain));
  CHECK(std::abs(play(slot, 2000).back() - 0.3f) < 1e-6f);
  // While a fade runs, the next one waits for its end.
  slot.offer(models.sound(0.4f));
  play(slot, 64);
  slot.offer(models.sound(0.5f));
  slot.offer(models.sound(0.6f));
  const Samples y = play(slot, 3000);
  CHECK(std::abs(*std::max_element(y.begin(), y.begin() + 800) - 0.4f) < 0.02f);
  CHECK(std::abs(y.back() - 0.6f) < 1e-6f);
  slot.collect();
}

TEST(prepare_prepares_what_plays_and_what_waits) {
  const Models models;
  Slot slot;
  slot.prepare(rate, 64, 1);
  slot.offer(models.sound(0.5f, 44100));
  play(slot, 2000);
  slot.offer(models.sound(0.25f, 44100));
  slot.prepare(44100, 128, 1);
  CHECK(slot.latency() == 0);  // the rates are equal now
  CHECK(std::abs(play(slot, 3000).back() - 0.25f) < 1e-6f);
}

TEST(reset_ends_a_fade) {
  const Models models;
  Slot slot;
  slot.prepare(rate, 64, 1);
  slot.offer(models.sound(0.5f));
  play(slot, 10);
  slot.reset();
  CHECK(!slot.busy());
  CHECK(play(slot, 10) == Samples(10, 0.5f));
}

TEST(a_knob_reaches_the_newest) {
  const Models models;
  const auto path = models.folder.file("k.fxkit", test::knob(rate).bytes());
  Slot slot;
  slot.prepare(rate, 64, 1);
  auto sound = Sound::open(path);
  sound->prepare(rate, 64, 1);
  slot.offer(std::move(sound));
  play(slot, 2000);
  slot.set_control(0, 1.0f);
  slot.set_control(1000, 1.0f);  // nothing happens
  CHECK(std::abs(play(slot, 3000).back() - 2.0f) < 1e-6f);
}

// One thread plays a sine, another offers Sounds as fast as it can, a third collects.
TEST(two_hundred_swaps_while_playing) {
  const Models models;
  const std::string paths[] = {models.folder.file("a.fxkit", test::gain(0.9f, rate).bytes()),
                               models.folder.file("b.fxkit", test::gain(-0.4f, 44100, 50).bytes()),
                               models.folder.file("c.fxkit", test::late_gru(10, 96000).bytes())};
  Slot slot;
  slot.prepare(rate, 64, 2);
  std::atomic<bool> done{false};
  std::atomic<int> swapped{0};
  std::thread loader([&] {
    // Each is offered when the one before has been taken, but for every tenth, which overtakes it.
    for (int i = 0; i < 200; ++i) {
      auto sound = i % 7 == 6 ? nullptr : Sound::open(paths[i % 3]);
      if (sound) sound->prepare(rate, 64, 2);
      slot.offer(std::move(sound));
      if (i % 10 != 0) {
        while (slot.busy() && !done) std::this_thread::yield();
      }
      slot.set_control(0, 0.5f);
      swapped = i + 1;
    }
  });
  std::thread collector([&] {
    while (!done) {
      slot.collect();
      std::this_thread::yield();
    }
  });
  const double frequency = 100;
  const float slope = 2 * 3.14159f * frequency / rate;
  // A fade adds the difference of two signals, at most 2 full scales each, over its length.
  const float allowed = 4 * slope + 4.0f / fade;
  float before[2] = {0, 0}, worst = 0;
  bool finite = true;
  std::size_t clock = 0;
  const std::size_t blocks[] = {64, 1, 17, 300};
  for (std::size_t i = 0; swapped < 200 || slot.busy(); ++i) {
    const std::size_t size = blocks[i % 4];
    float left[300], right[300];
    for (std::size_t t = 0; t < size; ++t) {
      const double turns = std::fmod(frequency * static_cast<double>(clock + t) / rate, 1.0);
      left[t] = static_cast<float>(0.5 * std::sin(2 * 3.141592653589793 * turns));
      right[t] = -left[t];
    }
    clock += size;
    float* rows[] = {left, right};
    slot.process(rows, rows, size);
    for (std::size_t c = 0; c < 2; ++c) {
      for (std::size_t t = 0; t < size; ++t) {
        finite = finite && std::isfinite(rows[c][t]);
        worst = std::max(worst, std::abs(rows[c][t] - before[c]));
        before[c] = rows[c][t];
      }
    }
  }
  done = true;
  loader.join();
  collector.join();
  CHECK(finite);
  CHECK_MORE(worst < allowed, std::to_string(worst) + " of " + std::to_string(allowed));
}

}  // namespace
