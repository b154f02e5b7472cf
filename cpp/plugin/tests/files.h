// Model files and impulse responses in a folder of their own, for the tests.
#pragma once

#include <juce_audio_formats/juce_audio_formats.h>

#include <cmath>
#include <string>
#include <vector>

#include "models.h"

namespace test {

class Folder {
 public:
  Folder() : folder_(juce::File::getSpecialLocation(juce::File::tempDirectory)
                         .getChildFile("fxkit-test-" + juce::Uuid().toString())) {
    folder_.createDirectory();
  }
  ~Folder() { folder_.deleteRecursively(); }

  juce::File file(const juce::String& name) const { return folder_.getChildFile(name); }
  const juce::File& get() const { return folder_; }

  juce::File model(const juce::String& name, ModelFile model) const {
    model.add_probe();
    const auto bytes = model.bytes();
    const auto path = file(name);
    path.replaceWithData(bytes.data(), bytes.size());
    return path;
  }

  juce::File sound(const juce::String& name, double rate,
                   const std::vector<std::vector<float>>& channels) const {
    const auto path = file(name);
    std::unique_ptr<juce::OutputStream> stream = path.createOutputStream();
    juce::WavAudioFormat format;
    const std::unique_ptr<juce::AudioFormatWriter> writer(format.createWriterFor(
        stream.get(), rate, static_cast<unsigned>(channels.size()), 32, {}, 0));
    stream.release();  // now the writer's
    std::vector<const float*> rows;
    for (const auto& channel : channels) rows.push_back(channel.data());
    writer->writeFromFloatArrays(rows.data(), static_cast<int>(rows.size()),
                                 static_cast<int>(channels[0].size()));
    return path;
  }

 private:
  juce::File folder_;
};

inline std::vector<float> noise(std::size_t frames, double level = 0.2, unsigned seed = 1) {
  ModelFile source;
  source.random.seed(seed);
  return source.noise(frames, level);
}

inline std::vector<float> sine(std::size_t frames, double frequency, double rate, double level = 0.3) {
  std::vector<float> x(frames);
  for (std::size_t t = 0; t < frames; ++t) {
    x[t] = static_cast<float>(level * std::sin(2 * 3.14159265358979 * frequency *
                                               static_cast<double>(t) / rate));
  }
  return x;
}

inline double rms(const std::vector<float>& x, std::size_t from, std::size_t to) {
  double sum = 0;
  for (std::size_t t = from; t < to; ++t) sum += static_cast<double>(x[t]) * static_cast<double>(x[t]);
  return std::sqrt(sum / static_cast<double>(to - from));
}

inline double distance(const std::vector<float>& a, const std::vector<float>& b,
                       std::size_t from = 0, std::size_t to = ~std::size_t{0}) {
  double most = 0;
  for (std::size_t t = from; t < std::min({a.size(), b.size(), to}); ++t) {
    most = std::max(most, std::abs(static_cast<double>(a[t]) - static_cast<double>(b[t])));
  }
  return most;
}

inline double steepest(const std::vector<float>& x, std::size_t from, std::size_t to) {
  double most = 0;
  for (std::size_t t = std::max<std::size_t>(from, 1); t < to; ++t) {
    most = std::max(most, std::abs(static_cast<double>(x[t]) - static_cast<double>(x[t - 1])));
  }
  return most;
}

}  // namespace test
