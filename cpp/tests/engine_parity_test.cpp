// Every layer, on every instruction set of this machine, against the formulas in double precision;
// and that the cut into blocks does not change a bit.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "fxkit/fxkit.hpp"
#include "models.h"
#include "test.h"

namespace {

using test::ModelFile;

// Fewer where minutes are to be seconds, too.
const std::size_t samples = std::getenv("FXKIT_TEST_SECONDS") ? 1000 : 3000;

// Cuts that begin with 0 and 1 and cross the engine's own blocks.
const std::vector<std::vector<std::size_t>> cuts = {
    {samples}, {1}, {7}, {64}, {512}, {0, 1, 63, 65, 200, 13}};

std::vector<const char*> isas() {
  std::vector<const char*> found;
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    const std::string bytes = [] {
      ModelFile f = test::function_model("relu");
      f.add_probe();
      return f.bytes();
    }();
    if (!fxkit_isa_available(isa)) continue;
    char error[100];
    auto* engine = fxkit_open_memory(bytes.data(), bytes.size(), isa, error, sizeof error);
    CHECK_MORE(engine, std::string(isa) + ": " + error);
    fxkit_close(engine);
    found.push_back(isa);
  }
  return found;
}

std::vector<std::vector<float>> play(fxkit::Engine& engine,
                                     const std::vector<std::vector<float>>& x,
                                     const std::vector<std::size_t>& cut) {
  std::vector<std::vector<float>> y(x.size(), std::vector<float>(x[0].size()));
  std::size_t at = 0;
  for (std::size_t i = 0; at < x[0].size(); ++i) {
    const std::size_t n = std::min(cut[i % cut.size()], x[0].size() - at);
    std::vector<const float*> in;
    std::vector<float*> out;
    for (std::size_t s = 0; s < x.size(); ++s) {
      in.push_back(x[s].data() + at);
      out.push_back(y[s].data() + at);
    }
    engine.process(in.data(), out.data(), n);
    at += n;
  }
  return y;
}

double difference(const std::vector<float>& got, const test::Row& wanted) {
  double error = 0, peak = 1e-9;
  for (std::size_t t = 0; t < got.size(); ++t) {
    const double d = std::abs(got[t] - wanted[t]);
    error = d <= error ? error : d;  // keeps NaN
    peak = std::max(peak, std::abs(wanted[t]));
  }
  return error / peak;
}

TEST(every_model_is_what_its_formulas_say) {
  for (auto& [name, file] : test::all_models()) {
    file.add_probe();
    const std::string bytes = file.bytes();
    std::vector<std::vector<float>> x;
    for (int s = 0; s < 3; ++s) x.push_back(file.noise(samples, s == 1 ? 0.03 : 0.5));
    std::vector<test::Row> wanted;
    const std::vector<float> knobs(file.controls, 0.25f);
    for (const auto& signal : x) wanted.push_back(file.play(signal, knobs)[0]);
    for (const char* isa : isas()) {
      try {
        auto engine = fxkit::Engine::open(bytes.data(), bytes.size(), isa);
        engine.prepare(48000, 512, 3);
        const auto whole = play(engine, x, {samples});
        double worst = 0;
        for (std::size_t s = 0; s < x.size(); ++s) {
          worst = std::max(worst, difference(whole[s], wanted[s]));
        }
        const double bound = 5e-6;
        CHECK_MORE(worst < bound, name + " " + isa + ": " + std::to_string(worst * 1e6) + "e-6");
        if (std::getenv("FXKIT_TEST_VERBOSE")) {
          std::printf("%-20s %-8s %.2g\n", name.c_str(), isa, worst);
        }
        for (const auto& cut : cuts) {
          engine.reset();
          CHECK_MORE(play(engine, x, cut) == whole,
                     name + " " + isa + " in blocks of " + std::to_string(cut[0]));
        }
        for (const std::size_t streams : {1, 2}) {
          engine.prepare(48000, 512, streams);
          const auto part = play(engine, {x.begin(), x.begin() + static_cast<long>(streams)}, {100});
          // Pairs of channels share the weights; a channel alone adds up in another order.
          for (std::size_t s = 0; s < streams; ++s) {
            const bool same = streams == 2 ? part[s] == whole[s]
                                           : difference(part[s], wanted[s]) < bound;
            CHECK_MORE(same, name + " " + isa + ", channels: " + std::to_string(streams));
          }
        }
      } catch (const fxkit::Error& error) {
        CHECK_MORE(false, name + " " + isa + ": " + error.what());
      }
    }
  }
}

