#include "face/words.h"

#include <cmath>

namespace fxkit::face {

juce::String esr_in_words(double esr) {
  if (esr < 0.001) return "hard to tell from the target";
  if (esr < 0.01) return "very close";
  if (esr < 0.03) return "close";
  if (esr < 0.1) return "recognisably the same";
  if (esr < 0.3) return "the right kind of sound";
  return "a rough likeness";
}

juce::String esr_in_digits(double esr) {
  if (!(esr > 0)) return "0";
  const int decimals = juce::jlimit(1, 8, 1 - static_cast<int>(std::floor(std::log10(esr))));
  return juce::String(esr, decimals);
}

juce::String rate(double hertz) {
  const double kilo = hertz / 1000;
  const bool whole = std::abs(kilo - std::round(kilo)) < 0.005;
  return (whole ? juce::String(juce::roundToInt(kilo))
                : juce::String(kilo, 3).trimCharactersAtEnd("0")) + " kHz";
}

juce::String milliseconds(double seconds) { return juce::String(seconds * 1000, 1) + " ms"; }

juce::String percent(double share) {
  return juce::String(share * 100, share < 0.0995 ? 1 : 0) + " %";
}

juce::String decibels(float level) {
  return level <= 1e-5f ? juce::String("-inf") : juce::String(20 * std::log10(level), 1);
}

juce::String format_name(const std::string& format) {
  if (format == "nam") return "NAM";
  if (format == "aida-x") return "AIDA-X";
  if (format == "proteus") return "Proteus";
  return juce::String::fromUTF8(format.c_str());
}

juce::String subject(const host::ModelInfo& model) {
  juce::StringArray parts;
  const auto text = [](const std::string& utf8) { return juce::String::fromUTF8(utf8.c_str()); };
  if (!model.gear.empty()) parts.add(text(model.gear));
  if (!model.author.empty()) parts.add("by " + text(model.author));
  if (!model.task.empty()) parts.add(text(model.task));
  return parts.joinIntoString(juce::String::fromUTF8("  \xc2\xb7  "));
}

}  // namespace fxkit::face
