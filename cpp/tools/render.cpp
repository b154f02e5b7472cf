// fxkit-render MODEL IN.wav OUT.wav [KNOB=VALUE ...]: plays a recording through a model.
//
// The output is as long as the input and not delayed against it. The recording must have the sample
// rate of the model; `fxkit render` converts.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "fxkit/fxkit.hpp"
#include "wav.h"

namespace {

constexpr std::size_t block = 512;

void turn(fxkit::Engine& engine, const std::string& argument) {
  const auto equals = argument.find('=');
  const auto names = engine.control_names();
  const auto found = std::find(names.begin(), names.end(), argument.substr(0, equals));
  if (equals == std::string::npos || found == names.end()) {
    std::string known;
    for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
    throw fxkit::Error(argument + ": the model's knobs are: " + (known.empty() ? "none" : known));
  }
  char* end = nullptr;
  const std::string text = argument.substr(equals + 1);
  const float value = std::strtof(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0 && value <= 1)) {
    throw fxkit::Error(argument + ": must be from 0 to 1");
  }
  engine.set_control(static_cast<std::size_t>(found - names.begin()), value);
}

void render(const std::vector<std::string>& arguments) {
  auto engine = fxkit::Engine::open(arguments[0]);
  auto wav = fxkit::tools::read_wav(arguments[1]);
  if (wav.sample_rate != engine.sample_rate()) {
    throw fxkit::Error(arguments[1] + ": is at " + std::to_string(wav.sample_rate) +
                       " Hz, the model at " +
                       std::to_string(static_cast<unsigned>(engine.sample_rate())) +
                       " Hz; fxkit render converts");
  }
  for (std::size_t i = 3; i < arguments.size(); ++i) turn(engine, arguments[i]);
  engine.prepare(wav.sample_rate, block, wav.channels.size());
  const std::size_t frames = wav.channels[0].size(), late = engine.latency();
  // Silence behind the end plays out the latency; the same much is cut from the front.
  for (auto& channel : wav.channels) channel.resize(frames + late);
  std::vector<float*> at(wav.channels.size());
  for (std::size_t t = 0; t < frames + late; t += block) {
    for (std::size_t c = 0; c < at.size(); ++c) at[c] = wav.channels[c].data() + t;
    engine.process(at.data(), at.data(), std::min(block, frames + late - t));
  }
  for (auto& channel : wav.channels) {
    channel.erase(channel.begin(), channel.begin() + static_cast<std::ptrdiff_t>(late));
  }
  fxkit::tools::write_wav(arguments[2], wav);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (arguments.size() < 3) {
    std::fputs("usage: fxkit-render MODEL IN.wav OUT.wav [KNOB=VALUE ...]\n", stderr);
    return 2;
  }
  try {
    render(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fxkit-render: %s\n", error.what());
    return 2;
  }
  return 0;
}
