// How the face says numbers: short, with units, the same everywhere.
#pragma once

#include <juce_core/juce_core.h>

#include <optional>

#include "fxkit/host/model_info.h"

namespace fxkit::face {

// The words of docs/report.md for an error-to-signal ratio: "very close".
juce::String esr_in_words(double esr);
// "0.0062", "0.00008"; two significant digits.
juce::String esr_in_digits(double esr);
// "48 kHz", "44.1 kHz"
juce::String rate(double hertz);
// "2.3 ms"
juce::String milliseconds(double seconds);
// "12 %"; below ten with a decimal, "0.8 %"
juce::String percent(double share);
// "-12.4", and "-inf" for silence
juce::String decibels(float level);
// "fxkit", "NAM", "AIDA-X", "Proteus"
juce::String format_name(const std::string& format);
// What the model models, in one line of what is known: "JCM800, by Ada, distort".
juce::String subject(const host::ModelInfo&);

}  // namespace fxkit::face
