// How long the processor takes for a block of 64 samples, with one instance and with two.
//
//   plugin_bench MODEL [SECONDS] [MODEL of the second instance]
//
// Blocks come in the time of a sound card at 48 kHz (1.333 ms), on one thread, as in a host.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "processor/processor.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr double rate = 48000;
constexpr int block = 64;

void measure(const std::vector<juce::File>& models, double seconds) {
  std::vector<std::unique_ptr<fxkit::plugin::Processor>> all;
  for (const auto& model : models) {
    auto& processor = *all.emplace_back(std::make_unique<fxkit::plugin::Processor>());
    processor.setPlayConfigDetails(1, 1, rate, block);
    processor.prepareToPlay(rate, block);
    processor.loader().load_now(model, fxkit::plugin::Loader::Knobs::reset, true);
    const auto status = processor.loader().status();
    if (status.stage != fxkit::plugin::Loader::Stage::playing) {
      std::fprintf(stderr, "%s\n", status.message.c_str());
      std::exit(1);
    }
  }
  juce::MidiBuffer midi;
  juce::AudioBuffer<float> buffer(1, block);
  juce::Random random(1);
  std::vector<double> took;
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(block / rate));
  const auto blocks = static_cast<std::size_t>(seconds * rate / block);
  took.reserve(blocks);
  auto next = Clock::now();
  for (std::size_t i = 0; i < blocks; ++i) {
    std::this_thread::sleep_until(next);
    next += period;
    double sum = 0;
    for (auto& processor : all) {
      for (int t = 0; t < block; ++t) buffer.setSample(0, t, 0.4f * random.nextFloat() - 0.2f);
      const auto start = Clock::now();
      processor->processBlock(buffer, midi);
      sum += std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    }
    took.push_back(sum);
  }
  std::sort(took.begin(), took.end());
  const auto at = [&](double share) {
    return took[std::min(took.size() - 1, static_cast<std::size_t>(share * static_cast<double>(took.size())))];
  };
  std::printf("%zu instance%s  p50 %7.1f us  p99 %7.1f us  p99.9 %7.1f us  worst %7.1f us  of %.0f us\n",
              all.size(), all.size() > 1 ? "s" : " ", at(0.5), at(0.99), at(0.999), took.back(),
              1e6 * block / rate);
}

}  // namespace

int main(int count, char** words) {
  const double seconds = count > 2 ? std::atof(words[2]) : 60;
  if (count < 2 || !(seconds > 0)) {
    std::fprintf(stderr, "plugin_bench MODEL [SECONDS] [MODEL of the second instance]\n");
    return 2;
  }
  const juce::ScopedJuceInitialiser_GUI juce;
  const auto file = [](const char* path) {
    return juce::File::getCurrentWorkingDirectory().getChildFile(path);
  };
  const auto first = file(words[1]), second = file(words[count > 3 ? 3 : 1]);
  measure({first}, seconds);
  measure({first, second}, seconds);
}
