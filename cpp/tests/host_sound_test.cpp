// A Sound against the same steps taken one by one over the whole signal.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "fxkit/host/resampler.h"
#include "fxkit/host/sound.h"
#include "host_models.h"
#include "test.h"

namespace {

using fxkit::host::Resampler;
using fxkit::host::Sound;
using Samples = std::vector<float>;

constexpr std::uint32_t model_rate = 48000;

Samples noise(std::size_t count, unsigned seed = 4) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-0.7f, 0.7f);
  Samples x(count);
  for (float& v : x) v = uniform(random);
  return x;
}

Samples play(Sound& sound, const Samples& x, const std::vector<std::size_t>& blocks) {
  Samples y = x;  // in place
  for (std::size_t at = 0, i = 0; at < x.size(); ++i) {
    const std::size_t size = std::min(blocks[i % blocks.size()], x.size() - at);
    float* const row = y.data() + at;
    sound.process(&row, &row, size);
    at += size;
  }
  return y;
}

Samples converted(const Samples& x, std::uint32_t from, std::uint32_t to) {
  if (from == to) return x;
  Resampler resampler(from, to, 1);
  Samples y(resampler.max_outputs(x.size()));
  const float* in = x.data();
  float* out = y.data();
  y.resize(resampler.process(&in, x.size(), &out));
  return y;
}

// What `fxkit render` does: there, the model, without its latency, and back.
Samples rendered(const std::string& path, const Samples& x, std::uint32_t rate) {
  auto engine = fxkit::Engine::open(path);
  Samples inside = converted(x, rate, model_rate);
  engine.prepare(model_rate, 64, 1);
  float* const row = inside.data();
  engine.process(&row, &row, inside.size());
  const std::size_t late = std::min(engine.latency(), inside.size());
  inside.erase(inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(late));
  return converted(inside, model_rate, rate);
}

constexpr std::uint32_t rates[] = {44100, 48000, 88200, 96000, 192000, 8000, 44101, 47999, 1000};

TEST(the_output_is_the_rendering_delayed_by_the_latency) {
  const test::Folder folder;
  for (const std::size_t model_latency : {0u, 1u, 333u, 5000u}) {
    const auto path = folder.file("m.fxkit", test::late_gru(model_latency, model_rate).bytes());
    const auto sound = Sound::open(path);
    for (const std::uint32_t rate : rates) {
      const std::string what = std::to_string(rate) + " Hz, " + std::to_string(model_latency);
      const Samples x = noise(std::max<std::size_t>(rate / 4, 3000));
      sound->prepare(rate, 512, 1);
      const std::size_t latency = sound->latency();
      const Samples y = play(*sound, x, {1, 64, 4096, 0, 7, 500});
      const Samples wanted = rendered(path, x, rate);
      CHECK_MORE(wanted.size() + latency >= x.size(), what);
      bool same = true;
      for (std::size_t i = 0; i < std::min(latency, y.size()) && same; ++i) same = y[i] == 0;
      for (std::size_t i = latency; i < y.size() && same; ++i) same = y[i] == wanted[i - latency];
      CHECK_MORE(same, what);
      // And in other blocks, after a reset.
      sound->reset();
      CHECK_MORE(play(*sound, x, {333, 4096, 2}) == y, what);
    }
  }
}

TEST(with_equal_rates_the_output_is_the_engines) {
  const test::Folder folder;
  const auto path = folder.file("m.fxkit", test::late_gru(20, model_rate).bytes());
  const auto sound = Sound::open(path);
  sound->prepare(model_rate, 64, 1);
  CHECK(sound->latency() == 20);
  const Samples x = noise(2000);
  auto engine = fxkit::Engine::open(path);
  engine.prepare(model_rate, 64, 1);
  Samples wanted(x.size());
  const float* in = x.data();
  float* out = wanted.data();
  engine.process(&in, &out, x.size());
  CHECK(play(*sound, x, {100, 1, 1000}) == wanted);
}

TEST(no_smaller_latency_would_do) {
  const test::Folder folder;
  for (const std::size_t model_latency : {0u, 7u, 1000u}) {
    const auto path = folder.file("m.fxkit", test::gain(1, model_rate, model_latency).bytes());
    const auto sound = Sound::open(path);
    for (const std::uint32_t rate : rates) {
      if (rate == model_rate) continue;
      sound->prepare(rate, 512, 1);
      const Resampler there(rate, model_rate, 1), back(model_rate, rate, 1);
      // The largest lag of what can be made, input by input, over two periods behind the start.
      const std::uint64_t start = 4 * (there.reach() + back.reach() + model_latency) * there.down();
      std::uint64_t most = 0;
      for (std::uint64_t n = start; n < start + 2 * there.down(); ++n) {
        const std::uint64_t inside = there.outputs_of(n) - model_latency;
        most = std::max(most, n - back.outputs_of(inside));
      }
      CHECK_MORE(sound->latency() == most,
                 std::to_string(rate) + ": " + std::to_string(sound->latency()) + ", not " +
                     std::to_string(most));
    }
  }
}

