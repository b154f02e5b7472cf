// What a session stores: an XML text, in the form of JUCE's copyXmlToBinary. docs/plugin.md shows it.
#pragma once

#include <juce_core/juce_core.h>

#include <map>

namespace fxkit::plugin {

struct State {
  static constexpr int version = 1;

  juce::String model, cabinet, folder;  // full paths; empty: none, or the usual one
  int width = 0, height = 0;            // of the window; 0: the usual size
  bool confirmed = false;               // the player wants the model although it is slow here
  std::map<juce::String, float> values; // of parameters by their ids, in their units
};

void write(const State&, juce::MemoryBlock&);

// Throws fxkit::Error with one line for what is no state, or one of a newer version.
State read(const void* data, int size);

}  // namespace fxkit::plugin
