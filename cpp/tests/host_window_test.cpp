// Window models on their worker thread, with a back end made for the purpose.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <thread>
#include <vector>

#include "fxkit/host/allowed_programs.h"
#include "fxkit/host/sound.h"
#include "program_file.h"
#include "test.h"
#include "window_source.h"

namespace {

using namespace fxkit::host;
using test::hash_of;
using test::Home;
using test::write_program;
namespace fs = std::filesystem;

constexpr double rate = 48000;

std::unique_ptr<WindowProgram> program(const std::string& text) {
  return std::make_unique<WindowProgram>(find_backend("fake"), text);
}

std::string text(const char* kind, std::size_t window, int knobs = 0, int microseconds = 0) {
  return std::string(kind) + " " + std::to_string(window) + " " + std::to_string(knobs) + " " +
         std::to_string(microseconds);
}

std::vector<float> noise(std::size_t count) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 0.3);
  std::vector<float> x(count);
  for (float& value : x) value = static_cast<float>(normal(random));
  return x;
}

// The definition, in double: every window on its own, weighted, added up. At the model's latency.
std::vector<double> reversed(const std::vector<float>& x, std::size_t window, std::size_t hop) {
  const auto fade = [&](std::size_t i) {
    return std::pow(std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) /
                             static_cast<double>(window)), 2);
  };
  std::vector<double> y(x.size());
  for (std::size_t end = hop; end <= x.size(); end += hop) {
    for (std::size_t i = 0; i < window; ++i) {
      double total = 0;
      for (std::size_t j = i % hop; j < window; j += hop) total += fade(j);
      const auto from = static_cast<std::ptrdiff_t>(end) - 1 - static_cast<std::ptrdiff_t>(i);
      const std::size_t to = end - 1 + i;
      if (to < y.size() && from >= 0) y[to] += fade(i) / total * x[static_cast<std::size_t>(from)];
    }
  }
  return y;
}

std::vector<float> play(WindowSource& source, const std::vector<float>& x,
                        const std::vector<std::size_t>& blocks) {
  std::vector<float> y(x.size());
  for (std::size_t start = 0, b = 0; start < x.size(); ++b) {
    const std::size_t size = std::min(blocks[b % blocks.size()], x.size() - start);
    const float* in = x.data() + start;
    float* out = y.data() + start;
    source.process(&in, &out, size);
    start += size;
  }
  return y;
}

double difference(const std::vector<float>& got, const std::vector<double>& wanted,
                  std::size_t late) {
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - (i < late ? 0 : wanted[i - late])));
  }
  return worst;
}