TEST(channels_have_their_own_memory) {
  const test::Folder folder;
  const auto sound = Sound::open(folder.file("m.fxkit", test::late_gru(3, model_rate).bytes()));
  const Samples a = noise(3000, 1), b = noise(3000, 2);
  for (const double rate : {44100.0, 48000.0}) {
    sound->prepare(rate, 512, 2);
    Samples left(3000), right(3000);
    const float* in[] = {a.data(), b.data()};
    float* out[] = {left.data(), right.data()};
    sound->process(in, out, 3000);
    sound->prepare(rate, 512, 1);
    const Samples one = play(*sound, a, {3000});
    sound->reset();
    const Samples two = play(*sound, b, {3000});
    for (std::size_t i = 0; i < 3000; ++i) {
      // Two streams of a recurrent layer are summed in another order than one.
      if (std::abs(left[i] - one[i]) > 1e-6f || std::abs(right[i] - two[i]) > 1e-6f) {
        CHECK_MORE(false, std::to_string(i));
        break;
      }
    }
  }
}

TEST(a_knob_turns) {
  const test::Folder folder;
  const auto sound = Sound::open(folder.file("m.fxkit", test::knob(model_rate).bytes()));
  CHECK(sound->info().knobs.size() == 1 && sound->info().knobs[0].name == "knob 0");
  CHECK(sound->info().knobs[0].standard == 0.25f);
  for (const double rate : {44100.0, 48000.0}) {
    sound->set_control(0, 0.25f);
    sound->prepare(rate, 512, 1);
    const Samples silence(4000, 0.0f);
    CHECK(std::abs(play(*sound, silence, {512}).back() - 0.25f) < 1e-5f);
    sound->set_control(0, 0.75f);
    sound->set_control(5, 1.0f);
    CHECK(std::abs(play(*sound, silence, {512}).back() - 0.75f) < 1e-5f);
  }
}

TEST(what_is_not_a_number_does_no_harm) {
  const test::Folder folder;
  for (const auto& file : {test::late_gru(0, model_rate), test::gain(1e36f, model_rate)}) {
    const auto sound = Sound::open(folder.file("m.fxkit", file.bytes()));
    for (const double rate : {44100.0, 48000.0}) {
      sound->prepare(rate, 512, 1);
      const Samples x = noise(4000);
      Samples bad = x;
      bad[10] = std::numeric_limits<float>::quiet_NaN();
      bad[11] = std::numeric_limits<float>::infinity();
      bad[12] = 1e38f;
      const Samples y = play(*sound, bad, {64});
      const bool finite = std::all_of(y.begin(), y.end(), [](float v) { return std::isfinite(v); });
      CHECK(finite);
      // It still plays.
      CHECK(*std::max_element(y.end() - 100, y.end()) > 0);
    }
  }
}

TEST(before_prepare_it_is_silent_and_bad_values_are_refused) {
  const test::Folder folder;
  const auto sound = Sound::open(folder.file("m.fxkit", test::gain(1, model_rate).bytes()));
  Samples x(10, 1.0f);
  float* row = x.data();
  sound->process(&row, &row, 10);
  CHECK(x == Samples(10, 0.0f));
  const auto refused = [&](double rate, std::size_t block, std::size_t channels) {
    try {
      sound->prepare(rate, block, channels);
    } catch (const fxkit::Error&) {
      return true;
    }
    return false;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refused(0, 64, 1) && refused(nan, 64, 1) && refused(2e6, 64, 1));
  CHECK(refused(48000, 64, 0) && refused(48000, 64, 65) && refused(48000, 0, 1));
  CHECK(!refused(48000, 64, 64));
}

TEST(the_cost_is_measured) {
  const test::Folder folder;
  const auto sound = Sound::open(folder.file("m.fxkit", test::late_gru(0, model_rate).bytes()));
  sound->prepare(44100, 64, 1);
  const Samples x = noise(1000);
  const Samples before = play(*sound, x, {64});
  const double cost = sound->cost(64);
  CHECK_MORE(cost > 1e-5 && cost < 1, std::to_string(cost));
  CHECK(play(*sound, x, {64}) == before);  // it starts afresh
}

TEST(the_manifest_is_shown) {
  const test::Folder folder;
  auto file = test::gain(1, 44100);
  const std::string manifest =
      R"({"name":"","model":"graph","sample_rate":44100,"author":"Ann","gear":"JCM800","licence":"CC0",)"
      R"("task":"distort","output":{"rms":0.1,"peak":0.9,"loudness":-17.5,"dbu":null},)"
      R"("metrics":{"seconds":3.5,"scores":{"dc":0.1,"esr":0.0125},"baseline":{"esr":0.7}}})";
  const auto info =
      Sound::open(folder.file("warm amp.fxkit", file.pack({{"fxkit.format", "1"},
                                                           {"fxkit.manifest", manifest},
                                                           {"fxkit.graph", file.graph()}})))
          ->info();
  CHECK(info.name == "warm amp" && info.author == "Ann" && info.gear == "JCM800");
  CHECK(info.licence == "CC0" && info.task == "distort" && info.format == "fxkit");
  CHECK(info.esr == 0.0125 && info.output_loudness == -17.5 && info.sample_rate == 44100);
}

TEST(files_that_cannot_be_read_are_named) {
  const test::Folder folder;
  for (const auto& [path, said] :
       {std::pair<std::string, const char*>{folder.path.string(), "is a folder"},
        {(folder.path / "none.fxkit").string(), "no such file"},
        {folder.file("x.fxkit", "PK\3\4 something"), "is a zip archive"},
        {folder.file("y.fxkit", test::gain(1, 48000).bytes().substr(0, 300)), "cut off"}}) {
    std::string message;
    try {
      Sound::open(path);
    } catch (const fxkit::Error& error) {
      message = error.what();
    }
    CHECK_MORE(message.starts_with(path + ": ") && message.find(said) != message.npos, message);
  }
}

}  // namespace
