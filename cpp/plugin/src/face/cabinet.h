// The cabinet: the name of the impulse response that plays, and the buttons to load and remove it.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include "face/button.h"

namespace fxkit::face {

class Cabinet : public juce::Component {
 public:
  Cabinet();

  // Empty: no cabinet.
  void show(const juce::String& file_name);

  Button load, clear;

  void paint(juce::Graphics&) override;
  void resized() override;
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  juce::String name_;
  juce::Rectangle<int> words_;
};

}  // namespace fxkit::face
