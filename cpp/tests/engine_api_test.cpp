// What the C interface promises, beside the samples themselves.
#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "fxkit/fxkit.hpp"
#include "models.h"
#include "test.h"

namespace {

using test::ModelFile;

fxkit::Engine open(ModelFile file) {
  file.add_probe();
  const std::string bytes = file.bytes();
  return fxkit::Engine::open(bytes.data(), bytes.size());
}

// The knob itself: y = knob 0 * 1 + 0 x.
ModelFile knob_model() {
  ModelFile f;
  f.controls = 1;
  f.tensor("w", {2, 1}, {0, 1});
  f.layer("out", "film", {"x", "controls"}, "\"weight\":\"w\"");
  return f;
}

std::vector<float> play(fxkit::Engine& engine, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  const float* in = x.data();
  float* out = y.data();
  engine.process(&in, &out, x.size());
  return y;
}

TEST(says_what_it_is) {
  ModelFile file = knob_model();
  file.latency = 17;
  file.sample_rate = 96000;
  auto engine = open(file);
  CHECK(engine.sample_rate() == 96000);
  CHECK(engine.latency() == 17);
  CHECK(engine.channels() == 0);
  CHECK(engine.manifest() == file.manifest());
  CHECK(engine.control_names() == std::vector<std::string>{"knob 0"});
  CHECK(engine.control_default(0) == 0.25f);
  CHECK(engine.control(0) == 0.25f);
  CHECK(engine.probe_error() < 1e-5);
  CHECK(!engine.isa().empty());
  engine.prepare(96000, 64, 2);
  CHECK(engine.channels() == 2);
}

TEST(a_file_without_a_probe_opens_only_where_none_is_asked_for) {
  const std::string bytes = knob_model().bytes();
  char error[200] = "";
  CHECK(!fxkit_open_memory(bytes.data(), bytes.size(), nullptr, error, sizeof error));
  CHECK_MORE(std::strstr(error, "probe"), error);
  auto engine = fxkit::Engine::open_unproven(bytes.data(), bytes.size());
  engine.prepare(48000, 64, 1);
  CHECK(play(engine, {0.5f, 0.5f}) == (std::vector<float>{0.25f, 0.25f}));
  // All else is checked.
  CHECK(!fxkit_open_unproven(bytes.data(), bytes.size() - 1, nullptr, error, sizeof error));
  CHECK(!fxkit_open_unproven(nullptr, 0, nullptr, error, sizeof error));
}

TEST(refuses_another_rate_and_odd_channels) {
  auto engine = open(knob_model());
  char error[100] = "";
  CHECK(!fxkit_prepare(engine.get(), 44100, 64, 1, error, sizeof error));
  CHECK_MORE(std::strstr(error, "48000"), error);
  CHECK(!fxkit_prepare(engine.get(), 48000, 64, 0, error, sizeof error));
  CHECK(!fxkit_prepare(engine.get(), 48000, 64, 65, nullptr, 0));
}

TEST(is_silent_before_it_is_prepared) {
  auto engine = open(knob_model());
  CHECK(play(engine, std::vector<float>(9, 1.0f)) == std::vector<float>(9, 0.0f));
}

TEST(null_pointers_do_no_harm) {
  char error[20];
  CHECK(!fxkit_open(nullptr, nullptr, error, sizeof error) && error[0]);
  CHECK(!fxkit_open_memory(nullptr, 5, nullptr, nullptr, 0));
  CHECK(!fxkit_prepare(nullptr, 48000, 64, 1, error, sizeof error) && error[0]);
  fxkit_close(nullptr);
  fxkit_reset(nullptr);
  fxkit_process(nullptr, nullptr, nullptr, 3);
  fxkit_set_control(nullptr, 0, 1);
  CHECK(fxkit_control_count(nullptr) == 0 && fxkit_latency(nullptr) == 0);
  CHECK(std::strcmp(fxkit_control_name(nullptr, 0), "") == 0);
}

TEST(an_error_is_cut_to_its_buffer) {
  char error[8];
  std::memset(error, 'x', sizeof error);
  CHECK(!fxkit_open("/no/such/file.fxkit", nullptr, error, 5));
  CHECK(std::strlen(error) == 4 && error[5] == 'x');
}

TEST(a_knob_gets_there_smoothly) {
  auto engine = open(knob_model());
  engine.prepare(48000, 64, 1);
  const std::vector<float> x(2000, 0.0f);
  CHECK(play(engine, x) == std::vector<float>(2000, 0.25f));
  engine.set_control(0, 2.0f);  // moved to 1
  CHECK(engine.control(0) == 1.0f);
  const auto y = play(engine, x);
  const std::size_t ramp = static_cast<std::size_t>(48000 * FXKIT_CONTROL_SECONDS);
  float largest = 0;
  for (std::size_t t = 1; t < y.size(); ++t) largest = std::max(largest, y[t] - y[t - 1]);
  CHECK(largest < 2 * 0.75f / static_cast<float>(ramp));
  CHECK(y[ramp / 2] > 0.5f && y[ramp / 2] < 0.75f);
  CHECK(y[ramp] == 1.0f && y.back() == 1.0f);
  engine.set_control(0, std::nanf(""));
  CHECK(engine.control(0) == 1.0f);
  engine.set_control(0, 0.5f);
  engine.reset();
  CHECK(play(engine, {0.0f})[0] == 0.5f);
}

TEST(reset_starts_afresh) {
  auto engine = open(test::recurrent_model("lstm", 12, 1.0));
  engine.prepare(48000, 64, 1);
  ModelFile noise;
  const auto x = noise.noise(500, 0.5);
  const auto first = play(engine, x);
  CHECK(play(engine, x) != first);
  engine.reset();
  CHECK(play(engine, x) == first);
}

TEST(input_and_output_may_be_the_same_memory) {
  auto engine = open(test::wavenet_model(4, 3, false));
  engine.prepare(48000, 64, 1);
  ModelFile noise;
  auto x = noise.noise(500, 0.5);
  const auto wanted = play(engine, x);
  engine.reset();
  const float* in = x.data();
  float* out = x.data();
  engine.process(&in, &out, x.size());
  CHECK(x == wanted);
}

TEST(what_is_not_finite_passes_and_is_forgotten) {
  auto engine = open(test::recurrent_model("gru", 12, 1.0));
  engine.prepare(48000, 64, 1);
  std::vector<float> x(300, 0.1f);
  x[10] = std::numeric_limits<float>::quiet_NaN();
  x[20] = std::numeric_limits<float>::infinity();
  for (const float y : play(engine, x)) CHECK(std::isfinite(y));
}

// Numbers below 2^-126 are up to a hundred times slower: inside they count as 0, outside nothing
// has changed.
TEST(denormals_are_flushed_inside_and_kept_outside) {
  ModelFile f;
  f.tensor("w", {1}, {1e-25f});
  f.tensor("v", {1}, {1e25f});
  f.layer("small", "gain", {"x"}, "\"weight\":\"w\"");
  f.layer("out", "gain", {"small"}, "\"weight\":\"v\"");
  auto engine = open(f);
  engine.prepare(48000, 64, 1);
  volatile float tiny = 1e-20f;
  const auto y = play(engine, {1.0f, tiny});
  CHECK(std::abs(y[0] - 1.0f) < 1e-5f);
  CHECK(y[1] == 0.0f);
  volatile float product = tiny * 1e-20f;
  CHECK(product > 0.0f);
}

TEST(knobs_may_be_turned_while_it_plays) {
  auto engine = open(test::wavenet_model(4, 3, true));
  engine.prepare(48000, 64, 1);
  std::atomic<bool> done{false};
  std::thread hand([&] {
    for (int i = 0; !done; ++i) {
      engine.set_control(static_cast<std::size_t>(i % 2), static_cast<float>(i % 100) / 100);
      (void)engine.control(0);
    }
  });
  const std::vector<float> x(64, 0.2f);
  bool finite = true;
  for (int i = 0; i < 500; ++i) {
    for (const float y : play(engine, x)) finite = finite && std::isfinite(y);
  }
  done = true;
  hand.join();
  CHECK(finite);
}

}  // namespace
