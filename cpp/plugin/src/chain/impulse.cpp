#include "chain/impulse.h"

#include <juce_audio_formats/juce_audio_formats.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "fxkit/fxkit.hpp"
#include "fxkit/host/resampler.h"

namespace fxkit::plugin {
namespace {

// The mean of |H|^2 over frequencies whose logarithms are evenly spaced.
double pink_power(const std::vector<float>& response, double rate) {
  constexpr int points = 96;
  const double low = 80, high = std::min(5000.0, 0.45 * rate);
  double sum = 0;
  for (int i = 0; i < points; ++i) {
    const double frequency = low * std::pow(high / low, (i + 0.5) / points);
    const auto turn = std::polar(1.0, -2 * std::numbers::pi * frequency / rate);
    std::complex<double> h = 0;
    for (std::size_t t = response.size(); t-- > 0;) h = h * turn + static_cast<double>(response[t]);
    sum += std::norm(h);
  }
  return sum / points;
}

// What lies 100 dB below the peak at the end only takes time.
void trim(Impulse& impulse) {
  float peak = 0;
  for (const auto& channel : impulse.channels) {
    for (const float x : channel) peak = std::max(peak, std::abs(x));
  }
  std::size_t length = 1;
  for (const auto& channel : impulse.channels) {
    for (std::size_t t = length; t < channel.size(); ++t) {
      if (std::abs(channel[t]) > peak * 1e-5f) length = t + 1;
    }
  }
  for (auto& channel : impulse.channels) channel.resize(length);
}

Impulse converted(const Impulse& impulse, double rate) {
  Impulse out{rate, {}};
  for (const auto& channel : impulse.channels) {
    host::Resampler resampler(static_cast<std::uint32_t>(impulse.rate),
                              static_cast<std::uint32_t>(std::lround(rate)), 1);
    std::vector<float> padded(channel);
    padded.resize(channel.size() + 2 * resampler.reach(), 0.0f);
    std::vector<float> made(resampler.max_outputs(padded.size()));
    const float* in = padded.data();
    float* to = made.data();
    made.resize(resampler.process(&in, padded.size(), &to));
    out.channels.push_back(std::move(made));
  }
  return out;
}

}  // namespace

Impulse read_impulse(const juce::File& file) {
  const auto name = file.getFullPathName().toStdString();
  if (!file.existsAsFile()) throw Error(name + ": there is no such file");
  juce::AudioFormatManager formats;
  formats.registerBasicFormats();
  const std::unique_ptr<juce::AudioFormatReader> reader(formats.createReaderFor(file));
  if (!reader) throw Error(name + ": not a sound file (WAV or AIFF)");
  if (!(reader->sampleRate >= 1000 && reader->sampleRate <= 1e6) || reader->lengthInSamples < 1 ||
      reader->numChannels < 1) {
    throw Error(name + ": no usable sound in it");
  }
  const auto frames = static_cast<int>(std::min<double>(
      static_cast<double>(reader->lengthInSamples), Impulse::longest * reader->sampleRate));
  juce::AudioBuffer<float> buffer(std::min(2, static_cast<int>(reader->numChannels)), frames);
  if (!reader->read(&buffer, 0, frames, 0, true, true)) throw Error(name + ": cannot be read");
  Impulse impulse{std::round(reader->sampleRate), {}};
  for (int c = 0; c < buffer.getNumChannels(); ++c) {
    const float* const from = buffer.getReadPointer(c);
    auto& channel = impulse.channels.emplace_back(from, from + frames);
    for (const float x : channel) {
      if (!std::isfinite(x)) throw Error(name + ": holds NaN or infinity");
    }
  }
  return impulse;
}

Impulse fitted(const Impulse& impulse, double rate) {
  Impulse out = std::lround(rate) == std::lround(impulse.rate) ? impulse : converted(impulse, rate);
  out.rate = rate;
  double power = 0;
  for (const auto& channel : out.channels) power = std::max(power, pink_power(channel, rate));
  if (!(power > 1e-12)) throw Error("the cabinet's impulse response is silent");
  const auto factor = static_cast<float>(1 / std::sqrt(power));
  for (auto& channel : out.channels) {
    for (float& x : channel) x *= factor;
  }
  trim(out);
  return out;
}

}  // namespace fxkit::plugin
