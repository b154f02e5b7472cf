// The impulse response of a loudspeaker cabinet, from a sound file.
#pragma once

#include <juce_core/juce_core.h>

#include <vector>

namespace fxkit::plugin {

struct Impulse {
  static constexpr double longest = 2;  // seconds; what is beyond is left out

  double rate = 0;                           // whole Hz
  std::vector<std::vector<float>> channels;  // one or two
};

// WAV or AIFF. Throws fxkit::Error with one line.
Impulse read_impulse(const juce::File&);

// At another rate, and as loud as no cabinet: for pink noise from 80 Hz to 5 kHz, the output has the
// power of the input (of the louder channel). Throws fxkit::Error for silence.
Impulse fitted(const Impulse&, double rate);

}  // namespace fxkit::plugin