// The first unit has counted to 1000 when its gates close, with something at the door: the product of
// all their denominators and the cell has to be finite. What is left of 1000 is its rounding.
TEST(a_cell_that_has_counted_high_is_emptied) {
  ModelFile file = test::recurrent_model("lstm", 2, 1.0, ",\"initial_c\":\"c0\"");
  file.tensor("ih0", {8, 1}, {0, 0, 0, 0, 0, 2, 0, 0});  // i, f, g, o of both units
  file.tensor("bi0", {8}, {-40, 0, -40, 0, 20, 0, 20, 0});
  file.tensor("bh0", {8}, std::vector<float>(8));
  file.tensor("hh0", {8, 2}, std::vector<float>(16));
  file.tensor("c0", {2}, {1000, 0});
  file.tensor("w", {1, 2}, {1, 1});
  const std::string bytes = file.bytes();
  const auto x = file.noise(samples, 0.5);
  const auto wanted = file.play(x, {})[0];
  for (const char* isa : isas()) {
    auto engine = fxkit::Engine::open_unproven(bytes.data(), bytes.size(), isa);
    engine.prepare(48000, 512, 1);
    const double error = difference(play(engine, {x}, {512})[0], wanted);
    CHECK_MORE(error < 1e-3, std::string(isa) + ": " + std::to_string(error * 1e6) + "e-6");
  }
}

TEST(nothing_drifts_in_minutes_of_noise) {
  for (const char* cell : {"gru", "lstm"}) {
    ModelFile file = test::recurrent_model(cell, 2, 1.0);
    file.add_probe();
    const std::string bytes = file.bytes();
    const auto x = file.noise(static_cast<std::size_t>(test::seconds(180) * 44100), 0.3);
    const auto wanted = file.play(x, {})[0];
    auto engine = fxkit::Engine::open(bytes.data(), bytes.size());
    engine.prepare(48000, 512, 1);
    const double error = difference(play(engine, {x}, {512})[0], wanted);
    CHECK_MORE(error < 5e-6, std::string(cell) + ": " + std::to_string(error * 1e6) + "e-6");
  }
}

// The shipped models at every usual rate: after minutes of noise the end is still what the formulas
// say. The reference hears only the end and what comes before it as far as the model remembers: the
// recurrent ones forget.
TEST(the_end_of_minutes_is_right_at_every_rate) {
  constexpr std::size_t end = 1000, remembered = 5000;
  struct Case {
    const char* name;
    std::size_t rate;
    ModelFile file;
  };
  const Case cases[] = {
      {"gru 16", 192000, test::recurrent_model("gru", 16, 1.0, "", 1, 0.5)},
      {"gru 48", 96000, test::recurrent_model("gru", 48, 1.0, "", 1, 0.5)},
      {"lstm 16", 176400, test::recurrent_model("lstm", 16, 1.0, "", 1, 0.5)},
      {"lstm 48", 88200, test::recurrent_model("lstm", 48, 1.0, "", 1, 0.5)},
      {"nn-gru 48", 48000, test::front_model()},
      {"wavenet", 48000, test::wavenet_model(6, 10, false)},
      {"NAM's wavenet", 44100, test::nam_wavenet(16, 8)},
  };
  for (auto [name, rate, file] : cases) {
    file.sample_rate = rate;
    file.add_probe();
    const std::string bytes = file.bytes();
    auto engine = fxkit::Engine::open(bytes.data(), bytes.size());
    engine.prepare(static_cast<double>(rate), 512, 1);
    const auto pieces = static_cast<int>(test::seconds(120));
    for (int i = 0; i < pieces; ++i) play(engine, {file.noise(rate, 0.3)}, {64, 1, 512, 7, 200});
    const auto x = file.noise(remembered + end, 0.3);
    const auto got = play(engine, {x}, {64, 1, 512, 7, 200})[0];
    const auto wanted = file.play(x, {})[0];
    const double error = difference({got.begin() + remembered, got.end()},
                                    {wanted.begin() + remembered, wanted.end()});
    CHECK_MORE(error < 5e-6, std::string(name) + ": " + std::to_string(error * 1e6) + "e-6");
  }
}

}  // namespace
