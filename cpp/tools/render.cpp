// fxkit-render MODEL IN.wav OUT.wav [KNOB=VALUE ...]: plays a recording through a model.
//
// The output is as long as the input and not delayed against it. MODEL is a model file or another
// player's (.nam, AIDA-X, Proteus); the recording may have any sample rate.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "fxkit/host/sound.h"
#include "wav.h"

namespace {

constexpr std::size_t block = 512;

void turn(fxkit::host::Sound& sound, const std::string& argument) {
  const auto equals = argument.find('=');
  const auto& knobs = sound.info().knobs;
  const auto found = std::find_if(knobs.begin(), knobs.end(), [&](const fxkit::host::Knob& knob) {
    return knob.name == argument.substr(0, equals);
  });
  if (equals == std::string::npos || found == knobs.end()) {
    std::string known;
    for (const auto& knob : knobs) known += (known.empty() ? "" : ", ") + knob.name;
    throw fxkit::Error(argument + ": the model's knobs are: " + (known.empty() ? "none" : known));
  }
  char* end = nullptr;
  const std::string text = argument.substr(equals + 1);
  const float value = std::strtof(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0 && value <= 1)) {
    throw fxkit::Error(argument + ": must be from 0 to 1");
  }
  sound.set_control(static_cast<std::size_t>(found - knobs.begin()), value);
}

void render(const std::vector<std::string>& arguments) {
  const auto sound = fxkit::host::Sound::open(arguments[0]);
  auto wav = fxkit::tools::read_wav(arguments[1]);
  for (std::size_t i = 3; i < arguments.size(); ++i) turn(*sound, arguments[i]);
  sound->set_offline(true);
  sound->prepare(wav.sample_rate, block, wav.channels.size());
  const std::size_t frames = wav.channels[0].size(), late = sound->latency();
  // Silence behind the end plays out the latency; the same much is cut from the front.
  for (auto& channel : wav.channels) channel.resize(frames + late);
  std::vector<float*> at(wav.channels.size());
  for (std::size_t t = 0; t < frames + late; t += block) {
    for (std::size_t c = 0; c < at.size(); ++c) at[c] = wav.channels[c].data() + t;
    sound->process(at.data(), at.data(), std::min(block, frames + late - t));
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