// A model file that holds the program `reverse`, with its probe.
test::ModelFile reverse_file(std::size_t window, std::size_t hop) {
  test::ModelFile file;
  file.latency = window - 1;
  const auto x = noise(3 * window);
  const auto y = reversed(x, window, hop);
  file.tensor("probe.input", {x.size()}, x);
  file.tensor("probe.output", {x.size()}, std::vector<float>(y.begin(), y.end()));
  return file;
}

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const fxkit::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST(sha256_of_the_standard) {
  CHECK(hash_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(weights_add_up_to_one) {
  for (const auto& [window, hop] : std::vector<std::pair<std::size_t, std::size_t>>{
           {64, 32}, {64, 48}, {100, 7}, {16, 16}, {5, 1}}) {
    const auto weights = overlap_weights(window, hop);
    for (std::size_t first = 0; first < hop; ++first) {
      double sum = 0;
      for (std::size_t i = first; i < window; i += hop) sum += weights[i];
      CHECK(std::abs(sum - 1) < 1e-6);
    }
  }
}

TEST(windows_add_up_as_defined_whatever_the_blocks) {
  for (const auto& [window, hop] : std::vector<std::pair<std::size_t, std::size_t>>{
           {64, 32}, {64, 48}, {96, 40}, {32, 32}, {33, 5}, {3, 1}}) {
    const auto x = noise(2000);
    const auto wanted = reversed(x, window, hop);
    for (const auto& blocks : std::vector<std::vector<std::size_t>>{
             {1}, {7, 0, 13}, {64}, {512}, {2000}, {1, 500, 3}}) {
      WindowSource source(program(text("reverse", window)), {rate, window, hop, {}});
      source.set_offline(true);
      source.prepare(*std::max_element(blocks.begin(), blocks.end()), 1);
      CHECK(source.latency() >= window - 1 + hop);
      const auto got = play(source, x, blocks);
      CHECK(difference(got, wanted, source.latency() - (window - 1)) < 1e-6);
      source.reset();
      CHECK(play(source, x, blocks) == got);
      CHECK(source.missed() == 0);
    }
  }
}

TEST(a_gain_of_one_gives_the_input_back_on_all_channels) {
  const std::size_t window = 128, hop = 96;
  WindowSource source(program(text("gain", window, 1)), {rate, window, hop, {1.0f}});
  source.set_offline(true);
  source.prepare(100, 2);
  const auto left = noise(3000);
  std::vector<float> right(left.rbegin(), left.rend()), out_left(3000), out_right(3000);
  for (std::size_t start = 0; start < 3000; start += 100) {
    const float* in[] = {left.data() + start, right.data() + start};
    float* out[] = {out_left.data() + start, out_right.data() + start};
    source.process(in, out, 100);
  }
  const std::size_t late = source.latency();
  double worst = 0;
  for (std::size_t i = late; i < 3000; ++i) {
    worst = std::max({worst, std::abs(static_cast<double>(out_left[i]) - left[i - late]),
                      std::abs(static_cast<double>(out_right[i]) - right[i - late])});
  }
  CHECK(worst < 1e-6);
}

TEST(knobs_are_heard) {
  const std::size_t window = 64, hop = 64;
  WindowSource source(program(text("gain", window, 1)), {rate, window, hop, {0.25f}});
  source.set_offline(true);
  source.prepare(16, 1);
  const std::vector<float> x(4096, 1.0f);
  CHECK(std::abs(play(source, x, {16}).back() - 0.25f) < 1e-6f);
  source.set_control(0, 0.75f);
  source.set_control(0, 2.0f);  // out of range: ignored
  source.set_control(1, 0.1f);  // no such knob
  CHECK(std::abs(play(source, x, {16}).back() - 0.75f) < 1e-6f);
}

TEST(in_real_time_the_same_samples_come) {
  const std::size_t window = 4096, hop = 2048;
  WindowSource source(program(text("reverse", window)), {rate, window, hop, {}});
  source.prepare(256, 1);
  const auto x = noise(20 * hop);
  std::vector<float> y(x.size());
  auto due = std::chrono::steady_clock::now();
  for (std::size_t start = 0; start < x.size(); start += 256) {
    const float* in = x.data() + start;
    float* out = y.data() + start;
    source.process(&in, &out, 256);
    due += std::chrono::microseconds(5333);
    std::this_thread::sleep_until(due);
  }
  // A busy machine may miss a deadline; whatever else comes out is exact.
  if (source.missed() == 0) {
    CHECK(difference(y, reversed(x, window, hop), source.latency() - (window - 1)) < 1e-5);
  } else {
    std::printf("  %zu hops missed\n", source.missed());
  }
}

TEST(what_is_late_is_silent_and_counted_and_fades) {
  const std::size_t window = 1024, hop = 512;
  // Far slower than the audio, which is not paced at all here.
  WindowSource source(program(text("gain", window, 0, 20000)), {rate, window, hop, {}});
  source.prepare(64, 1);
  const std::vector<float> x(100 * hop, 1.0f);
  std::vector<float> y;
  for (int i = 0; i < 3; ++i) {
    const auto got = play(source, x, {64});
    y.insert(y.end(), got.begin(), got.end());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(source.missed() > 100);
  // With time enough it comes back, from windows that hold none of the hops that were lost.
  for (int i = 0; i < 12; ++i) {
    const auto got = play(source, std::vector<float>(hop, 1.0f), {64});
    y.insert(y.end(), got.begin(), got.end());
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  double step = 0;
  for (std::size_t i = 1; i < y.size(); ++i) {
    step = std::max(step, static_cast<double>(std::abs(y[i] - y[i - 1])));
  }
  CHECK_MORE(step < 0.02, std::to_string(step));
  // Offline it is all there again.
  source.set_offline(true);
  source.reset();
  const auto got = play(source, std::vector<float>(8 * hop, 1.0f), {64});
  CHECK(std::abs(got.back() - 0.5f) < 1e-5f);
}

TEST(resets_and_knobs_while_the_worker_runs) {
  const std::size_t window = 256, hop = 64;
  WindowSource source(program(text("gain", window, 1, 50)), {rate, window, hop, {0.5f}});
  source.prepare(64, 2);
  std::atomic<bool> done{false};
  std::thread turner([&] {
    for (int i = 0; !done; ++i) source.set_control(0, static_cast<float>(i % 11) / 10.0f);
  });
  const auto x = noise(64);
  std::vector<float> a(64), b(64);
  for (int i = 0; i < 3000; ++i) {
    const float* in[] = {x.data(), x.data()};
    float* out[] = {a.data(), b.data()};
    source.process(in, out, static_cast<std::size_t>(1 + i % 64));
    if (i % 97 == 0) source.reset();
    if (i % 500 == 0) source.set_offline(i % 1000 == 0);
    for (const float value : a) CHECK(std::abs(value) < 10);
  }
  done = true;
  turner.join();
  source.prepare(32, 1);  // while the worker may still have something to do
}

TEST(a_failing_program_is_silent) {
  WindowSource source(program(text("fail", 64)), {rate, 64, 32, {}});
  source.set_offline(true);
  source.prepare(64, 1);
  for (const float value : play(source, noise(1000), {64})) CHECK(value == 0);
}

TEST(only_allowed_programs_run) {
  const Home home;
  const std::size_t window = 256, hop = 128;
  const std::string bytes = text("reverse", window);
  const auto path = write_program(home.folder, reverse_file(window, hop), bytes, window, hop);
  std::string hash;
  try {
    Sound::open(path.string());
  } catch (const ProgramNotAllowed& error) {
    hash = error.hash;
    CHECK(error.whose == "test, unknown author");
    CHECK(std::string(error.what()).find("fxkit allow") != std::string::npos);
  }
  CHECK(hash == hash_of(bytes));
  CHECK(Sound::open(path.string(), {.isa = {}, .allowed_programs = {hash}}) != nullptr);
  CHECK(!program_allowed(hash));
  allow_program(hash, "a test\nof two lines");
  CHECK(program_allowed(hash));
  auto sound = Sound::open(path.string());
  CHECK(sound->info().backend == "fake 1");
  CHECK(sound->info().sample_rate == 48000);
  sound->set_offline(true);
  sound->prepare(48000, 64, 1);
  CHECK(sound->latency() == window - 1 + hop);
  const auto x = noise(3000);
  std::vector<float> y(x.size());
  const float* in = x.data();
  float* out = y.data();
  sound->process(&in, &out, x.size());
  CHECK(difference(y, reversed(x, window, hop), hop) < 1e-6);
  CHECK(sound->cost(64) < 1000);
}

TEST(the_list_of_allowed_programs_survives_strange_lines) {
  const Home home;
  const std::string hash = hash_of("x");
  CHECK(!program_allowed(hash));
  fs::create_directories(home.folder / "fxkit");
  std::ofstream(allowed_programs_file()) << "# a remark\n\n" << hash.substr(1) << "\nno line end";
  CHECK(!program_allowed(hash));
  CHECK(!program_allowed(""));
  allow_program(hash);
  CHECK(program_allowed(hash));
  allow_program(hash);
  std::ifstream in(allowed_programs_file());
  std::string line;
  int lines = 0;
  while (std::getline(in, line)) ++lines;
  CHECK(lines == 5);
  CHECK(!refusal([] { allow_program("not a hash"); }).empty());
}

TEST(damaged_files_are_refused_in_one_line) {
  const Home home;
  const std::size_t window = 64, hop = 32;
  const std::string good = text("reverse", window), bad = "nonsense";
  const auto refused = [&](test::ModelFile file, const std::string& bytes, std::size_t w,
                           std::size_t h, const std::string& hash = {}) {
    const auto path = write_program(home.folder, std::move(file), bytes, w, h, hash);
    const OpenOptions all{.isa = {}, .allowed_programs = {hash_of(bytes)}};
    const auto line = refusal([&] { Sound::open(path.string(), all); });
    CHECK_MORE(line.find(path.string() + ": ") == 0 && line.find('\n') == std::string::npos, line);
    return line;
  };
  auto file = reverse_file(window, hop);
  CHECK(refused(file, bad, window, hop).find("this is no program") != std::string::npos);
  CHECK(refused(file, good, window, hop, hash_of("another")).find("not the one") !=
        std::string::npos);
  CHECK(refused(file, good, window, 0).find("cannot be") != std::string::npos);
  CHECK(refused(file, good, window, window + 1).find("cannot be") != std::string::npos);
  CHECK(refused(file, good, window, hop / 2).find("probe") != std::string::npos);
  CHECK(refused(file, text("fail", window), window, hop).find("fails") != std::string::npos);
  CHECK(refused(file, text("reverse", 32), window, hop).find("does not fit") != std::string::npos);
  CHECK(refused(file, text("reverse", window, 1), window, hop).find("fit") != std::string::npos);
  file.latency = 5;
  CHECK(refused(file, good, window, hop).find("latency") != std::string::npos);
  file = reverse_file(window, hop);
  file.tensors.erase("probe.output");
  CHECK(refused(file, good, window, hop).find("probe.output") != std::string::npos);
}

TEST(a_missing_back_end_is_named) {
  CHECK(refusal([] { find_backend("nowhere"); }).find("make backend") != std::string::npos);
  CHECK(refusal([] { find_backend("../fake"); }).find("names no back end") != std::string::npos);
}
