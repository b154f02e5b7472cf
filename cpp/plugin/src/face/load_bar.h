// The share of each block's duration that playing takes: a thin bar and a figure.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

class LoadBar : public juce::Component, public juce::SettableTooltipClient {
 public:
  LoadBar();
  // 1 is the whole block; the face is calm, so small changes come slowly.
  void update(double share);

  void paint(juce::Graphics&) override;
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  double share_ = 0;
  juce::String shown_;
};

}  // namespace fxkit::face
