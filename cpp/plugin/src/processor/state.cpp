#include "processor/state.h"

#include <juce_audio_processors/juce_audio_processors.h>

#include <cmath>

#include "fxkit/fxkit.hpp"

namespace fxkit::plugin {
void write(const State& state, juce::MemoryBlock& block) {
  juce::XmlElement xml("fxkit");
  xml.setAttribute("version", State::version);
  xml.setAttribute("model", state.model);
  xml.setAttribute("cabinet", state.cabinet);
  xml.setAttribute("folder", state.folder);
  xml.setAttribute("confirmed", state.confirmed ? 1 : 0);
  if (state.width > 0) xml.setAttribute("width", state.width);
  if (state.height > 0) xml.setAttribute("height", state.height);
  for (const auto& [id, value] : state.values) {
    auto* const child = xml.createNewChildElement("parameter");
    child->setAttribute("id", id);
    child->setAttribute("value", static_cast<double>(value));
  }
  juce::AudioProcessor::copyXmlToBinary(xml, block);
}

State read(const void* data, int size) {
  const auto xml = juce::AudioProcessor::getXmlFromBinary(data, size);
  if (!xml || !xml->hasTagName("fxkit")) {
    throw Error("The stored settings cannot be read; everything is at its default");
  }
  const int version = xml->getIntAttribute("version", 0);
  if (version > State::version) {
    throw Error("The settings were stored by a newer fxkit (version " + std::to_string(version) +
                " of the settings); everything is at its default");
  }
  if (version < 1) throw Error("The stored settings have no version; everything is at its default");
  State state;
  state.model = xml->getStringAttribute("model");
  state.cabinet = xml->getStringAttribute("cabinet");
  state.folder = xml->getStringAttribute("folder");
  state.width = juce::jlimit(0, 8192, xml->getIntAttribute("width"));
  state.height = juce::jlimit(0, 8192, xml->getIntAttribute("height"));
  state.confirmed = xml->getBoolAttribute("confirmed");
  for (const auto* child : xml->getChildWithTagNameIterator("parameter")) {
    const double value = child->getDoubleAttribute("value", std::nan(""));
    if (std::isfinite(value)) {
      state.values[child->getStringAttribute("id")] = static_cast<float>(value);
    }
  }
  return state;
}

}  // namespace fxkit::plugin
