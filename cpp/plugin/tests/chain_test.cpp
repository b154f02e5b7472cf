// Each stage of the chain does what it says, and nothing where it is flat.
#include <limits>

#include "../../tests/test.h"
#include "chain/chain.h"
#include "files.h"

namespace fxkit::plugin {
namespace {

using test::distance;
using test::noise;
using test::rms;
using test::sine;
using Samples = std::vector<float>;

constexpr double rate = 48000;

struct Player {
  Chain chain;
  std::size_t inputs, outputs;

  explicit Player(std::size_t in = 1, std::size_t out = 1, std::size_t block = 256)
      : inputs(in), outputs(out) {
    chain.prepare(rate, block, in, out);
  }

  std::vector<Samples> play_rows(std::vector<Samples> x, std::size_t block = 256) {
    x.resize(outputs, Samples(x[0].size()));
    for (std::size_t start = 0; start < x[0].size(); start += block) {
      std::array<float*, 2> rows{};
      for (std::size_t c = 0; c < outputs; ++c) rows[c] = x[c].data() + start;
      chain.process(rows.data(), std::min(block, x[0].size() - start));
    }
    return x;
  }
  Samples play(const Samples& x, std::size_t block = 256) { return play_rows({x}, block)[0]; }
};

std::unique_ptr<host::Sound> sound_of(const juce::File& file, std::size_t channels = 1) {
  auto sound = host::Sound::open(file.getFullPathName().toStdString());
  sound->prepare(rate, 256, channels);
  return sound;
}

test::ModelFile gru(std::size_t sample_rate = 48000) {
  auto model = test::recurrent_model("gru", 12, 0.8);
  model.sample_rate = sample_rate;
  return model;
}

Samples shifted(const Samples& x, std::size_t by) {
  Samples y(x.size());
  for (std::size_t t = by; t < x.size(); ++t) y[t] = x[t - by];
  return y;
}

Impulse impulse_of(const juce::File& file) { return read_impulse(file); }

TEST(without_anything_no_bit_changes) {
  Player p;
  const auto x = noise(3000);
  CHECK(p.play(x) == x);
}

TEST(with_standard_settings_the_output_is_the_models) {
  const test::Folder folder;
  const auto file = folder.model("a.fxkit", gru());
  const auto x = noise(5000);
  Samples expected(x.size());
  const float* in = x.data();
  float* out = expected.data();
  sound_of(file)->process(&in, &out, x.size());
  for (const std::size_t block : {1, 7, 64, 256, 5000}) {
    Player p;
    p.chain.slot.offer(sound_of(file));
    p.chain.set({});
    CHECK_MORE(p.play(x, block) == expected, std::to_string(block));
  }
}

TEST(mono_to_stereo_gives_both_channels_the_same) {
  const test::Folder folder;
  const auto file = folder.model("a.fxkit", gru());
  Player mono, wide(1, 2);
  mono.chain.slot.offer(sound_of(file));
  wide.chain.slot.offer(sound_of(file));
  Settings settings;
  settings.mix = 0.6f;
  settings.bands_db = {3, -2, 4};
  mono.chain.set(settings);
  wide.chain.set(settings);
  const auto x = noise(4000);
  const auto expected = mono.play(x);
  const auto got = wide.play_rows({x});
  CHECK(got[0] == expected);
  CHECK(got[1] == expected);
}

TEST(the_dry_input_is_as_late_as_the_model) {
  const test::Folder folder;
  const auto file = folder.model("a.fxkit", gru(44100));  // rates are converted: there is a latency
  const auto x = noise(4000);
  for (const bool bypass : {false, true}) {
    Player p;
    p.chain.slot.offer(sound_of(file));
    Settings settings;
    settings.mix = bypass ? 1.0f : 0.0f;
    settings.bypass = bypass;
    settings.input_db = 6;
    p.chain.set(settings);
    const auto y = p.play(x);
    CHECK(p.chain.slot.latency() > 20);
    CHECK(distance(y, shifted(x, p.chain.slot.latency())) == 0);
    // Afresh, nothing of before is heard.
    p.chain.reset();
    CHECK(distance(p.play(x), shifted(x, p.chain.slot.latency())) == 0);
  }
}

TEST(gains_do_what_they_say) {
  Player p;
  Settings settings;
  settings.input_db = 6;
  settings.output_db = -12;
  p.chain.set(settings);
  const auto x = noise(2000);
  const auto y = p.play(x);
  CHECK(std::abs(20 * std::log10(rms(y, 0, 2000) / rms(x, 0, 2000)) + 6) < 1e-3);
}

TEST(bypass_and_settings_do_not_click) {
  const auto x = sine(24000, 100, rate);
  Player p;
  p.chain.set({});
  auto y = p.play(Samples(x.begin(), x.begin() + 8000));
  Settings settings;
  settings.input_db = 12;
  p.chain.set(settings);
  auto more = p.play(Samples(x.begin() + 8000, x.begin() + 16000));
  y.insert(y.end(), more.begin(), more.end());
  settings.bypass = true;
  p.chain.set(settings);
  more = p.play(Samples(x.begin() + 16000, x.end()));
  y.insert(y.end(), more.begin(), more.end());
  // The signal's own slope when it is loudest, and the way from one level to the other in 20 ms.
  const double slope = 4 * test::steepest(x, 1, x.size()) + 3 * 0.3 / (rate * Ramp::seconds);
  CHECK(test::steepest(y, 1, y.size()) < slope);
  CHECK(distance(y, x, 20000) == 0);
}

TEST(the_gate_silences_what_is_quiet) {
  Player p;
  Settings settings;
  settings.gate_db = -40;
  p.chain.set(settings);
  auto x = sine(48000, 200, rate, 0.3);                       // -10 dB
  for (std::size_t t = 24000; t < 48000; ++t) x[t] *= 0.005f;  // -56 dB
  const auto y = p.play(x);
  CHECK(distance(y, x, 1000, 24000) == 0);
  CHECK(rms(y, 40000, 48000) == 0);
  settings.gate_db = Gate::off_db;
  p.chain.set(settings);
  p.play(x);
  CHECK(p.play(x) == x);
}

TEST(each_band_turns_its_own_frequencies) {
  const double centres[] = {25, 700, 16000};
  for (std::size_t band = 0; band < 3; ++band) {
    for (const float db : {-12.0f, 6.0f, 12.0f}) {
      for (std::size_t at = 0; at < 3; ++at) {
        Player p;
        Settings settings;
        settings.bands_db[band] = db;
        p.chain.set(settings);
        const auto x = sine(48000, centres[at], rate);
        const double gain = 20 * std::log10(rms(p.play(x), 24000, 48000) / rms(x, 24000, 48000));
        const double wanted = at == band ? static_cast<double>(db) : 0;
        // Neighbours reach into each other a little.
        CHECK_MORE(std::abs(gain - wanted) < (at == band ? 0.6 : 1.2),
                   std::to_string(band) + " " + std::to_string(at) + " " + std::to_string(gain));
      }
    }
  }
}

TEST(an_equaliser_that_is_flat_again_changes_no_bit) {
  Player p;
  Settings settings;
  settings.bands_db = {6, 6, 6};
  p.chain.set(settings);
  p.play(noise(5000));
  p.chain.set({});
  p.play(Samples(48000));
  const auto x = noise(5000);
  CHECK(p.play(x) == x);
}

TEST(a_cabinet_convolves) {
  const test::Folder folder;
  const auto response = noise(700, 0.1, 3);
  const auto fit = fitted(impulse_of(folder.sound("a.wav", rate, {response})), rate).channels[0];
  const auto x = noise(3000);
  Samples expected(x.size());
  for (std::size_t t = 0; t < x.size(); ++t) {
    double sum = 0;
    for (std::size_t i = 0; i < std::min(fit.size(), t + 1); ++i) {
      sum += static_cast<double>(fit[i]) * static_cast<double>(x[t - i]);
    }
    expected[t] = static_cast<float>(sum);
  }
  for (const std::size_t block : {1, 64, 1000, 3000}) {
    Player p(1, 1, block);
    p.chain.cabinet.offer(impulse_of(folder.file("a.wav")));
    p.chain.set({});
    CHECK_MORE(distance(p.play(x, block), expected) < 2e-5, std::to_string(block));
  }
}

TEST(a_cabinet_is_as_loud_as_none_at_any_rate) {
  const test::Folder folder;
  Samples response(2000);
  response[5] = 0.02f;
  const auto file = folder.sound("a.wav", 44100, {response});
  for (const double host : {44100.0, 48000.0, 96000.0}) {
    const auto fit = fitted(impulse_of(file), host);
    double sum = 0;
    for (const float x : fit.channels[0]) sum += static_cast<double>(x);
    CHECK_MORE(std::abs(sum - 1) < 0.01, std::to_string(sum));
  }
}

TEST(a_cabinet_that_is_none_is_refused) {
  const test::Folder folder;
  folder.file("text.wav").replaceWithText("no sound");
  folder.sound("silent.wav", rate, {Samples(100)});
  for (const char* name : {"text.wav", "silent.wav", "absent.wav"}) {
    Player p;
    bool refused = false;
    try {
      p.chain.cabinet.offer(impulse_of(folder.file(name)));
    } catch (const Error&) {
      refused = true;
    }
    CHECK_MORE(refused, name);
  }
}

TEST(swapping_models_and_cabinets_does_not_click) {
  const test::Folder folder;
  const juce::File models[] = {folder.model("a.fxkit", gru()), folder.model("b.fxkit", gru(44100))};
  Samples one(64), two(64);
  one[0] = 1;
  two[3] = -1;
  const juce::File cabinets[] = {folder.sound("a.wav", rate, {one}), folder.sound("b.wav", rate, {two})};
  Player p;
  p.chain.set({});
  const auto x = sine(2400, 100, rate, 0.1);
  Samples all;
  for (std::size_t i = 0; i < 60; ++i) {
    p.chain.slot.offer(sound_of(models[i % 2]));
    if (i % 3 == 0) p.chain.cabinet.offer(impulse_of(cabinets[i / 3 % 2]));
    const auto y = p.play(x, 1 + 37 * i % 300);
    all.insert(all.end(), y.begin(), y.end());
    p.chain.slot.collect();
    p.chain.cabinet.collect();
  }
  for (const float y : all) {
    if (!std::isfinite(y)) return CHECK(!"finite");
  }
  double alone = 0, loudest = 0;
  for (const auto& file : models) {
    Player q;
    q.chain.slot.offer(sound_of(file));
    q.chain.set({});
    const auto y = q.play(sine(9600, 100, rate, 0.1));
    alone = std::max(alone, test::steepest(y, 1500, 9600));
    for (const float v : y) loudest = std::max(loudest, std::abs(static_cast<double>(v)));
  }
  CHECK(test::steepest(all, 1500, all.size()) < alone + 4 * loudest / (rate * Ramp::seconds) + 1e-3);
}

TEST(nan_is_silence) {
  Player p;
  Settings settings;
  settings.bands_db = {3, 3, 3};
  p.chain.set(settings);
  auto x = noise(1000);
  x[500] = std::numeric_limits<float>::quiet_NaN();
  x[600] = std::numeric_limits<float>::infinity();
  for (const float y : p.play(x)) CHECK(std::isfinite(y));
}

}  // namespace
}  // namespace fxkit::plugin
